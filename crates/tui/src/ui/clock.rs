//! Moments as people write them, in the time zone of the machine.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use xmpp::time::Millis;

/// What time it is, and where.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Now.
    pub now: Millis,
    zone: TimeZone,
}

impl Clock {
    /// A clock in a time zone.
    #[must_use]
    pub fn new(now: Millis, zone: TimeZone) -> Clock {
        Clock { now, zone }
    }

    /// The day of a moment.
    #[must_use]
    pub fn day(&self, time: Millis) -> Date {
        self.local(time).date()
    }

    /// `14:02`
    #[must_use]
    pub fn minute(&self, time: Millis) -> String {
        self.local(time).strftime("%H:%M").to_string()
    }

    /// Day and time, for details: `27 November 2026, 14:02:33`.
    #[must_use]
    pub fn exact(&self, time: Millis) -> String {
        self.local(time).strftime("%-d %B %Y, %H:%M:%S").to_string()
    }

    /// Day and time, for what is copied: `2026-11-27 14:02`.
    #[must_use]
    pub fn stamp(&self, time: Millis) -> String {
        self.local(time).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// What stands on the line above the messages of a day.
    #[must_use]
    pub fn day_line(&self, time: Millis) -> String {
        let day = self.day(time);
        match self.days_ago(day) {
            0 => "Today".to_owned(),
            1 => "Yesterday".to_owned(),
            _ if day.year() == self.day(self.now).year() => day.strftime("%A, %-d %B").to_string(),
            _ => day.strftime("%A, %-d %B %Y").to_string(),
        }
    }

    /// As short as it can be said: `14:02`, `Fri`, `27 Nov`, `2024`.
    #[must_use]
    pub fn short(&self, time: Millis) -> String {
        let day = self.day(time);
        match self.days_ago(day) {
            0 => self.minute(time),
            1..=6 => day.strftime("%a").to_string(),
            _ if day.year() == self.day(self.now).year() => day.strftime("%-d %b").to_string(),
            _ => day.year().to_string(),
        }
    }

    /// How long ago a moment was, in words.
    #[must_use]
    pub fn ago(&self, time: Millis) -> String {
        match self.now.since(time) / 1000 {
            seconds if seconds < 60 => "just now".to_owned(),
            seconds if seconds < 3600 => count(seconds / 60, "minute") + " ago",
            seconds if seconds < 86_400 => count(seconds / 3600, "hour") + " ago",
            seconds if seconds < 60 * 86_400 => count(seconds / 86_400, "day") + " ago",
            _ => format!("in {}", self.day(time).strftime("%B %Y")),
        }
    }

    fn days_ago(&self, day: Date) -> i32 {
        (self.day(self.now) - day).get_days()
    }

    fn local(&self, time: Millis) -> DateTime {
        let milliseconds = i64::try_from(time.0).unwrap_or(i64::MAX);
        let timestamp = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
        self.zone.to_datetime(timestamp)
    }
}

/// `1 minute`, `2 minutes`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// A size as people write it: `1.2 MB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    match tenths {
        small if small < 100 => format!("{}.{} {}", small / 10, small % 10, UNITS[unit]),
        large => format!("{} {}", large / 10, UNITS[unit]),
    }
}

/// How long something plays, from milliseconds: `1:03`, `1:00:03`.
#[must_use]
pub fn length(milliseconds: u32) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        Millis::parse_xep0082(text).unwrap()
    }

    #[test]
    fn a_day_is_named_as_people_name_it() {
        let clock = Clock::new(at("2026-11-28T13:00:00Z"), TimeZone::UTC);
        for (time, line, short) in [
            ("2026-11-28T00:00:00Z", "Today", "00:00"),
            ("2026-11-27T23:59:59Z", "Yesterday", "Fri"),
            ("2026-11-23T10:00:00Z", "Monday, 23 November", "Mon"),
            ("2026-01-02T10:00:00Z", "Friday, 2 January", "2 Jan"),
            ("2025-12-31T10:00:00Z", "Wednesday, 31 December 2025", "2025"),
        ] {
            assert_eq!(clock.day_line(at(time)), line);
            assert_eq!(clock.short(at(time)), short);
        }
    }

    #[test]
    fn moments_are_told_in_the_time_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let clock = Clock::new(at("2026-11-28T22:30:00Z"), zone);
        assert_eq!(clock.minute(at("2026-11-28T22:30:00Z")), "00:30");
        assert_eq!(clock.day_line(at("2026-11-28T21:59:00Z")), "Yesterday");
        assert_eq!(clock.ago(at("2026-11-28T20:30:00Z")), "2 hours ago");
        assert_eq!(clock.day_line(Millis(u64::MAX)), clock.day_line(Millis(u64::MAX)), "no panic");
    }

    #[test]
    fn lengths_are_minutes_and_seconds() {
        let shown = [999, 63_400, 3_603_000].map(length);
        assert_eq!(shown, ["0:00", "1:03", "1:00:03"]);
    }

    #[test]
    fn sizes_have_two_digits_or_more() {
        let shown = [999, 1000, 1_234_567, 45_678_901, u64::MAX].map(size);
        assert_eq!(shown, ["999 bytes", "1.0 kB", "1.2 MB", "45 MB", "18446 PB"]);
    }
}
