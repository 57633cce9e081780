//! Working hours as people write them: «пн–пт 09:00–18:00», «09:00–18:00», «круглосуточно».

use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::{Date, Time};

use super::{Timestamp, Zone};

/// Days of the week that begin a word of a schedule, Monday first.
const DAYS: [&str; 7] = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];

/// How many days ahead an opening is looked for.
const HORIZON: i64 = 8;

/// When someone works: from when to when on each day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingHours {
    /// Monday first; `None`: a day off.
    days: [Option<Shift>; 7],
}

/// The hours of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shift {
    opens: Time,
    /// `None`: open until the next day begins.
    closes: Option<Time>,
}

impl WorkingHours {
    /// Reads «пн–пт 09:00–18:00, сб 10:00–15:00»; without days every day counts. `None` when it is
    /// written in some other way: then nobody knows the hours.
    ///
    /// ```
    /// # use partner_m::domain::WorkingHours;
    /// assert!(WorkingHours::read("пн–пт 09:00–18:00").is_some());
    /// assert!(WorkingHours::read("с 8 до обеда").is_none());
    /// ```
    pub fn read(text: &str) -> Option<Self> {
        let text = text.to_lowercase().replace(['—', '−', '-'], "–");
        if text.contains("круглосуточно") {
            let always = Shift { opens: Time::midnight(), closes: None };
            return Some(Self { days: [Some(always); 7] });
        }
        let mut week = [None; 7];
        // Days that are named and wait for their hours.
        let mut named = [false; 7];
        let joined = text.replace(" – ", "–");
        for word in joined.split([' ', ',', '\u{a0}', ';']).filter(|word| !word.is_empty()) {
            let (from, to) = word.split_once('–').unwrap_or((word, word));
            if let (Some(from), Some(to)) = (day(from), day(to)) {
                if to < from {
                    return None;
                }
                named[from..=to].fill(true);
                continue;
            }
            let (opens, closes) = (time(from)?, time(to)?);
            if opens >= closes {
                return None;
            }
            let days = if named.contains(&true) { named } else { [true; 7] };
            for (day, _) in week.iter_mut().zip(days).filter(|(_, named)| *named) {
                // Two stretches of one day are more than we can tell of.
                if day.replace(Shift { opens, closes: Some(closes) }).is_some() {
                    return None;
                }
            }
            named = [false; 7];
        }
        let whole = !named.contains(&true) && week.iter().any(Option::is_some);
        whole.then_some(Self { days: week })
    }

    /// The hours of this day of the week.
    fn shift(self, date: Date) -> Option<Shift> {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.days[day % 7]
    }

    /// Whether this is a working day.
    pub fn works_on(self, date: Date) -> bool {
        self.shift(date).is_some()
    }

    /// The opening and the closing of a day; `None` on a day off.
    fn day(self, zone: &Zone, date: Date) -> Option<(Timestamp, Timestamp)> {
        let shift = self.shift(date)?;
        let opens = zone.moment(date.to_datetime(shift.opens))?;
        let closes = match shift.closes {
            Some(closes) => zone.moment(date.to_datetime(closes))?,
            None => zone.moment(date.tomorrow().ok()?.to_datetime(shift.opens))?,
        };
        Some((opens, closes))
    }

    /// Whether they work at this moment.
    pub fn open_at(self, zone: &Zone, at: Timestamp) -> bool {
        let day = self.day(zone, zone.civil(at).date());
        day.is_some_and(|(opens, closes)| opens <= at && at < closes)
    }

    /// Whether they still work, or begin to, later on the day of this moment.
    pub fn closes_after(self, zone: &Zone, at: Timestamp) -> bool {
        self.day(zone, zone.civil(at).date()).is_some_and(|(_, closes)| at < closes)
    }

    /// The next opening after a moment at which they are closed.
    pub fn next_opening(self, zone: &Zone, at: Timestamp) -> Option<Timestamp> {
        let today = zone.civil(at).date();
        (0..HORIZON).find_map(|days| {
            let date = today.checked_add(days.days()).ok()?;
            self.day(zone, date).map(|(opens, _)| opens).filter(|opens| *opens > at)
        })
    }

    /// How much working time lies between two moments; of a long stretch only the last month
    /// counts.
    pub fn worked(self, zone: &Zone, from: Timestamp, to: Timestamp) -> Duration {
        let from = from.max(to.minus(Duration::from_hours(24 * 31)));
        let last = zone.civil(to).date();
        let mut date = zone.civil(from).date();
        let mut sum = Duration::ZERO;
        while date <= last {
            if let Some((opens, closes)) = self.day(zone, date) {
                sum += closes.min(to).since(opens.max(from));
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        sum
    }
}

fn day(word: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == word.trim_end_matches('.'))
}

/// «9», «09:00», «9.30».
fn time(word: &str) -> Option<Time> {
    let (hour, minute) = word.split_once([':', '.']).unwrap_or((word, "0"));
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        let civil: jiff::civil::DateTime = text.parse().expect("a date");
        Zone::named("Europe/Moscow").expect("bundled").moment(civil).expect("a moment")
    }

    #[test]
    fn working_time_passes_nights_and_days_off_over() {
        let zone = Zone::named("Europe/Moscow").expect("bundled");
        let hours = WorkingHours::read("пн–пт 09:00–18:00").expect("hours");
        let friday = moment("2026-11-27T17:50:00");
        let monday = moment("2026-11-30T09:05:00");
        assert_eq!(hours.worked(&zone, friday, monday), Duration::from_mins(15));
        assert!(!hours.open_at(&zone, moment("2026-11-28T12:00:00")));
        let opening = hours.next_opening(&zone, moment("2026-11-27T18:00:00"));
        assert_eq!(opening, Some(moment("2026-11-30T09:00:00")));
    }

    #[test]
    fn a_saturday_may_be_shorter() {
        let zone = Zone::named("Europe/Moscow").expect("bundled");
        let hours = WorkingHours::read("пн–пт 09:00–18:00, сб 10:00–15:00").expect("hours");
        assert!(hours.open_at(&zone, moment("2026-11-27T17:50:00")));
        assert!(hours.open_at(&zone, moment("2026-11-28T14:50:00")));
        assert!(!hours.open_at(&zone, moment("2026-11-28T15:10:00")));
        assert!(!hours.works_on(moment_date("2026-11-29")));
    }

    fn moment_date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        for text in
            ["09:00–18:00", "9-18", "пн-пт 9:00 - 18:00", "пн, ср 10.00–15.30", "Круглосуточно"]
        {
            assert!(WorkingHours::read(text).is_some(), "{text}");
        }
        for text in [
            "",
            "до 12",
            "18:00–09:00",
            "пн–пт",
            "09:00–13:00, 14:00–18:00",
            "пн–пт 9–18, сб",
            "9–18, сб 10–15",
            "абракадабра",
        ] {
            assert_eq!(WorkingHours::read(text), None, "{text}");
        }
    }
}
