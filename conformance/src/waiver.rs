//! Waivers: findings that somebody has agreed to live with, for a reason and until a day.
//!
//! May use the patterns of checks and nothing else of the suite. A waiver never hides a finding: reports show it as known, and
//! a waiver that is of no use any more fails the run.

use std::time::{SystemTime, UNIX_EPOCH};

use glob::Pattern;

use crate::checks::names;

/// A finding that does not fail the run.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The checks, by id with or without the vendor.
    pub check: Pattern,
    /// The HTTP status of the response that is waived; any deviation of the check if there is none.
    pub status: Option<u16>,
    /// Why it is waived.
    pub reason: String,
    /// The last day on which it holds, in UTC.
    pub until: Option<Day>,
}

/// A day of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

impl Waiver {
    /// Whether the waiver is about the check with this id.
    pub(crate) fn is_about(&self, id: &str) -> bool {
        names(&self.check, id)
    }

    /// Whether the waiver is about a response with this status.
    pub(crate) fn covers(&self, status: Option<u16>) -> bool {
        self.status.is_none() || self.status == status
    }

    /// Whether the waiver no longer holds on this day.
    pub(crate) fn has_run_out(&self, today: Day) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

impl Day {
    /// Today, in UTC.
    pub(crate) fn today() -> Day {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Day::of_unix_days(since.as_secs() / 86_400)
    }

    /// The day that is this many days after 1970-01-01.
    fn of_unix_days(days: u64) -> Day {
        // Counted from 1 March of the year 0, so that leap days are the last of their years; the periods are 400, 100, 4
        // and 1 years. A date library would be a dependency for these lines alone.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day_of_month = day - (153 * month + 2) / 5 + 1;
        let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Day {
            year: u16::try_from(era * 400 + year + next_year).unwrap_or(u16::MAX),
            month: u8::try_from(month).unwrap_or(12),
            day: u8::try_from(day_of_month).unwrap_or(31),
        }
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver(check: &str, until: Option<Day>) -> Waiver {
        Waiver { check: Pattern::new(check).unwrap(), status: Some(410), reason: String::new(), until }
    }

    #[test]
    fn a_day_is_that_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (20_513, "2026-03-01"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(Day::of_unix_days(days).to_string(), text);
        }
    }

    #[test]
    fn a_waiver_holds_on_its_last_day_and_not_on_the_next() {
        let until = Some(Day { year: 2027, month: 3, day: 1 });
        assert!(!waiver("*", until).has_run_out(Day { year: 2027, month: 3, day: 1 }));
        assert!(waiver("*", until).has_run_out(Day { year: 2027, month: 3, day: 2 }));
        assert!(waiver("*", until).has_run_out(Day { year: 2028, month: 1, day: 1 }));
    }

    #[test]
    fn a_waiver_names_a_check_with_or_without_its_vendor() {
        for pattern in ["exotel/matrix/expired", "matrix/expired", "*/expired", "matrix/*"] {
            assert!(waiver(pattern, None).is_about("exotel/matrix/expired"), "{pattern}");
        }
        assert!(!waiver("d7/matrix/expired", None).is_about("exotel/matrix/expired"));
        assert!(waiver("*", None).covers(Some(410)) && !waiver("*", None).covers(Some(400)));
    }
}
