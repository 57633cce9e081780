//! How fast a wire may be used, in memory: a restart forgets it, and the wire says when to wait.
//!
//! Source: «My bot is hitting limits» <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::domain::{ChatKey, Timestamp};

const CHAT_EVERY: Duration = Duration::from_secs(1);
const CHAT_BURST: u32 = 3;
const TOTAL: Window = Window::new(25, Duration::from_secs(1));
const GROUP: Window = Window::new(20, Duration::from_mins(1));
/// Above so many chats the idle ones are forgotten.
const MANY_CHATS: usize = 1_000;

/// The pace of all chats.
#[derive(Debug)]
pub(super) struct Pace {
    total: Window,
    chats: HashMap<ChatKey, ChatPace>,
}

/// What a request counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// A message sent or edited: counts in its chat and in the total.
    Message,
    /// Anything else: counts in the total.
    Request,
}

/// A chat that was told to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    /// For how long yet.
    pub left: Duration,
    /// Whether it is the wire that does not answer, rather than a limit.
    pub network: bool,
}

#[derive(Debug)]
struct ChatPace {
    /// When the bucket will be full again.
    full_at: Timestamp,
    group: Option<Window>,
    held: Option<Held>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    since: Timestamp,
    until: Timestamp,
    network: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { total: TOTAL, chats: HashMap::new() }
    }
}

impl Pace {
    /// How long the chat has to wait because it was told to; `None`: it has not.
    pub fn hold(&mut self, chat: &ChatKey, now: Timestamp) -> Option<Hold> {
        let pace = self.chats.get_mut(chat)?;
        let held = pace.held?;
        // A clock that was set back must not lengthen the wait.
        if held.until <= now || now < held.since {
            pace.held = None;
            return None;
        }
        Some(Hold { left: held.until.since(now), network: held.network })
    }

    /// Tells a chat to wait.
    pub fn put_off(&mut self, chat: &ChatKey, wait: Duration, network: bool, now: Timestamp) {
        let held = Held { since: now, until: now.plus(wait), network };
        self.chat(chat, now).held = Some(held);
    }

    /// How long a request has to wait; `None`: it may go.
    pub fn wait(&mut self, chat: &ChatKey, weight: Weight, now: Timestamp) -> Option<Duration> {
        let ChatKey::Telegram(_) = chat else { return None };
        let mut wait = self.total.wait(now);
        if weight == Weight::Message {
            wait = wait.max(self.chat(chat, now).wait(now));
        }
        (!wait.is_zero()).then_some(wait)
    }

    /// Counts a request that goes now, or says how long it has to wait.
    pub fn take(&mut self, chat: &ChatKey, weight: Weight, now: Timestamp) -> Option<Duration> {
        let wait = self.wait(chat, weight, now);
        if wait.is_none() && matches!(chat, ChatKey::Telegram(_)) {
            self.total.take(now);
            if weight == Weight::Message {
                self.chat(chat, now).take(now);
            }
        }
        wait
    }

    fn chat(&mut self, chat: &ChatKey, now: Timestamp) -> &mut ChatPace {
        if self.chats.len() >= MANY_CHATS && !self.chats.contains_key(chat) {
            self.chats.retain(|_, pace| !pace.is_idle(now));
        }
        self.chats.entry(chat.clone()).or_insert_with(|| {
            let group = matches!(chat, ChatKey::Telegram(id) if *id < 0);
            ChatPace { full_at: now, group: group.then_some(GROUP), held: None }
        })
    }
}

impl ChatPace {
    fn wait(&mut self, now: Timestamp) -> Duration {
        // It is never further ahead than a burst, unless the clock was set back.
        self.full_at = self.full_at.min(now.plus(CHAT_EVERY * CHAT_BURST));
        let ahead = self.full_at.since(now);
        let wait = ahead.saturating_sub(CHAT_EVERY * (CHAT_BURST - 1));
        self.group.as_mut().map_or(wait, |group| wait.max(group.wait(now)))
    }

