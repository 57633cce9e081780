//! What is to be said → requests to the Bot API.

use std::io;
use std::sync::Arc;

use reqwest::Url;
use teloxide::payloads::{
    AnswerCallbackQuerySetters, EditMessageTextSetters, SendDocumentSetters, SendMessageSetters,
    SetMyCommandsSetters,
};
use teloxide::requests::Requester;
use teloxide::types::ButtonRequest;
use teloxide::types::{
    BotCommand, BotCommandScope, CallbackQueryId, ChatAction, ChatId, CopyTextButton,
    InlineKeyboardButton, InlineKeyboardButtonKind, InlineKeyboardMarkup, InputFile,
    KeyboardButton, KeyboardMarkup, KeyboardRemove, LinkPreviewOptions, MessageId, ParseMode,
    Recipient, ReplyMarkup,
};
use teloxide::{ApiError, Bot, RequestError};
use tracing::{error, warn};

use super::describe;
use crate::chat::action::CALLBACK_DATA_MAX_BYTES;
use crate::domain::ChatKey;
use crate::formats::html::Html;
use crate::services::files::Files;
use crate::services::notifications::{
    ButtonTarget, Delivered, DeliveryError, InlineButton, Message, Messenger, Outgoing,
    ReplyKeyboard, Sending,
};
use crate::storage::files::FileRow;

/// A text: 1–4096 UTF-16 units after the marks are parsed.
/// Source: Bot API, `sendMessage` <https://core.telegram.org/bots/api#sendmessage>.
const TEXT_MAX_UNITS: usize = 4096;
/// A caption: at most 1024 UTF-16 units; ours are far shorter.
/// Source: Bot API, `sendDocument` <https://core.telegram.org/bots/api#senddocument>.
const CAPTION_MAX_CHARS: usize = 500;
/// A toast: at most 200 characters.
/// Source: Bot API, `answerCallbackQuery` <https://core.telegram.org/bots/api#answercallbackquery>.
const TOAST_MAX_CHARS: usize = 200;
/// More inline buttons are refused; the limit is not in the documents but in the server's answer
/// (`REPLY_MARKUP_TOO_LONG`).
const BUTTONS_MAX: usize = 100;
/// Source: Bot API, `CopyTextButton` <https://core.telegram.org/bots/api#copytextbutton>.
const COPY_MAX_CHARS: usize = 256;
/// Source: Bot API, `ReplyKeyboardMarkup` <https://core.telegram.org/bots/api#replykeyboardmarkup>.
const PLACEHOLDER_MAX_CHARS: usize = 64;

/// Telegram's way out, for the courier.
pub struct TelegramMessenger {
    bot: Bot,
    files: Files,
}

impl TelegramMessenger {
    /// A way out through this bot, for messages and for files that are kept here.
    pub fn new(bot: Bot, files: Files) -> Self {
        Self { bot, files }
    }

    /// A kept file; one that is gone by now says so in its place.
    async fn send_file(&self, chat: ChatId, file: Option<FileRow>) -> Result<(), RequestError> {
        let Some(FileRow { name, content, .. }) = file else {
            return self.bot.send_message(chat, "Файла больше нет.").await.map(|_| ());
        };
        let file = InputFile::memory(content).file_name(name);
        self.bot.send_document(chat, file).await.map(|_| ())
    }

    async fn send(&self, chat: ChatId, message: &Message) -> Result<MessageId, RequestError> {
        let (text, mode) = fit(&message.html);
        match self.send_text(chat, message, text, mode).await {
            Err(RequestError::Api(ApiError::CantParseEntities(why))) => {
                error!("разметка сообщения не читается, отправлено без неё: {why}");
                self.send_text(chat, message, clip(&message.html.plain()), None).await
            }
            sent => sent,
        }
    }

    async fn send_text(
        &self,
        chat: ChatId,
        message: &Message,
        text: String,
        mode: Option<ParseMode>,
    ) -> Result<MessageId, RequestError> {
        let mut request = self
            .bot
            .send_message(chat, text)
            .link_preview_options(no_preview())
            .disable_notification(message.silent);
        request.parse_mode = mode;
        request.reply_markup = markup(message);
        Ok(request.await?.id)
    }

    async fn edit(
        &self,
        chat: ChatId,
        id: MessageId,
        message: &Message,
    ) -> Result<(), RequestError> {
        let (text, mode) = fit(&message.html);
        match self.edit_text(chat, id, message, text, mode).await {
            Err(RequestError::Api(ApiError::CantParseEntities(why))) => {
                error!("разметка сообщения не читается, показано без неё: {why}");
                self.edit_text(chat, id, message, clip(&message.html.plain()), None).await
            }
            edited => edited,
        }
    }

    async fn edit_text(
        &self,
        chat: ChatId,
        id: MessageId,
        message: &Message,
        text: String,
        mode: Option<ParseMode>,
    ) -> Result<(), RequestError> {
        let mut request =
            self.bot.edit_message_text(chat, id, text).link_preview_options(no_preview());
        request.parse_mode = mode;
        request.reply_markup = inline(&message.buttons);
        request.await.map(|_| ())
    }

