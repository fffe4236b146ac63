//! Whether the wall clock can be believed when something is to be removed because it is old.
//!
//! A clock that jumps ahead by a year makes everything a year older, and what was removed meanwhile does not
//! come back when the clock does. So nothing is removed for its age until a jump has lasted for a day: by then a
//! time service has put the clock right, or somebody has read in the log, in `anemone status` or at `/admin` that
//! something is wrong. The time is also kept on disk, so that a machine that wakes up in another year is noticed.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use xmpp::time::Millis;

use crate::{admin::duration, config::Home, files};

/// What is known of the wall clock.
#[derive(Debug)]
pub struct Calendar(Mutex<Known>);

#[derive(Debug)]
struct Known {
    /// The last time that was believed, and when that was by the clock that only goes ahead.
    believed: (Millis, Instant),
    doubt: Option<Doubt>,
}

/// The clock is not where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Doubt {
    since: Instant,
    /// Milliseconds ahead of where it should be.
    ahead: i64,
}

/// What a look at the clock brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is as it was.
    None,
    /// It is not believed from now on.
    Doubted,
    /// It is believed again.
    Believed,
}

/// What is kept on disk.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The last time that was believed, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    believed: Option<u64>,
}

impl Calendar {
    /// With what was kept of the run before. A file that cannot be read says nothing.
    #[must_use]
    pub fn load(home: &Home, now: Millis) -> Self {
        let kept = files::load::<Kept>(&home.clock()).unwrap_or_else(|error| {
            tracing::warn!(%error, "clock.json cannot be read");
            Kept::default()
        });
        Self::since(kept.believed.map_or(now, Millis), Instant::now())
    }

    fn since(believed: Millis, at: Instant) -> Self {
        Self(Mutex::new(Known { believed: (believed, at), doubt: None }))
    }

    /// Looks at both clocks. To be called often.
    pub fn look(&self, now: Millis, at: Instant) -> News {
        let mut known = self.0.lock();
        let (believed, then) = known.believed;
        let elapsed = i64::try_from(at.saturating_duration_since(then).as_millis());
        let expected = signed(believed).saturating_add(elapsed.unwrap_or(i64::MAX));
        let ahead = signed(now).saturating_sub(expected);
        let is_near = |one: i64, other: i64| one.abs_diff(other) <= TOLERANCE;
        let doubt = match known.doubt {
            _ if is_near(ahead, 0) => None,
            Some(doubt) if !is_near(doubt.ahead, ahead) => Some(Doubt { since: at, ahead }),
            Some(doubt) => Some(doubt).filter(|_| at.duration_since(doubt.since) < PATIENCE),
            None => Some(Doubt { since: at, ahead }),
        };
        if doubt.is_none() {
            known.believed = (now, at);
        }
        let news = match (known.doubt.is_some(), doubt.is_some()) {
            (false, true) => News::Doubted,
            (true, false) => News::Believed,
            _ => News::None,
        };
        known.doubt = doubt;
        news
    }

    /// The time by which it is judged what is too old: the beginning of all times while the clock is not
    /// believed, when nothing is.
    #[must_use]
    pub fn judging(&self, now: Millis) -> Millis {
        match self.0.lock().doubt {
            Some(_) => Millis(0),
            None => now,
        }
    }

    /// Why the clock is not believed, in words.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let Doubt { ahead, .. } = self.0.lock().doubt?;
        let by = duration(ahead.unsigned_abs() / 1000);
        let where_to = if ahead > 0 { "ahead of" } else { "behind" };
        Some(format!(
            "the clock is {by} {where_to} what this server knows of the time; nothing is removed for its age before \
             it has been so for a day"
        ))
    }

    /// Keeps the last time that was believed for the next start.
    pub fn keep(&self, home: &Home) {
        let Millis(believed) = self.0.lock().believed.0;
        if let Err(error) = save(&home.clock(), believed) {
            tracing::debug!(%error, "clock.json cannot be written");
        }
    }
}

fn save(path: &Path, believed: u64) -> std::io::Result<()> {
    files::write_private(path, files::json(&Kept { believed: Some(believed) })?.as_bytes())
}

