//! An update → [`Event`].

use teloxide::types::{
    CallbackQuery, Chat, ChatMemberKind, ChatMemberUpdated, InlineKeyboardButtonKind,
    MediaKind as Media, Message, MessageKind, Update, UpdateKind, User,
};

use crate::chat::{Event, EventKind, FileRef, MediaKind};
use crate::domain::{ChatKey, Timestamp};

/// The key under which an update is stored.
pub fn key(update_id: u32) -> String {
    format!("tg:{update_id}")
}

/// What a person did, or `None` when the update is none of the desk's business: a group other than
/// `managers_chat`, a channel, another bot, a service message.
pub fn event(update: &Update, managers_chat: Option<i64>) -> Option<Event> {
    let (chat, from, at, kind) = match &update.kind {
        UpdateKind::Message(message) => {
            let from = message.from.as_ref()?;
            (&message.chat, from, moment(message), of_message(message, from)?)
        }
        UpdateKind::EditedMessage(message) => {
            let from = message.from.as_ref()?;
            let text = message.text().or(message.caption())?.to_owned();
            let message_id = i64::from(message.id.0);
            (&message.chat, from, moment(message), EventKind::Edited { text, message_id })
        }
        UpdateKind::CallbackQuery(tap) => {
            // A tap has no time of its own: the message's may be long past.
            let message = tap.message.as_ref()?;
            (message.chat(), &tap.from, Timestamp::default(), of_tap(tap)?)
        }
        UpdateKind::MyChatMember(change) => {
            let at = Timestamp::from_millis(change.date.timestamp_millis());
            (&change.chat, &change.from, at, of_membership(change)?)
        }
        _ => return None,
    };
    let ours = chat.is_private() || managers_chat == Some(chat.id.0);
    if !ours || from.is_bot {
        return None;
    }
    Some(Event {
        key: key(update.id.0),
        chat: ChatKey::Telegram(chat.id.0),
        from: ChatKey::Telegram(i64::try_from(from.id.0).ok()?),
        from_name: from.full_name(),
        at,
        kind,
        quoted: quoted(update),
    })
}

/// The codes of the buttons under the message that is replied to.
fn quoted(update: &Update) -> Vec<String> {
    let UpdateKind::Message(message) = &update.kind else { return Vec::new() };
    let Some(keyboard) = message.reply_to_message().and_then(Message::reply_markup) else {
        return Vec::new();
    };
    let buttons = keyboard.inline_keyboard.iter().flatten();
    let codes = buttons.filter_map(|button| match &button.kind {
        InlineKeyboardButtonKind::CallbackData(code) => Some(code.clone()),
        _ => None,
    });
    codes.collect()
}

/// The new id of the group that the update tells of: it has become a supergroup.
///
/// Source: Bot API, `Message.migrate_to_chat_id` <https://core.telegram.org/bots/api#message>.
pub fn migration(update: &Update) -> Option<(ChatKey, ChatKey)> {
    let UpdateKind::Message(message) = &update.kind else { return None };
    let to = message.migrate_to_chat_id()?;
    Some((ChatKey::Telegram(message.chat.id.0), ChatKey::Telegram(to.0)))
}

/// The chat that an unreadable update speaks of, where that can be seen.
pub fn chat_of_raw(update: &serde_json::Value) -> Option<ChatKey> {
    let parts = update.as_object()?.values();
    let chats = parts.filter_map(|part| {
        let chat = part.pointer("/chat/id").or_else(|| part.pointer("/message/chat/id"));
        chat?.as_i64()
    });
    chats.map(ChatKey::Telegram).next()
}

fn moment(message: &Message) -> Timestamp {
    Timestamp::from_millis(message.date.timestamp_millis())
}

fn of_message(message: &Message, from: &User) -> Option<EventKind> {
    let message_id = i64::from(message.id.0);
    let reply_to = message.reply_to_message().map(|replied| i64::from(replied.id.0));
    let media = |media, caption: Option<&str>| EventKind::Media {
        media,
        caption: caption.unwrap_or_default().to_owned(),
        message_id,
        reply_to,
    };
    let common = match &message.kind {
        MessageKind::Common(common) => common,
        MessageKind::Dice(_) => return Some(media(MediaKind::Other, None)),
        // Content of a kind that this program does not know yet; in a group it may as well be news
        // of the group.
        MessageKind::Empty {} if message.chat.is_private() => {
            return Some(media(MediaKind::Other, None));
        }
        _ => return None,
    };
    Some(match &common.media_kind {
        Media::Text(text) => EventKind::Text { text: text.text.clone(), message_id, reply_to },
        Media::Contact(contact) => {
            let contact = &contact.contact;
            let own = contact.user_id == Some(from.id)
                && is_private_with(&message.chat, from)
                && common.forward_origin.is_none()
                && message.via_bot.is_none();
            let last_name = contact.last_name.iter().flat_map(|name| [" ", name.as_str()]);
            EventKind::Contact {
                phone: contact.phone_number.clone(),
                name: std::iter::once(contact.first_name.as_str()).chain(last_name).collect(),
                own,
                message_id,
            }
        }
        Media::Document(document) => {
            let file = &document.document;
            EventKind::File {
                file: FileRef {
                    id: file.file.id.0.clone(),
                    name: file.file_name.clone().unwrap_or_default(),
                    size: u64::from(file.file.size),
                },
                caption: document.caption.clone().unwrap_or_default(),
                message_id,
                reply_to,
            }
        }
        Media::Photo(_) => media(MediaKind::Photo, message.caption()),
        Media::Voice(_) | Media::Audio(_) | Media::VideoNote(_) => {
            media(MediaKind::Voice, message.caption())
        }
        Media::Video(_) | Media::Animation(_) => media(MediaKind::Video, message.caption()),
        Media::Migration(_) => return None,
        _ => media(MediaKind::Other, message.caption()),
    })
}

/// In private the chat's id is the person's.
fn is_private_with(chat: &Chat, from: &User) -> bool {
    chat.is_private() && u64::try_from(chat.id.0) == Ok(from.id.0)
}

fn of_tap(tap: &CallbackQuery) -> Option<EventKind> {
    Some(EventKind::Pressed {
        data: tap.data.clone()?,
        callback_id: tap.id.0.clone(),
        message_id: tap.message.as_ref().map(|m| i64::from(m.id().0)),
    })
}

/// In private the update is sent only when the person blocks the bot or lets it in again.
///
/// Source: Bot API, `Update.my_chat_member` <https://core.telegram.org/bots/api#update>.
fn of_membership(change: &ChatMemberUpdated) -> Option<EventKind> {
    if !change.chat.is_private() {
        return None;
    }
    let blocked =
        matches!(change.new_chat_member.kind, ChatMemberKind::Banned(_) | ChatMemberKind::Left);
    Some(EventKind::Blocked { blocked })
}
