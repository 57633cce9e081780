//! How a person is told: aloud, without sound, in the morning, or not at all.
//!
//! Quiet hours count in Telegram only: a page in the browser makes no sound. Who is on shift is
//! always told of new orders.

use jiff::civil::Time;
use rusqlite::Connection;

use super::Notice;
use crate::config::Config;
use crate::domain::{ChatKey, PersonId, Timestamp, WorkingHours, Zone};
use crate::storage::notification_settings::{self, SettingsRow};
use crate::storage::{StorageError, organizations, persons};

/// What news are about: each can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Statuses of the client's orders.
    Orders,
    /// Messages of managers.
    Messages,
    /// Who joins the organization.
    People,
    /// Questions of clients, for staff.
    Questions,
    /// What waits too long, for staff.
    Reminders,
    /// The morning's summary, for staff.
    Summary,
}

impl Group {
    /// What a client, or staff, can switch.
    pub fn of(staff: bool) -> &'static [Self] {
        if staff {
            &[Self::Questions, Self::Reminders, Self::Summary]
        } else {
            &[Self::Orders, Self::Messages, Self::People]
        }
    }

    /// The code, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Messages => "messages",
            Self::People => "people",
            Self::Questions => "questions",
            Self::Reminders => "reminders",
            Self::Summary => "summary",
        }
    }

    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Orders => "Статусы заявок",
            Self::Messages => "Сообщения менеджера",
            Self::People => "Сотрудники",
            Self::Questions => "Вопросы клиентов",
            Self::Reminders => "Напоминания",
            Self::Summary => "Утренняя сводка",
        }
    }
}

/// When news make no sound and what is not urgent waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quiet {
    /// Outside the hours of the organization; none for staff.
    #[default]
    Auto,
    /// Never.
    Off,
    /// From the first time of the day until the second.
    Between(Time, Time),
}

impl Quiet {
    fn read(text: &str) -> Self {
        if text == "off" {
            return Self::Off;
        }
        text.parse().unwrap_or_default()
    }

    fn as_stored(self) -> String {
        match self {
            Self::Auto => String::new(),
            Self::Off => "off".to_owned(),
            Self::Between(from, to) => format!("{}–{}", clock(from), clock(to)),
        }
    }

    /// «выключены», «с 21:00 до 08:00».
    pub fn label(self) -> String {
        match self {
            Self::Auto => "вне рабочих часов организации".to_owned(),
            Self::Off => "выключены".to_owned(),
            Self::Between(from, to) => format!("с\u{a0}{} до\u{a0}{}", clock(from), clock(to)),
        }
    }
}

impl std::str::FromStr for Quiet {
    type Err = ();

    /// Reads «21:00–08:00» and «21-8».
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.replace(['-', '—', '−'], "–");
        let (from, to) = text.split_once('–').ok_or(())?;
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once([':', '.']).unwrap_or((text.trim(), "0"));
            Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
        };
        match (time(from), time(to)) {
            (Some(from), Some(to)) if from != to => Ok(Self::Between(from, to)),
            _ => Err(()),
        }
    }
}

fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// What a person wants to be told of, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// Groups that are off.
    pub muted: Vec<Group>,
    /// The quiet hours.
    pub quiet: Quiet,
}

impl Wishes {
    /// From the stored row; codes of another version are passed over.
    pub fn from_row(row: &SettingsRow) -> Self {
        let all = Group::of(true).iter().chain(Group::of(false)).copied();
        let muted = all.filter(|group| row.muted.split(',').any(|code| code == group.as_str()));
        Self { muted: muted.collect(), quiet: Quiet::read(&row.quiet) }
    }

    /// The row to store.
    pub fn to_row(&self) -> SettingsRow {
        let codes: Vec<&str> = self.muted.iter().map(|group| group.as_str()).collect();
        SettingsRow { muted: codes.join(","), quiet: self.quiet.as_stored() }
    }

    /// Whether this group is told.
    pub fn wants(&self, group: Group) -> bool {
        !self.muted.contains(&group)
    }
}

/// How a piece of news is told in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// As it is.
    Aloud,
    /// Without sound.
    Silent,
    /// The person does not want it: this is done instead, if anything.
    Unwanted(Option<Notice>),
    /// It waits for the digest of this moment; the card is refreshed meanwhile.
    Hold {
        /// Whose digest.
        person: PersonId,
        /// When it is due.
        due: Timestamp,
        /// What is done in silence at once.
        meanwhile: Option<Notice>,
    },
}

