//! Files: a table is an order, anything else goes to a manager.

use tokio::sync::Semaphore;

use super::{Core, PANE, Refused, Talk};
use crate::chat::dialogue::{AccountForm, Form, Handed, TableForm};
use crate::chat::screens::{files, menu, questions};
use crate::chat::worker::ChatError;
use crate::chat::{Action, FileRef, MediaKind, Screen};
use crate::domain::{Delivery, OrderId, ThreadId, ru};
use crate::formats::order_table::{self, Layout, MAX_LINES, OrderTableError, Sheet};
use crate::formats::sheet;
use crate::services::files::{FetchError, MAX_BYTES, label};
use crate::services::notifications::Outgoing;
use crate::services::ordering::OrderError;
use crate::services::questions::{Attachment, QuestionError, Said, Topic, Writer};

/// A table to fill in.
const EXAMPLE: &str = "\u{feff}Товар;Количество;Ед.\r\nСаморез 4х25 жёлтый;4000;шт\r\n\
    Спанбонд 70 белый;2;рул\r\nНитки 70ЛЛ чёрные;10;шт\r\n";

impl Core {
    /// A file came.
    pub(super) async fn file(
        &self,
        talk: &mut Talk<'_>,
        file: &FileRef,
        caption: &str,
        reply_to: Option<i64>,
    ) -> Result<(), ChatError> {
        let name = label(&file.name);
        let kept = match talk.chat {
            crate::domain::ChatKey::Web(_) => file.id.parse().ok(),
            crate::domain::ChatKey::Telegram(_) => None,
        };
        let what = format!("Файл «{name}»");
        let handed =
            Handed { message_id: talk.message_id, what, caption: caption.to_owned(), file: kept };
        if self.to_conversation(talk, &handed, reply_to).await? {
            return Ok(());
        }
        if talk.who.is_staff() || !order_table::is_table(&file.name) {
            return self.unreadable(talk, handed).await;
        }
        let fetched = if file.size > MAX_BYTES {
            Err(FetchError::TooLarge)
        } else {
            self.files.fetch(talk.chat, &file.id).await
        };
        let content = match fetched {
            Ok(content) => content,
            Err(error) => {
                tracing::warn!("файл не получен: {error}");
                let why = match error {
                    FetchError::TooLarge => "Файл больше 20\u{a0}МБ.",
                    FetchError::Gone(_) | FetchError::Temporary(_) => "Не получилось скачать файл.",
                };
                Self::refuse_file(talk, handed, why);
                return Ok(());
            }
        };
        let (kind, bytes) = (name.clone(), content.clone());
        let sheets = match read(kind, bytes).await {
            Ok(sheets) => sheets,
            Err(error) => {
                Self::refuse_file(talk, handed, &error.to_string());
                return Ok(());
            }
        };
        let id = self.files.keep(talk.chat, talk.key, &name, content).await?;
        talk.state.handed = Some(handed);
        let done = self.table(talk, id, &name, &sheets, caption).await;
        self.explained(talk, done).await
    }