fn signed(time: Millis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

/// Milliseconds by which the clock may be elsewhere than expected: machines sleep, and are switched off
/// overnight. What is removed a day too early was to go a day later.
const TOLERANCE: u64 = 24 * 60 * 60 * 1000;
/// How long a jump has to last before it is believed.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 60 * 60 * 1000;
    const DAY: u64 = 24 * HOUR;
    const START: u64 = 20_000 * DAY;

    /// A calendar, and how to look at it when so many hours have passed and the clock is so far ahead.
    fn calendar() -> (Calendar, impl Fn(&Calendar, u64, i64) -> News) {
        let begin = Instant::now();
        let look = move |calendar: &Calendar, hours: u64, ahead: i64| {
            let now = (START + hours * HOUR).saturating_add_signed(ahead);
            calendar.look(Millis(now), begin + Duration::from_millis(hours * HOUR))
        };
        (Calendar::since(Millis(START), begin), look)
    }

    const YEAR: i64 = 365 * DAY as i64;

    #[test]
    fn time_that_passes_is_believed() {
        let (calendar, look) = calendar();
        for hours in 0..24 * 60 {
            assert_eq!(look(&calendar, hours, 0), News::None);
        }
        // A machine that slept overnight, and a clock that is put right.
        assert_eq!(look(&calendar, 24 * 60, 10 * HOUR as i64), News::None);
        assert_eq!(look(&calendar, 24 * 60, -(10 * HOUR as i64)), News::None);
        assert_eq!(calendar.problem(), None);
        assert_eq!(calendar.judging(Millis(5)), Millis(5));
    }

    #[test]
    fn a_jump_removes_nothing_and_is_forgotten_when_the_clock_is_right_again() {
        for jump in [YEAR, -YEAR] {
            let (calendar, look) = calendar();
            assert_eq!(look(&calendar, 1, jump), News::Doubted);
            assert_eq!(look(&calendar, 2, jump), News::None);
            assert_eq!(calendar.judging(Millis(START)), Millis(0));
            assert!(calendar.problem().unwrap().contains("365 days"));
            assert_eq!(look(&calendar, 3, 0), News::Believed);
            assert_eq!(calendar.judging(Millis(START)), Millis(START));
        }
    }

    #[test]
    fn a_jump_that_lasts_is_believed_after_a_day_and_no_other_one_is() {
        let (calendar, look) = calendar();
        assert_eq!(look(&calendar, 1, YEAR), News::Doubted);
        assert_eq!(look(&calendar, 24, YEAR), News::None);
        assert_eq!(look(&calendar, 24, 2 * YEAR), News::None, "another one has a day of its own");
        assert_eq!(look(&calendar, 47, 2 * YEAR), News::None);
        assert_eq!(look(&calendar, 48, 2 * YEAR), News::Believed);
        assert_eq!(look(&calendar, 49, 2 * YEAR), News::None);
        assert_eq!(look(&calendar, 50, 0), News::Doubted);
    }

    #[test]
    fn a_machine_that_wakes_up_in_another_year_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let first = Calendar::load(&home, Millis(START));
        assert_eq!(first.look(Millis(START), Instant::now()), News::None, "nothing is known yet");
        first.keep(&home);
        let soon = Calendar::load(&home, Millis(START + HOUR));
        assert_eq!(soon.look(Millis(START + HOUR), Instant::now()), News::None);
        let later = START.saturating_add_signed(YEAR);
        let late = Calendar::load(&home, Millis(later));
        assert_eq!(late.look(Millis(later), Instant::now()), News::Doubted);
        late.keep(&home);
        let again = Calendar::load(&home, Millis(later));
        assert_eq!(
            again.look(Millis(later), Instant::now()),
            News::Doubted,
            "a restart is no proof"
        );
        std::fs::write(home.clock(), "nonsense").unwrap();
        let fresh = Calendar::load(&home, Millis(later));
        assert_eq!(fresh.look(Millis(later), Instant::now()), News::None);
    }
}
