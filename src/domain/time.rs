//! Moments, the one source of them, and dates as people write them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The moment `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The moment `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Where the time comes from. There is one way to learn it, and tests move it by hand.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance`].
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.0))))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
            Source::System => Timestamp(jiff::Timestamp::now().as_millisecond()),
            Source::Manual(millis) => Timestamp(millis.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward; the machine's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(millis) = &self.0 {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            millis.fetch_add(by, Ordering::SeqCst);
        }
    }
}

/// The company's time zone: how moments are shown and how a time without a zone is read.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

const WEEKDAYS: [&str; 7] = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];

impl Zone {
    /// The zone with this IANA name, such as `Europe/Moscow`; `None` when there is none.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The moment on this zone's wall clock.
    pub fn civil(&self, at: Timestamp) -> jiff::civil::DateTime {
        instant(at).to_zoned_datetime(self.0.clone()).datetime()
    }

    /// The moment at which this zone's wall clock shows `civil`; the earlier of two.
    pub fn moment(&self, civil: jiff::civil::DateTime) -> Option<Timestamp> {
        let zoned = self.0.to_ambiguous_zoned_datetime(civil).compatible().ok()?;
        Some(Timestamp(zoned.timestamp().as_millisecond()))
    }

    /// «14:05».
    pub fn time(&self, at: Timestamp) -> String {
        let civil = self.civil(at);
        format!("{:02}:{:02}", civil.hour(), civil.minute())
    }

    /// «24.11», with the year when it is not that of `now`: «24.11.2025».
    pub fn date(&self, at: Timestamp, now: Timestamp) -> String {
        short_date(self.civil(at).date(), self.civil(now).date())
    }

    /// «24.11, 14:05», or «14:05» on the day of `now`.
    pub fn date_time(&self, at: Timestamp, now: Timestamp) -> String {
        if self.civil(at).date() == self.civil(now).date() {
            return self.time(at);
        }
        format!("{}, {}", self.date(at, now), self.time(at))
    }

    /// RFC 3339 with this zone's offset, to the second: `2026-11-24T14:05:00+03:00`.
    pub fn rfc3339(&self, at: Timestamp) -> String {
        let zoned = instant(at).to_zoned_datetime(self.0.clone());
        zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// «вт 24.11», with the year when it is not that of `today`.
pub fn weekday_date(date: jiff::civil::Date, today: jiff::civil::Date) -> String {
    let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
    format!("{}\u{a0}{}", WEEKDAYS[weekday % 7], short_date(date, today))
}

fn short_date(date: jiff::civil::Date, today: jiff::civil::Date) -> String {
    if date.year() == today.year() {
        return format!("{:02}.{:02}", date.day(), date.month());
    }
    format!("{:02}.{:02}.{}", date.day(), date.month(), date.year())
}

/// How long ago, in a sentence: «только что», «5 мин назад».
pub fn ago_in_sentence(duration: Duration) -> String {
    let words = ago(duration);
    if duration.as_secs() < 60 { words } else { format!("{words} назад") }
}

/// How long ago, in words: «только что», «5 мин», «3 ч», «2 дн».
pub fn ago(duration: Duration) -> String {
    match duration.as_secs() / 60 {
        0 => "только что".to_owned(),
        minutes @ 1..60 => format!("{minutes}\u{a0}мин"),
        minutes @ 60..1440 => format!("{}\u{a0}ч", minutes / 60),
        minutes => format!("{}\u{a0}дн", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_shown_in_the_company_zone() {
        let zone = Zone::named("Europe/Moscow").expect("the zone is bundled");
        let at = Timestamp::from_millis(1_795_532_400_000); // 2026-11-24T15:00:00Z
        assert_eq!(zone.date_time(at, at), "18:00");
        let next_year = at.plus(Duration::from_hours(24 * 60));
        assert_eq!(zone.date_time(at, next_year), "24.11.2026, 18:00");
        assert_eq!(zone.rfc3339(at), "2026-11-24T18:00:00+03:00");
        let today = zone.civil(at).date();
        assert_eq!(weekday_date(today, today), "вт\u{a0}24.11");
    }

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual(Timestamp::from_millis(5));
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now(), Timestamp::from_millis(2_005));
    }
}