    /// A table came: is it read rightly? One that is known or plain is read at once.
    async fn table(
        &self,
        talk: &mut Talk<'_>,
        id: i64,
        name: &str,
        sheets: &[Sheet],
        caption: &str,
    ) -> Result<(), Refused> {
        if self.ordering.orders_or_asks(&talk.party(), caption).await? {
            self.listen(talk, caption).await?;
            // What is in the lines is no comment any more.
            if let Some(handed) = &mut talk.state.handed {
                handed.caption.clear();
            }
        }
        let remembered = match talk.party().organization {
            Some(organization) => self.files.layout(organization).await?,
            None => None,
        };
        let known = remembered.and_then(|layout| {
            let sheet = sheets.iter().position(|sheet| layout.fits(&sheet.table))?;
            Some((sheet, layout))
        });
        let plain = sheets.len() == 1 && sheets[0].table.rows.iter().all(|row| row.len() <= 1);
        let (sheet, layout, sure) = match known {
            Some((sheet, layout)) => (sheet, layout, true),
            None => (0, Layout::guess(&sheets[0].table), plain),
        };
        talk.state.table = Some(TableForm { file: id, sheet, layout: layout.clone() });
        let too_long = layout.lines(&sheets[sheet].table).len() > MAX_LINES;
        if sure || too_long && sheets.len() == 1 {
            return self.read_table(talk, name, &sheets[sheet], &layout).await;
        }
        let screen = files::guess(id, name, sheets, &sheets[sheet], &layout);
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    async fn read_table(
        &self,
        talk: &mut Talk<'_>,
        name: &str,
        sheet: &Sheet,
        layout: &Layout,
    ) -> Result<(), Refused> {
        let lines = layout.lines(&sheet.table);
        let why = match lines.len() {
            0 => Some(OrderTableError::Empty),
            n if n > MAX_LINES => Some(OrderTableError::TooLong),
            _ => None,
        };
        if let Some(why) = why {
            talk.out.push(files::refused(&why.to_string()).below(PANE));
            return Ok(());
        }
        talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
        let text = lines.join("\n");
        let added = self.ordering.add_table(&talk.party(), talk.key, &text, Some(name)).await;
        match added {
            Ok(mut added) if added.added > 0 => {
                if let Some(comment) = Self::words_beside(talk) {
                    let draft = added.view.draft.id;
                    let set = move |_: &mut Delivery, _: &mut String, words: &mut String| {
                        *words = ru::ellipsis(format!("{words}\n{comment}").trim(), 1_000);
                    };
                    let party = talk.party();
                    added.view = self.ordering.set_checkout(&party, draft, None, set).await?;
                }
                self.show_added(talk, &added);
                Ok(())
            }
            Ok(_) | Err(OrderError::Empty) => {
                let why = "Не нашёл в файле товаров.";
                talk.out.push(files::refused(why).below(PANE));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Words beside a table that order nothing: they are for the manager.
    fn words_beside(talk: &mut Talk<'_>) -> Option<String> {
        let handed = talk.state.handed.take()?;
        Some(handed.caption.trim().to_owned()).filter(|words| !words.is_empty())
    }

    fn refuse_file(talk: &mut Talk<'_>, handed: Handed, why: &str) {
        talk.state.handed = Some(handed);
        talk.out.push(files::refused(why).below(PANE));
    }

    /// A photo, a voice message, a video; stickers and places are left unanswered.
    pub(super) async fn media(
        &self,
        talk: &mut Talk<'_>,
        media: MediaKind,
        caption: &str,
        reply_to: Option<i64>,
    ) -> Result<(), ChatError> {
        let what = match media {
            MediaKind::Photo => "Фото",
            MediaKind::Voice => "Голосовое сообщение",
            MediaKind::Video => "Видео",
            MediaKind::Other => return Ok(()),
        };
        let (what, caption) = (what.to_owned(), caption.to_owned());
        let handed = Handed { message_id: talk.message_id, what, caption, file: None };
        if self.to_conversation(talk, &handed, reply_to).await? {
            return Ok(());
        }
        self.unreadable(talk, handed).await
    }

    /// What cannot be read: its words are, the rest is offered to a manager.
    async fn unreadable(&self, talk: &mut Talk<'_>, handed: Handed) -> Result<(), ChatError> {
        if talk.who.is_staff() {
            // Colleagues may show one another anything.
            if talk.private {
                talk.say(Screen::text(
                    "Чтобы файл получил клиент, пришлите его ответом на карточку заказа или на вопрос.",
                ));
            }
            return Ok(());
        }
        let caption = handed.caption.clone();
        if talk.who.is_guest() {
            talk.say(
                Screen::text(
                    "Пока читаю только текст и таблицы. Подтвердите номер, и я передам это менеджеру.",
                )
                .keyboard(menu::guest_keyboard()),
            );
        } else {
            talk.state.handed = Some(handed);
            talk.out.push(files::offer().below(PANE));
        }
        if caption.trim().is_empty() { Ok(()) } else { self.order(talk, &caption).await }
    }

    /// A file that replies to a message, was asked for or comes in reply mode goes where that
    /// leads. Whether it did.
    async fn to_conversation(
        &self,
        talk: &mut Talk<'_>,
        handed: &Handed,
        reply_to: Option<i64>,
    ) -> Result<bool, ChatError> {
        let replied = match reply_to {
            Some(replied) if !talk.who.is_guest() && talk.state.lens.is_none() => {
                self.replied_to(talk, replied).await?
            }
            _ => None,
        };
        match replied {
            Some((kind, id)) if kind == "thread" => {
                return self.to_thread(talk, handed, ThreadId(id)).await;
            }
            Some((kind, id)) if matches!(kind.as_str(), "order" | "staff" | "talk") => {
                self.to_order(talk, handed, OrderId(id)).await?;
                return Ok(true);
            }
            _ => {}
        }
        if let Some(Form::Document { order }) = talk.state.active_form(talk.now).cloned() {
            self.to_order(talk, handed, order).await?;
            return Ok(true);
        }
        match talk.state.active_account_form(talk.now).cloned() {
            Some(AccountForm::Thread { thread }) => {
                let sent = self.to_thread(talk, handed, thread).await?;
                if !sent {
                    talk.state.account = None;
                }
                Ok(sent)
            }
            _ => Ok(false),
        }
    }

    /// A file goes to a thread of questions. Whether there is such a thread for this person.
    async fn to_thread(
        &self,
        talk: &mut Talk<'_>,
        handed: &Handed,
        thread: ThreadId,
    ) -> Result<bool, ChatError> {
        let Ok(by) = Writer::of(&talk.who) else { return Ok(false) };
        match self.questions.reply(by, thread, said(talk, handed), Some(talk.key)).await {
            Ok(_) => {}
            Err(QuestionError::NotFound) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let view = self.questions.thread(by, thread, 1).await?;
        talk.state.ask_account(AccountForm::Thread { thread }, talk.now);
        talk.out.push(questions::reply_mode(&view.thread, true).below(PANE));
        Ok(true)
    }

    pub(super) async fn press_file(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), Refused> {
        match action {
            Action::MediaHand => self.hand_over(talk).await,
            Action::MediaDrop | Action::AskNo => {
                talk.state.handed = None;
                talk.state.question = None;
                talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
                Ok(())
            }
            Action::AskManager => self.hand_question(talk).await,
            Action::FileExample => {
                talk.out.push(Outgoing::Document {
                    name: "заявка.csv".to_owned(),
                    content: EXAMPLE.to_owned(),
                    caption: "Пример: товар и количество, единица — если нужна.".to_owned(),
                });
                Ok(())
            }
            action => self.press_table(talk, action).await,
        }
    }

    async fn press_table(&self, talk: &mut Talk<'_>, action: Action) -> Result<(), Refused> {
        let form = talk.state.table.clone().ok_or(OrderError::Stale)?;
        let (Action::FileRead { file }
        | Action::FileShow { file }
        | Action::FileColumns { file }
        | Action::FileGoods { file, .. }
        | Action::FileQuantities { file, .. }
        | Action::FileSheets { file }
        | Action::FileSheet { file, .. }) = action
        else {
            return Ok(self.menu(talk).await?);
        };
        if file != form.file {
            return Err(OrderError::Stale.into());
        }
        let row = self.files.find(talk.chat, form.file).await?.ok_or(OrderError::Stale)?;
        let sheets = read(row.name.clone(), row.content).await.map_err(|_| OrderError::Stale)?;
        let current = sheets.get(form.sheet).ok_or(OrderError::Stale)?;
        let mut form = form;
        let screen = match action {
            Action::FileRead { .. } => {
                if let Some(organization) = talk.party().organization
                    && !form.layout.headings.is_empty()
                {
                    self.files.remember_layout(organization, &form.layout).await?;
                }
                return self.read_table(talk, &row.name, current, &form.layout).await;
            }
            Action::FileColumns { .. } => files::goods(form.file, current, form.layout.first),
            Action::FileGoods { column, .. } => {
                form.layout = form.layout.with_goods(place(column)?);
                files::quantities(form.file, current, form.layout.first)
            }
            Action::FileSheets { .. } => files::sheets(form.file, &sheets),
            Action::FileQuantities { column, .. } => {
                let column = if column < 0 { None } else { Some(place(column)?) };
                form.layout = form.layout.with_quantity(column);
                files::guess(form.file, &row.name, &sheets, current, &form.layout)
            }
            Action::FileSheet { sheet, .. } => {
                form.sheet = place(sheet)?;
                let chosen = sheets.get(form.sheet).ok_or(OrderError::Stale)?;
                form.layout = Layout::guess(&chosen.table);
                files::guess(form.file, &row.name, &sheets, chosen, &form.layout)
            }
            _ => files::guess(form.file, &row.name, &sheets, current, &form.layout),
        };
        talk.state.table = Some(form);
        talk.out.push(screen.in_place(PANE));
        Ok(())
    }

    /// What cannot be read becomes a question of the organization.
    async fn hand_over(&self, talk: &mut Talk<'_>) -> Result<(), Refused> {
        let handed = talk.state.handed.take().ok_or(OrderError::Stale)?;
        let said = said(talk, &handed);
        let asked = self.questions.ask(&talk.who, Topic::File, None, said, Some(talk.key)).await;
        let thread = asked.map_err(refused)?;
        let screen = files::handed(thread, &self.base.config.company.hours);
        talk.out.push(screen.in_place(PANE));
        Ok(())
    }

    /// What was written last becomes a question of the organization.
    async fn hand_question(&self, talk: &mut Talk<'_>) -> Result<(), Refused> {
        if refused_to_guest(talk) {
            return Ok(());
        }
        let text = talk.state.question.take().ok_or(OrderError::Stale)?;
        let screen = self.ask_in_words(talk, Topic::Stock, &text).await?;
        talk.out.push(screen.in_place(PANE));
        Ok(())
    }

    /// Asks what was written; what is said of it.
    pub(super) async fn ask_in_words(
        &self,
        talk: &Talk<'_>,
        topic: Topic,
        text: &str,
    ) -> Result<Screen, Refused> {
        let asked = self.questions.ask(&talk.who, topic, None, text, Some(talk.key)).await;
        Ok(questions::sent(asked.map_err(refused)?, &self.base.config.company.hours))
    }

    /// «Скачать нераспознанные»
    pub(super) async fn unread_lines(
        &self,
        talk: &mut Talk<'_>,
        draft: crate::domain::DraftId,
    ) -> Result<(), Refused> {
        let view = self.ordering.draft(&talk.party(), draft).await?;
        let mut rows = vec![vec![sheet::Cell::text("Строка"), sheet::Cell::text("Что не так")]];
        for line in view.unresolved() {
            let why = match line.row.state {
                crate::domain::LineState::None => "не нашёл в каталоге",
                crate::domain::LineState::Gone => "снят с продажи",
                _ => "нужно уточнить",
            };
            rows.push(vec![sheet::Cell::text(&line.row.raw), sheet::Cell::text(why)]);
        }
        let content = String::from_utf8(sheet::csv(&rows));
        let content = content.map_err(|error| Refused::Fault(error.into()))?;
        talk.out.push(Outgoing::Document {
            name: "нераспознанные.csv".to_owned(),
            content,
            caption: format!("Нужно уточнить: {}.", ru::positions(rows.len() - 1)),
        });
        Ok(())
    }
}

fn place(number: i64) -> Result<usize, OrderError> {
    usize::try_from(number).map_err(|_| OrderError::Stale)
}

/// Tells a guest that a question needs an account. Whether it is one.
pub(super) fn refused_to_guest(talk: &mut Talk<'_>) -> bool {
    let guest = talk.who.is_guest();
    if guest {
        let words = "Подтвердите номер, и я передам вопрос менеджеру.";
        talk.say(Screen::text(words).keyboard(menu::guest_keyboard()));
    }
    guest
}

fn refused(error: QuestionError) -> Refused {
    match error {
        QuestionError::Guest => OrderError::Guest.into(),
        QuestionError::Storage(error) => error.into(),
        QuestionError::NotFound | QuestionError::Empty | QuestionError::NotAllowed => {
            OrderError::Stale.into()
        }
    }
}

/// What is written into a thread or a timeline for a file.
pub(super) fn said(talk: &Talk<'_>, handed: &Handed) -> Said {
    let text = format!("{}\n{}", handed.what, handed.caption);
    let attachment =
        Attachment { chat: talk.chat.clone(), message_id: handed.message_id, file: handed.file };
    Said { text: text.trim().to_owned(), attachment: Some(attachment) }
}

/// Tables that are read at one time: each may take a good deal of memory.
static READING: Semaphore = Semaphore::const_new(2);

/// Reads a table beside everything else; a reader that panics has met a damaged file.
async fn read(name: String, bytes: Vec<u8>) -> Result<Vec<Sheet>, OrderTableError> {
    let _turn = READING.acquire().await;
    let read = move || order_table::read(&name, bytes);
    tokio::task::spawn_blocking(read).await.unwrap_or(Err(OrderTableError::Unreadable))
}