    async fn act(
        &self,
        chat: ChatId,
        outgoing: &Outgoing,
        message_id: Option<MessageId>,
    ) -> Result<Option<MessageId>, RequestError> {
        match outgoing {
            Outgoing::Show { message, .. } => {
                let Some(id) = message_id else { return self.send(chat, message).await.map(Some) };
                match self.edit(chat, id, message).await {
                    Ok(()) | Err(RequestError::Api(ApiError::MessageNotModified)) => Ok(Some(id)),
                    Err(error) => Err(error),
                }
            }
            Outgoing::Remove { .. } => {
                if let Some(id) = message_id {
                    self.remove_card(chat, id).await?;
                }
                Ok(None)
            }
            Outgoing::Copy { from: ChatKey::Telegram(from), message_id } => {
                let id = to_message_id(*message_id);
                self.bot.copy_message(chat, ChatId(*from), id).await.map(|_| None)
            }
            Outgoing::Document { name, content, caption } => {
                let file = InputFile::memory(content.clone().into_bytes()).file_name(name.clone());
                let caption: String = caption.chars().take(CAPTION_MAX_CHARS).collect();
                self.bot.send_document(chat, file).caption(caption).await.map(|_| None)
            }
            Outgoing::File { from, file } => {
                let found = self.files.find(from, *file).await;
                let found =
                    found.map_err(|error| RequestError::Io(Arc::new(io::Error::other(error))))?;
                self.send_file(chat, found).await.map(|()| None)
            }
            Outgoing::RemoveMessage { message_id } => {
                let id = to_message_id(*message_id);
                self.bot.delete_message(chat, id).await.map(|_| None)
            }
            Outgoing::Answer { callback_id, text, alert } => {
                let id = CallbackQueryId(callback_id.clone());
                let mut request = self.bot.answer_callback_query(id).show_alert(*alert);
                request.text = text.as_ref().map(|t| t.chars().take(TOAST_MAX_CHARS).collect());
                match request.await {
                    Ok(_) | Err(RequestError::Api(ApiError::InvalidQueryId)) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Outgoing::Typing => {
                self.bot.send_chat_action(chat, ChatAction::Typing).await.map(|_| None)
            }
            Outgoing::Commands { commands } => {
                let commands = commands.iter().map(|(name, what)| BotCommand::new(name, what));
                let scope = BotCommandScope::Chat { chat_id: Recipient::Id(chat) };
                self.bot.set_my_commands(commands).scope(scope).await.map(|_| None)
            }
            // What another wire holds cannot be shown here; the words before it say so.
            Outgoing::Copy { from: ChatKey::Web(_), .. } | Outgoing::Notice(_) => Ok(None),
        }
    }

    /// A card that may not be deleted any more at least loses its buttons.
    async fn remove_card(&self, chat: ChatId, id: MessageId) -> Result<(), RequestError> {
        match self.bot.delete_message(chat, id).await {
            Ok(_) | Err(RequestError::Api(ApiError::MessageToDeleteNotFound)) => Ok(()),
            Err(RequestError::Api(error)) if is_undeletable(&error) => {
                match self.bot.edit_message_reply_markup(chat, id).await {
                    Ok(_) | Err(RequestError::Api(ApiError::MessageNotModified)) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }
}

impl Messenger for TelegramMessenger {
    fn deliver<'a>(
        &'a self,
        chat: &'a ChatKey,
        outgoing: &'a Outgoing,
        message_id: Option<i64>,
    ) -> Sending<'a, Result<Delivered, DeliveryError>> {
        Box::pin(async move {
            let ChatKey::Telegram(id) = chat else {
                return Err(DeliveryError::Refused("это не чат Telegram".to_owned()));
            };
            let done = self.act(ChatId(*id), outgoing, message_id.map(to_message_id)).await;
            let message_id = done.map_err(|error| classify(&error))?;
            Ok(Delivered { message_id: message_id.map(|id| i64::from(id.0)) })
        })
    }
}

/// What an error of the Bot API means for the courier.
///
/// Source: Bot API, making requests <https://core.telegram.org/bots/api#making-requests>; the
/// texts are those of the server, <https://github.com/tdlib/telegram-bot-api>.
pub fn classify(error: &RequestError) -> DeliveryError {
    let why = describe(error);
    match error {
        RequestError::RetryAfter(wait) => DeliveryError::Wait(wait.duration()),
        RequestError::MigrateToChatId(to) => DeliveryError::Moved(ChatKey::Telegram(to.0)),
        RequestError::Network(_) | RequestError::InvalidJson { .. } | RequestError::Io(_) => {
            DeliveryError::Temporary(why)
        }
        RequestError::Api(error) => match error {
            ApiError::BotBlocked
            | ApiError::UserDeactivated
            | ApiError::ChatNotFound
            | ApiError::GroupDeactivated
            | ApiError::BotKicked
            | ApiError::BotKickedFromSupergroup
            | ApiError::BotKickedFromChannel
            | ApiError::CantInitiateConversation
            | ApiError::CantTalkWithBots => DeliveryError::Unreachable(why),
            ApiError::MessageToEditNotFound
            | ApiError::MessageCantBeEdited
            | ApiError::MessageToDeleteNotFound
            | ApiError::MessageIdInvalid => DeliveryError::MessageGone,
            // The token is wrong: the messages are not to blame and wait for a right one.
            ApiError::InvalidToken => DeliveryError::Temporary(why),
            ApiError::Unknown(text) => classify_text(text, why),
            _ => DeliveryError::Refused(why),
        },
    }
}

/// The server's texts begin with the name of the HTTP status.
fn classify_text(text: &str, why: String) -> DeliveryError {
    let lower = text.to_lowercase();
    let starts = |with: &[&str]| with.iter().any(|with| lower.starts_with(with));
    if starts(&["forbidden: not enough rights", "forbidden: message"]) {
        DeliveryError::Refused(why)
    } else if starts(&["forbidden"]) || lower.contains("peer_id_invalid") {
        DeliveryError::Unreachable(why)
    } else if starts(&["bad request", "request entity too large", "conflict"]) {
        DeliveryError::Refused(why)
    } else {
        // «Bad Gateway», «Internal Server Error», «Too Many Requests» without a time, the unknown.
        DeliveryError::Temporary(why)
    }
}

/// A message older than 48 hours; the server says «… for everyone» as well.
fn is_undeletable(error: &ApiError) -> bool {
    match error {
        ApiError::MessageCantBeDeleted => true,
        ApiError::Unknown(text) => text.starts_with("Bad Request: message can't be deleted"),
        _ => false,
    }
}

fn to_message_id(id: i64) -> MessageId {
    MessageId(i32::try_from(id).unwrap_or(0))
}

fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

/// The text as it can be sent. Screens keep the limit themselves; this is the net below them.
fn fit(html: &Html) -> (String, Option<ParseMode>) {
    let units = html.utf16_len();
    if units <= TEXT_MAX_UNITS {
        return (html.as_str().to_owned(), Some(ParseMode::Html));
    }
    error!("сообщение длиной {units} обрезано до {TEXT_MAX_UNITS}");
    (clip(&html.plain()), None)
}

fn clip(text: &str) -> String {
    if text.encode_utf16().count() <= TEXT_MAX_UNITS {
        return text.to_owned();
    }
    let mut units = 0;
    let mut clipped: String = text
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units < TEXT_MAX_UNITS
        })
        .collect();
    clipped.push('…');
    clipped
}

fn markup(message: &Message) -> Option<ReplyMarkup> {
    if let Some(inline) = inline(&message.buttons) {
        return Some(ReplyMarkup::InlineKeyboard(inline));
    }
    message.keyboard.as_ref().map(keyboard)
}

fn inline(rows: &[Vec<InlineButton>]) -> Option<InlineKeyboardMarkup> {
    let mut left = BUTTONS_MAX;
    let rows = rows.iter().map(|row| {
        let row: Vec<_> = row.iter().filter_map(button).take(left).collect();
        left -= row.len();
        row
    });
    let rows: Vec<_> = rows.filter(|row| !row.is_empty()).collect();
    (!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows))
}

