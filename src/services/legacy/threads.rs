//! Questions and their answers.

use super::orders::Orders;
use super::people::{Organizations, People};
use super::{Tally, Work};
use crate::domain::{MemberState, OrganizationId, PersonId, ThreadId, Timestamp, ru};
use crate::services::legacy::dump::{Message, Thread};
use crate::storage::legacy::{self as ids, Kind};
use crate::storage::members::{self, MembershipRow};
use crate::storage::threads::{self, NewMessage, NewThread};
use crate::storage::{StorageError, orders};

/// The longest subject, in characters.
const SUBJECT: usize = 60;

impl Work<'_> {
    pub(super) fn threads(
        &mut self,
        people: &People,
        organizations: &Organizations,
        orders: &Orders,
    ) -> Result<(), StorageError> {
        let dump = self.dump;
        let mut tally = Tally { found: dump.found("threads"), ..Tally::default() };
        tally.skipped = dump.unread("threads");
        let mut messages = Tally { found: dump.found("messages"), ..Tally::default() };
        messages.skipped = dump.unread("messages");
        let mut read = 0;
        for row in &dump.threads {
            let of_thread = dump.messages.get(&row.id).map_or(&[][..], Vec::as_slice);
            read += of_thread.len();
            let known = ids::find(self.tx, Kind::Thread, row.id)?;
            let id = if let Some(id) = known {
                tally.already += 1;
                ThreadId(id)
            } else {
                tally.moved += 1;
                let id = self.thread(row, of_thread, people, organizations, orders)?;
                ids::set(self.tx, Kind::Thread, row.id, id.0)?;
                id
            };
            for message in of_thread {
                if self.message(id, message, people)? {
                    messages.moved += 1;
                } else {
                    messages.already += 1;
                }
            }
            if let Some(closed_at) = row.closed_at.filter(|_| known.is_none()) {
                ids::settle_thread(self.tx, id, closed_at)?;
            }
        }
        let orphans = dump.messages.values().map(Vec::len).sum::<usize>() - read;
        if orphans > 0 {
            messages.skipped += orphans;
            let why = format!("сообщений без вопроса: {orphans}; пропущены");
            self.report.problem(0, "messages", why);
        }
        (self.report.threads, self.report.messages) = (tally, messages);
        Ok(())
    }

    fn thread(
        &mut self,
        row: &Thread,
        messages: &[Message],
        people: &People,
        organizations: &Organizations,
        moved: &Orders,
    ) -> Result<ThreadId, StorageError> {
        // Staff answer; who asks is the first of the others.
        let asks =
            |message: &&Message| message.author.is_some_and(|id| !people.staff.contains(&id));
        let first = messages.iter().find(asks).or(messages.first());
        let author = first.and_then(|message| people.get(message.author));
        let order = row.title.split_once('#').and_then(|(_, number)| {
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            moved.get(digits.parse().ok()?)
        });
        let mut organization = organizations.get(row.organization);
        if let (None, Some(author)) = (organization, author) {
            organization = self.own_organization(author)?;
        }
        // Staff act for nobody: what they ask about an order is its buyer's.
        if let (None, Some(order)) = (organization, order) {
            organization = orders::find(self.tx, order)?.map(|order| order.organization);
        }
        let topic = if order.is_some() { "order" } else { row.title.as_str() };
        let subject = match first {
            Some(message) if !message.text.is_empty() => {
                ru::ellipsis(message.text.lines().next().unwrap_or_default(), SUBJECT)
            }
            _ => row.title.clone(),
        };
        let author = match author {
            Some(author) => author,
            None => self.nobody()?,
        };
        let new = NewThread { organization, author, order, topic, subject: &subject };
        threads::insert(self.tx, &new, self.moment_of_thread(row, messages))
    }

    /// The organization that the author acts for.
    fn own_organization(&self, author: PersonId) -> Result<Option<OrganizationId>, StorageError> {
        let memberships = members::of_person(self.tx, author)?;
        let active = |m: &&MembershipRow| m.state == MemberState::Active;
        Ok(memberships.iter().find(active).map(|membership| membership.organization))
    }

    fn moment_of_thread(&self, row: &Thread, messages: &[Message]) -> Timestamp {
        let first = messages.first().and_then(|message| message.at);
        row.created_at.or(first).unwrap_or(self.now)
    }

    /// Stores a message; whether it is new.
    fn message(
        &mut self,
        thread: ThreadId,
        row: &Message,
        people: &People,
    ) -> Result<bool, StorageError> {
        let key = format!("legacy:{}", row.id);
        if threads::find_by_event(self.tx, &key)?.is_some() {
            return Ok(false);
        }
        let author = people.get(row.author);
        let text = match author {
            Some(_) => row.text.clone(),
            None => format!("{}: {}", row.author_name, row.text),
        };
        let person = match author {
            Some(author) => author,
            None => self.nobody()?,
        };
        let new = NewMessage {
            thread,
            person,
            from_staff: row.author.is_some_and(|id| people.staff.contains(&id)),
            note: false,
            text: &text,
            event_key: Some(&key),
        };
        threads::insert_message(self.tx, &new, row.at.unwrap_or(self.now))?;
        Ok(true)
    }
}
