//! Questions: asked by topic, answered both ways.

use super::{Core, PANE, Talk};
use crate::chat::Action;
use crate::chat::dialogue::{AccountForm, Form};
use crate::chat::screens::questions::{self, PAGE, SHOWN, Scene};
use crate::chat::worker::ChatError;
use crate::domain::{ChatKey, OrderId, ThreadId};
use crate::services::conversations::Conversations;
use crate::services::notifications::Outgoing;
use crate::services::questions::{
    Attachment, MessageRow, QuestionError, ThreadFilter, ThreadOrder, ThreadRow, Topic, Writer,
    attachment,
};

impl Core {
    fn question_scene(&self) -> Scene<'_> {
        Scene { zone: &self.base.zone, now: self.base.clock.now() }
    }

    /// «Вопросы»: the organization's own, or those that wait for staff.
    pub(super) async fn show_questions(&self, talk: &mut Talk<'_>) -> Result<(), ChatError> {
        let shown = self.question_list(talk, true, 0).await;
        self.put(talk, shown, true).await
    }

    async fn question_list(
        &self,
        talk: &Talk<'_>,
        open: bool,
        page: i64,
    ) -> Result<crate::chat::Screen, QuestionError> {
        let by = Writer::of(&talk.who)?;
        let organization = talk.who.acting_for();
        let lens = talk.state.lens.as_ref().filter(|_| by.staff).map(|lens| lens.organization);
        let waiting = open && by.staff && lens.is_none();
        let filter = ThreadFilter {
            open: Some(open),
            unanswered: waiting,
            snoozed: waiting.then_some(false),
            organization: lens.or(organization.filter(|_| !by.staff).map(|m| m.organization)),
            ..ThreadFilter::default()
        };
        let order =
            if open && by.staff { ThreadOrder::WaitingFirst } else { ThreadOrder::LastFirst };
        let page = u32::try_from(page).unwrap_or_default();
        let found =
            self.questions.list(by, filter, order, (page.saturating_mul(PAGE), PAGE)).await?;
        let title = match organization.filter(|_| !by.staff) {
            Some(membership) => format!("Вопросы · {}", membership.label()),
            None => "Вопросы".to_owned(),
        };
        Ok(questions::list(&title, &found, (open, page), by.staff, &self.question_scene()))
    }

    /// Shows a screen of questions, or says why not.
    async fn put(
        &self,
        talk: &mut Talk<'_>,
        shown: Result<crate::chat::Screen, QuestionError>,
        below: bool,
    ) -> Result<(), ChatError> {
        match shown {
            Ok(screen) if below => talk.out.push(screen.below(PANE)),
            Ok(screen) => talk.out.push(screen.in_place(PANE)),
            Err(error) => self.explain_question(talk, error).await?,
        }
        Ok(())
    }

    async fn explain_question(
        &self,
        talk: &mut Talk<'_>,
        error: QuestionError,
    ) -> Result<(), ChatError> {
        match error {
            QuestionError::NotFound => talk.refuse("Этот вопрос вам недоступен."),
            QuestionError::NotAllowed => talk.refuse("Это могут делать только менеджеры."),
            QuestionError::Empty => talk.toast("Напишите словами."),
            QuestionError::Guest => return self.menu(talk).await,
            error @ QuestionError::Storage(_) => return Err(error.into()),
        }
        Ok(())
    }

    /// A thread, which counts as read by that.
    pub(super) async fn show_thread(
        &self,
        talk: &mut Talk<'_>,
        thread: ThreadId,
    ) -> Result<(), ChatError> {
        let shown = self.thread_screen(talk, thread).await;
        self.put(talk, shown, true).await
    }

    async fn thread_screen(
        &self,
        talk: &Talk<'_>,
        thread: ThreadId,
    ) -> Result<crate::chat::Screen, QuestionError> {
        let by = Writer::of(&talk.who)?;
        let view = self.questions.thread(by, thread, SHOWN).await?;
        self.questions.mark_read(by, thread).await?;
        Ok(questions::thread(&view, by.staff, &self.question_scene()))
    }

    pub(super) async fn press_question(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), ChatError> {
        if action == Action::ThreadAsOrder {
            return match Self::doubted(talk) {
                Ok((_, text)) => {
                    talk.out.push(Outgoing::Remove { slot: PANE.to_owned() });
                    self.order(talk, &text).await
                }
                Err(error) => self.explain_question(talk, error).await,
            };
        }
        match self.question_step(talk, action).await {
            Ok(()) => Ok(()),
            Err(error) => self.explain_question(talk, error).await,
        }
    }

    async fn question_step(
        &self,
        talk: &mut Talk<'_>,
        action: Action,
    ) -> Result<(), QuestionError> {
        let by = Writer::of(&talk.who)?;
        match action {
            Action::Threads | Action::ThreadExit => {
                leave_thread(talk);
                let screen = self.question_list(talk, true, 0).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::ThreadsOpen { page } => {
                let screen = self.question_list(talk, true, page).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::ThreadsClosed { page } => {
                let screen = self.question_list(talk, false, page).await?;
                talk.out.push(screen.in_place(PANE));
            }
            Action::ThreadShow { thread } => {
                leave_thread(talk);
                let screen = self.thread_screen(talk, thread).await?;
                talk.out.push(screen.below(PANE));
            }
            Action::ThreadAsk => talk.out.push(questions::ask_topic().in_place(PANE)),
            Action::ThreadTopic { topic } => {
                let topic = usize::try_from(topic).unwrap_or(usize::MAX);
                let chosen = topic_of(topic);
                talk.state.ask_account(AccountForm::Question { topic }, talk.now);
                talk.out.push(questions::ask_words(chosen).in_place(PANE));
            }
            Action::ThreadReply { thread } => {
                let view = self.questions.thread(by, thread, 1).await?;
                talk.state.ask_account(AccountForm::Thread { thread }, talk.now);
                talk.out.push(questions::reply_mode(&view.thread, false).below(PANE));
            }
            Action::ThreadResolve { thread } => {
                self.questions.resolve(by, thread).await?;
                leave_thread(talk);
                let view = self.questions.thread(by, thread, 1).await?;
                talk.out.push(questions::resolved(&view.thread).below(PANE));
            }
            Action::ThreadAsReply => {
                let (thread, text) = Self::doubted(talk)?;
                self.write(talk, by, thread, &text).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The list that was written in a thread, taken out of the form that holds it.
    fn doubted(talk: &mut Talk<'_>) -> Result<(ThreadId, String), QuestionError> {
        match talk.state.active_account_form(talk.now).cloned() {
            Some(AccountForm::Doubt { thread, text }) => {
                talk.state.account = None;
                Ok((thread, text))
            }
            _ => Err(QuestionError::NotFound),
        }
    }

    /// Writes into the thread and stays in it.
    async fn write(
        &self,
        talk: &mut Talk<'_>,
        by: Writer,
        thread: ThreadId,
        text: &str,
    ) -> Result<(), QuestionError> {
        self.questions.reply(by, thread, text, Some(talk.key)).await?;
        let view = self.questions.thread(by, thread, 1).await?;
        talk.state.ask_account(AccountForm::Thread { thread }, talk.now);
        talk.out.push(questions::reply_mode(&view.thread, true).below(PANE));
        Ok(())
    }

    /// The words that a form about questions waited for.
    pub(super) async fn fill_question(
        &self,
        talk: &mut Talk<'_>,
        form: AccountForm,
        text: &str,
    ) -> Result<(), ChatError> {
        let filled = self.fill_question_form(talk, form, text).await;
        match filled {
            Ok(()) => Ok(()),
            Err(error) => {
                talk.state.account = None;
                self.explain_question(talk, error).await
            }
        }
    }

    async fn fill_question_form(
        &self,
        talk: &mut Talk<'_>,
        form: AccountForm,
        text: &str,
    ) -> Result<(), QuestionError> {
        let by = Writer::of(&talk.who)?;
        match form {
            AccountForm::Question { topic } => {
                let topic = topic_of(topic);
                let asked = self.questions.ask(&talk.who, topic, None, text, Some(talk.key));
                let thread = asked.await?;
                talk.state.account = None;
                let screen = questions::sent(thread, &self.base.config.company.hours);
                talk.out.push(screen.below(PANE));
            }
            AccountForm::Thread { thread } if !by.staff && looks_like_a_list(text) => {
                let text = text.to_owned();
                talk.state.ask_account(AccountForm::Doubt { thread, text }, talk.now);
                talk.out.push(questions::doubt().below(PANE));
            }
            AccountForm::Thread { thread } | AccountForm::Doubt { thread, .. } => {
                self.write(talk, by, thread, text).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A reply to a message of ours: it goes where that message came from. Whether it did.
    pub(super) async fn reply(
        &self,
        talk: &mut Talk<'_>,
        replied: i64,
        text: &str,
    ) -> Result<bool, ChatError> {
        let password = talk.state.active_account_form(talk.now);
        if password.is_some_and(AccountForm::waits_for_password) || talk.who.is_guest() {
            return Ok(false);
        }
        let Some((kind, id)) = self.replied_to(talk, replied).await? else { return Ok(false) };
        match kind.as_str() {
            "thread" => {
                let written = match Writer::of(&talk.who) {
                    Ok(by) => self.write(talk, by, ThreadId(id), text).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = written {
                    self.explain_question(talk, error).await?;
                }
            }
            "order" | "staff" | "talk" => {
                let order = OrderId(id);
                let form = if talk.who.is_staff() {
                    Form::WriteToClient { order }
                } else {
                    Form::AskAboutOrder { order }
                };
                self.fill(talk, form, text).await?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What the message that is replied to is of: the kind of its card, and of which one.
    pub(super) async fn replied_to(
        &self,
        talk: &Talk<'_>,
        replied: i64,
    ) -> Result<Option<(String, i64)>, ChatError> {
        let conversations = Conversations::new(self.base.clone());
        let Some(slot) = conversations.slot_of(talk.chat, replied).await? else {
            return Ok(told_by(talk.quoted));
        };
        let mut parts = slot.split(':');
        let kind = parts.next().unwrap_or_default().to_owned();
        let id = parts.next().and_then(|id| id.parse().ok());
        Ok(id.map(|id| (kind, id)))
    }

    /// A question that is not answered for long.
    pub(in crate::chat) async fn question_waits(
        &self,
        thread: ThreadId,
    ) -> Result<Vec<Outgoing>, ChatError> {
        let row = match self.questions.waiting(thread).await {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        Ok(vec![questions::waits(&row, &self.question_scene()).send()])
    }

    /// The card of a client's message in a chat of staff, as it is now.
    pub(super) async fn question_card(
        &self,
        chat: &ChatKey,
        thread: ThreadId,
        message: i64,
    ) -> Result<Vec<Outgoing>, ChatError> {
        let (row, message) = match self.questions.message(thread, message).await {
            Ok(found) => found,
            Err(QuestionError::NotFound) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let answer = self.questions.answer_to(&message).await?;
        let link = self.file_link(chat, &message).await?;
        let slot = thread_slot(&message);
        let scene = self.question_scene();
        let card = questions::news(&row, &message, answer.as_ref(), link, &scene);
        Ok(vec![card.in_place(slot)])
    }

    /// Where the file that came with a message is downloaded, in the browser.
    async fn file_link(
        &self,
        chat: &ChatKey,
        message: &MessageRow,
    ) -> Result<Option<String>, ChatError> {
        let (Some(Attachment { chat: from, file: Some(id), .. }), ChatKey::Web(persona)) =
            (attachment(message), chat)
        else {
            return Ok(None);
        };
        let key = format!("thread:{}:{chat}", message.id);
        let shared = self.files.share(&from, id, chat, &key).await?;
        Ok(shared.map(|id| format!("/chat/{persona}/files/{id}")))
    }

    /// A message of a thread, for the other side.
    pub(super) async fn question_news(
        &self,
        chat: &ChatKey,
        thread: ThreadId,
        message: i64,
    ) -> Result<Vec<Outgoing>, ChatError> {
        let (row, message): (ThreadRow, _) = match self.questions.message(thread, message).await {
            Ok(found) => found,
            Err(QuestionError::NotFound) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        // Who has left the organization since is told nothing.
        let who = self.accounts.who(chat).await?;
        if let Ok(by) = Writer::of(&who)
            && message.from_staff
            && self.questions.thread(by, thread, 1).await.is_err()
        {
            return Ok(Vec::new());
        }
        let slot = thread_slot(&message);
        let file = attachment(&message);
        let link = self.file_link(chat, &message).await?;
        let answer = self.questions.answer_to(&message).await?;
        let scene = self.question_scene();
        let card = questions::news(&row, &message, answer.as_ref(), link, &scene);
        let mut out = vec![card.in_place(slot)];
        match (file, chat) {
            (
                Some(Attachment { chat: from @ ChatKey::Telegram(_), message_id, .. }),
                ChatKey::Telegram(_),
            ) => out.push(Outgoing::Copy { from, message_id }),
            (Some(Attachment { chat: from, file: Some(file), .. }), ChatKey::Telegram(_)) => {
                out.push(Outgoing::File { from, file });
            }
            _ => {}
        }
        Ok(out)
    }
}

/// The card of a message of a thread.
fn thread_slot(message: &MessageRow) -> String {
    format!("thread:{}:{}", message.thread, message.id)
}

fn leave_thread(talk: &mut Talk<'_>) {
    let question = matches!(
        talk.state.account,
        Some(AccountForm::Question { .. } | AccountForm::Thread { .. } | AccountForm::Doubt { .. })
    );
    if question {
        talk.state.account = None;
    }
}

fn topic_of(number: usize) -> Topic {
    questions::topics().nth(number).map_or(Topic::Other, |(_, topic)| topic)
}

/// Whether a text reads as a list of goods: several lines with numbers in them.
fn looks_like_a_list(text: &str) -> bool {
    let lines = text.lines().filter(|line| line.chars().any(|c| c.is_ascii_digit()));
    lines.count() >= 2
}

/// What a message is of, by the buttons under it.
fn told_by(codes: &[String]) -> Option<(String, i64)> {
    codes.iter().find_map(|code| {
        let (kind, id) = match Action::decode(code)? {
            Action::ThreadReply { thread } => ("thread", thread.0),
            Action::OrderAsk { order } | Action::OrderShow { order } => ("order", order.0),
            Action::StaffWrite { order } | Action::StaffOrder { order } => ("staff", order.0),
            _ => return None,
        };
        Some((kind.to_owned(), id))
    })
}