/// A button that Telegram would refuse is left out: the message is worth more than it.
fn button(button: &InlineButton) -> Option<InlineKeyboardButton> {
    let kind = match &button.target {
        ButtonTarget::Press(data) if (1..=CALLBACK_DATA_MAX_BYTES).contains(&data.len()) => {
            InlineKeyboardButtonKind::CallbackData(data.clone())
        }
        ButtonTarget::Copy(text) if (1..=COPY_MAX_CHARS).contains(&text.chars().count()) => {
            InlineKeyboardButtonKind::CopyText(CopyTextButton { text: text.clone() })
        }
        ButtonTarget::Link(url) => InlineKeyboardButtonKind::Url(
            Url::parse(url).inspect_err(|_| warn!("кнопка пропущена: её ссылка не адрес")).ok()?,
        ),
        ButtonTarget::Press(data) => {
            error!("кнопка пропущена: её данные {} байт", data.len());
            return None;
        }
        ButtonTarget::Copy(_) => {
            warn!("кнопка пропущена: текст для копирования пуст или слишком длинный");
            return None;
        }
    };
    Some(InlineKeyboardButton::new(&button.label, kind))
}

fn keyboard(keyboard: &ReplyKeyboard) -> ReplyMarkup {
    if keyboard.rows.is_empty() {
        return ReplyMarkup::KeyboardRemove(KeyboardRemove::new());
    }
    let rows = keyboard.rows.iter().map(|row| {
        let keys = row.iter().map(|key| {
            let button = KeyboardButton::new(&key.label);
            if key.contact { button.request(ButtonRequest::Contact) } else { button }
        });
        keys.collect::<Vec<_>>()
    });
    let placeholder: String = keyboard.placeholder.chars().take(PLACEHOLDER_MAX_CHARS).collect();
    ReplyMarkup::Keyboard(
        KeyboardMarkup::new(rows)
            .persistent()
            .resize_keyboard()
            .input_field_placeholder(placeholder),
    )
}