/// How this chat is to be told.
pub fn manner(
    conn: &Connection,
    config: &Config,
    zone: &Zone,
    chat: &ChatKey,
    notice: &Notice,
    now: Timestamp,
) -> Result<Manner, StorageError> {
    let Some(person) = persons::find_by_chat(conn, chat)? else { return Ok(Manner::Aloud) };
    let staff = persons::role(conn, &config.access, &person)?.is_staff();
    let Some(group) = group(notice, staff) else { return Ok(Manner::Aloud) };
    let wishes = Wishes::from_row(&notification_settings::find(conn, person.id)?);
    let card = match notice {
        Notice::OrderStatus { order, .. } => Some(Notice::BuyerOrder { order: *order }),
        _ => None,
    };
    // What was changed in an order is a manager's message too.
    let changed = matches!(notice, Notice::OrderStatus { told: Some(_), .. });
    if !(wishes.wants(group) || changed && wishes.wants(Group::Messages)) {
        return Ok(Manner::Unwanted(card));
    }
    if !matches!(chat, ChatKey::Telegram(_)) {
        return Ok(Manner::Aloud);
    }
    let until = match wishes.quiet {
        Quiet::Off => None,
        Quiet::Auto if staff => None,
        Quiet::Auto => {
            let organization =
                person.current_organization.map(|id| organizations::find(conn, id)).transpose()?;
            let organization = match organization.flatten() {
                Some(row) => Some(row),
                None => only_organization(conn, person.id)?,
            };
            let hours = organization.and_then(|row| WorkingHours::read(&row.hours));
            hours.filter(|hours| !hours.open_at(zone, now)).and_then(|h| h.next_opening(zone, now))
        }
        Quiet::Between(from, to) => quiet_until(zone, from, to, now),
    };
    Ok(match until {
        None => Manner::Aloud,
        Some(_) if urgent(notice) => Manner::Silent,
        Some(due) => Manner::Hold { person: person.id, due, meanwhile: card },
    })
}

fn only_organization(
    conn: &Connection,
    person: PersonId,
) -> Result<Option<organizations::OrganizationRow>, StorageError> {
    let all = crate::storage::members::of_person(conn, person)?;
    match all.as_slice() {
        [only] => organizations::find(conn, only.organization),
        _ => Ok(None),
    }
}

/// The end of the quiet hours that `now` is in; `None` when it is in none.
fn quiet_until(zone: &Zone, from: Time, to: Time, now: Timestamp) -> Option<Timestamp> {
    let civil = zone.civil(now);
    let time = civil.time();
    let quiet = if from < to { from <= time && time < to } else { time >= from || time < to };
    let date = if time < to { civil.date() } else { civil.date().tomorrow().ok()? };
    quiet.then(|| zone.moment(date.to_datetime(to))).flatten()
}

/// What the news are about; `None`: they are always told.
fn group(notice: &Notice, staff: bool) -> Option<Group> {
    Some(match notice {
        Notice::OrderStatus { .. } | Notice::PlacedForClient { .. } => Group::Orders,
        Notice::OrderMessage { .. } | Notice::ThreadMessage { .. } if staff => Group::Questions,
        Notice::OrderMessage { .. } | Notice::ThreadMessage { .. } | Notice::Proposal { .. } => {
            Group::Messages
        }
        Notice::MemberJoined { .. } => Group::People,
        Notice::OrderWaits { .. } | Notice::ThreadWaits { .. } => Group::Reminders,
        Notice::MorningSummary => Group::Summary,
        _ => return None,
    })
}

/// Whether it cannot wait for the morning.
fn urgent(notice: &Notice) -> bool {
    matches!(
        notice,
        Notice::OrderMessage { .. }
            | Notice::ThreadMessage { .. }
            | Notice::Proposal { .. }
            | Notice::OrderStatus { told: Some(_), .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_go_over_midnight() {
        let zone = Zone::named("Europe/Moscow").expect("bundled");
        let at = |text: &str| zone.moment(text.parse().expect("a date")).expect("a moment");
        let Ok(Quiet::Between(from, to)) = "21:00–08:00".parse() else { panic!("not read") };
        let late = quiet_until(&zone, from, to, at("2026-11-24T22:00:00"));
        assert_eq!(late, Some(at("2026-11-25T08:00:00")));
        let early = quiet_until(&zone, from, to, at("2026-11-25T07:59:00"));
        assert_eq!(early, Some(at("2026-11-25T08:00:00")));
        assert_eq!(quiet_until(&zone, from, to, at("2026-11-25T08:00:00")), None);
    }

    #[test]
    fn wishes_are_read_back() {
        let wishes = Wishes {
            muted: vec![Group::Summary, Group::Orders],
            quiet: "9-18".parse().expect("quiet hours"),
        };
        assert_eq!(Wishes::from_row(&wishes.to_row()), wishes);
    }
}