    fn take(&mut self, now: Timestamp) {
        self.full_at = self.full_at.max(now).plus(CHAT_EVERY);
        if let Some(group) = &mut self.group {
            group.take(now);
        }
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        let group = self.group.as_ref().is_none_or(|group| group.is_idle(now));
        self.full_at <= now && group && self.held.is_none_or(|held| held.until <= now)
    }
}

/// At most so many within any span of this length.
#[derive(Debug, Clone)]
struct Window {
    at_most: usize,
    within: Duration,
    taken: VecDeque<Timestamp>,
}

impl Window {
    const fn new(at_most: usize, within: Duration) -> Self {
        Self { at_most, within, taken: VecDeque::new() }
    }

    fn wait(&mut self, now: Timestamp) -> Duration {
        // Nothing was taken after now, unless the clock was set back.
        for taken in self.taken.iter_mut().rev().take_while(|taken| **taken > now) {
            *taken = now;
        }
        if self.taken.len() < self.at_most {
            return Duration::ZERO;
        }
        self.taken.front().map_or(Duration::ZERO, |first| first.plus(self.within).since(now))
    }

    fn take(&mut self, now: Timestamp) {
        while self.taken.len() >= self.at_most {
            self.taken.pop_front();
        }
        self.taken.push_back(now);
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        self.taken.back().is_none_or(|last| last.plus(self.within) <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    /// Sends as fast as allowed for a minute; when each message went, in milliseconds.
    fn as_fast_as_allowed(chats: &[ChatKey]) -> Vec<(usize, i64)> {
        let mut pace = Pace::default();
        let mut sent = Vec::new();
        for now in (0..60_000).step_by(10) {
            for (n, chat) in chats.iter().enumerate() {
                while pace.take(chat, Weight::Message, at(now)).is_none() {
                    sent.push((n, now));
                }
            }
        }
        sent
    }

    fn most_within(times: &[i64], span: i64) -> usize {
        times
            .iter()
            .map(|from| times.iter().filter(|t| (0..span).contains(&(*t - from))).count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn one_chat_gets_a_burst_of_three_and_then_one_a_second() {
        let sent = as_fast_as_allowed(&[ChatKey::Telegram(1)]);
        let times: Vec<i64> = sent.iter().map(|(_, t)| *t).collect();
        assert_eq!(times[..6], [0, 0, 0, 1_000, 2_000, 3_000]);
        assert_eq!(times.len(), 62);
    }

    #[test]
    fn a_group_gets_twenty_a_minute() {
        let sent = as_fast_as_allowed(&[ChatKey::Telegram(-100)]);
        assert_eq!(sent.len(), 20);
    }

    #[test]
    fn all_chats_together_get_twenty_five_a_second() {
        let chats: Vec<ChatKey> = (1..=100).map(ChatKey::Telegram).collect();
        let times: Vec<i64> = as_fast_as_allowed(&chats).iter().map(|(_, t)| *t).collect();
        assert_eq!(most_within(&times, 1_000), 25);
        assert!(times.len() >= 25 * 59, "{} in a minute", times.len());
    }

    #[test]
    fn the_browser_chat_has_no_limit() {
        let mut pace = Pace::default();
        let chat = ChatKey::Web("anna".to_owned());
        for _ in 0..1_000 {
            assert_eq!(pace.take(&chat, Weight::Message, at(0)), None);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_a_day_does_not_stop_anything() {
        let mut pace = Pace::default();
        let chat = ChatKey::Telegram(-1);
        let day = 24 * 60 * 60 * 1_000;
        for _ in 0..3 {
            pace.take(&chat, Weight::Message, at(day));
        }
        pace.put_off(&chat, Duration::from_mins(5), true, at(day));
        assert_eq!(pace.hold(&chat, at(0)), None);
        let wait = pace.wait(&chat, Weight::Message, at(0)).unwrap_or_default();
        assert!(wait <= CHAT_EVERY, "waits {wait:?}");
        assert_eq!(pace.take(&chat, Weight::Message, at(1_000)), None);
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let mut pace = Pace::default();
        for id in 0..10_000 {
            pace.take(&ChatKey::Telegram(id + 1), Weight::Message, at(id * 5_000));
        }
        assert!(pace.chats.len() <= MANY_CHATS);
    }
}
