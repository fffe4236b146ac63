//! XEP-0082: XMPP Date and Time Profiles 1.1
//!
//! The crate never asks for the time: whoever needs it passes a [`Millis`].

use std::fmt;

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(
    /// Milliseconds since the Unix epoch.
    pub u64,
);

impl Millis {
    /// A moment given in whole seconds since the Unix epoch.
    pub const fn from_secs(seconds: u64) -> Millis {
        Millis(seconds.saturating_mul(1000))
    }

    /// Whole seconds since the Unix epoch.
    pub const fn secs(self) -> u64 {
        self.0 / 1000
    }

    /// The moment `milliseconds` later.
    #[must_use]
    pub const fn plus(self, milliseconds: u64) -> Millis {
        Millis(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to this moment, 0 when `earlier` is later.
    pub const fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The DateTime profile in UTC (XEP-0082 §3.1), `2026-01-02T03:04:05.678Z`; the fraction is
    /// left out when it is zero. Moments after the year 9999 are shown as its last one.
    pub fn xep0082(self) -> String {
        self.to_string()
    }

    /// Reads the DateTime profile (XEP-0082 §3.1): a date, `T`, a time with any number of fractional
    /// digits, and `Z` or an offset. Digits below the millisecond are dropped. `None` for anything
    /// else and for moments before 1970.
    pub fn parse_xep0082(text: &str) -> Option<Millis> {
        let (date, rest) = text.split_at_checked(10)?;
        let (time, rest) = rest.strip_prefix('T')?.split_at_checked(8)?;
        let days = parse_date(date)?;
        let seconds = parse_time(time)?;
        let (fraction, zone) = parse_fraction(rest)?;
        let offset = parse_zone(zone)?;
        let total = days * DAY as i64 + seconds * 1000 + fraction - offset * 60_000;
        u64::try_from(total).ok().map(Millis)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.min(LAST_MILLISECOND);
        let (year, month, day) = civil(total / DAY);
        let (hour, minute) = (total / 3_600_000 % 24, total / 60_000 % 60);
        let (second, fraction) = (total / 1000 % 60, total % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if fraction != 0 {
            write!(f, ".{fraction:03}")?;
        }
        f.write_str("Z")
    }
}

/// `CCYY-MM-DD` as days since the epoch.
fn parse_date(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    let real = parts.next().is_none() && (1..=12).contains(&month) && day >= 1;
    (real && day <= days_in_month(year, month)).then(|| days_since_epoch(year, month, day))
}

/// `hh:mm:ss` as seconds; a leap second is taken for the second after it.
fn parse_time(time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = digits(parts.next()?, 2)?;
    let real = parts.next().is_none() && hour < 24 && minute < 60 && second <= 60;
    real.then_some(hour * 3600 + minute * 60 + second)
}

/// An optional `.` with digits, as milliseconds, and what follows it.
fn parse_fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(tail) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
    let (fraction, zone) = tail.split_at_checked(end)?;
    if fraction.is_empty() {
        return None;
    }
    let mut scale = 1000;
    let mut value = 0;
    for digit in fraction.bytes().take(3) {
        scale /= 10;
        value += i64::from(digit - b'0') * scale;
    }
    Some((value, zone))
}

/// `Z`, `+hh:mm` or `-hh:mm` as minutes east of Greenwich.
fn parse_zone(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hour, minute) = rest.split_once(':')?;
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    (hour <= 14 && minute < 60).then_some(sign * (hour * 60 + minute))
}

/// A number of exactly `count` decimal digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted from
/// March so that the leap day is a year's last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// 9999-12-31T23:59:59.999Z, the last moment that four digits of year can say.
const LAST_MILLISECOND: u64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        assert_eq!(Millis(0).xep0082(), "1970-01-01T00:00:00Z");
        assert_eq!(Millis(1_709_164_799_042).xep0082(), "2024-02-28T23:59:59.042Z");
        assert_eq!(Millis(u64::MAX).xep0082(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn offsets_and_fractions_are_read() {
        // XEP-0082 §3.1, both examples are the landing of Apollo 11, before the epoch.
        assert_eq!(Millis::parse_xep0082("1969-07-21T02:56:15Z"), None);
        assert_eq!(Millis::parse_xep0082("1970-01-01T00:00:00-06:00"), Some(Millis(21_600_000)));
        assert_eq!(
            Millis::parse_xep0082("2024-02-29T01:00:00.123456+01:00"),
            Some(Millis(1_709_164_800_123))
        );
        assert_eq!(
            Millis::parse_xep0082("2024-02-29T00:00:00.5Z"),
            Some(Millis(1_709_164_800_500))
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "2024-02-29",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+1:00",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:0éZ",
            "+024-01-01T00:00:00Z",
        ] {
            assert_eq!(Millis::parse_xep0082(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_survives_a_round_trip() {
        for day in 0..146_097 {
            let moment = Millis(day * DAY + 1);
            assert_eq!(Millis::parse_xep0082(&moment.xep0082()), Some(moment));
        }
    }
}
