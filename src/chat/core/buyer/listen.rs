//! Free text of a buyer: an order, a question, an answer; its parts and corrections.

use crate::chat::Screen;
use crate::chat::core::{Core, DESK, LIST, PANE, Refused, Talk};
use crate::chat::dialogue::{Heard, State};
use crate::chat::screens::{answer, basket, menu};
use crate::chat::worker::ChatError;
use crate::domain::{DraftId, DraftLineId, Unit, ru};
use crate::recognition::{RemarkKind, parse_quantity};
use crate::services::conversations::Conversations;
use crate::services::ordering::{Added, Need, OrderError, Party, Pending};

/// The longest message that is read as an order, in characters.
const LONGEST_MESSAGE: usize = 4_096;
/// The longest answer to an open question, in words.
const ANSWER_WORDS: usize = 4;
/// Merged lines that are told one by one.
const MERGED_SHOWN: usize = 5;

impl Core {
    /// Free text of a buyer: a search where the catalogue is open, the answer to an open question,
    /// an order, a question or a greeting.
    pub(in crate::chat::core) async fn order(
        &self,
        talk: &mut Talk<'_>,
        text: &str,
    ) -> Result<(), ChatError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if text.chars().count() > LONGEST_MESSAGE {
            talk.say(Screen::text("Сообщение слишком длинное. Пришлите список частями."));
            return Ok(());
        }
        let done = self.listen(talk, text).await;
        self.explained(talk, done).await
    }

    /// Explains a refusal.
    pub(in crate::chat::core) async fn explained(
        &self,
        talk: &mut Talk<'_>,
        done: Result<(), Refused>,
    ) -> Result<(), ChatError> {
        match done {
            Ok(()) => Ok(()),
            Err(Refused::Order(error)) => self.explain(talk, error).await,
            Err(Refused::Fault(error)) => Err(error),
        }
    }

    pub(in crate::chat::core) async fn listen(
        &self,
        talk: &mut Talk<'_>,
        text: &str,
    ) -> Result<(), Refused> {
        if self.search_here(talk, text).await? {
            return Ok(());
        }
        if let Some(line) = talk.state.open_line
            && self.answer_line(talk, line, text).await?
        {
            return Ok(());
        }
        if self.next_part(talk, text).await? {
            return Ok(());
        }
        let party = talk.party();
        match self.ordering.add_text(&party, talk.key, text).await {
            Ok(added) if added.added > 0 => {
                talk.state.hear(Heard {
                    key: talk.key.to_owned(),
                    at: talk.at,
                    parts: vec![(talk.message_id, text.to_owned())],
                });
                self.answer_questions(talk, &added, text).await?;
                self.show_added(talk, &added);
                Ok(())
            }
            Ok(_) | Err(OrderError::Empty) => self.nothing_ordered(talk, text).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the text as the next part of a message that came a moment ago. Whether it was.
    async fn next_part(&self, talk: &mut Talk<'_>, text: &str) -> Result<bool, Refused> {
        let Some(mut heard) = talk.state.continued(talk.at).cloned() else { return Ok(false) };
        if talk.message_id == 0 {
            return Ok(false);
        }
        heard.parts.push((talk.message_id, text.to_owned()));
        heard.at = talk.at;
        let party = talk.party();
        let whole = heard.text();
        let read = self.ordering.reread(&party, &heard.key, talk.key, &whole).await?;
        let Some(added) = read else { return Ok(false) };
        talk.state.hear(heard);
        self.answer_questions(talk, &added, text).await?;
        // The first part was new: the whole is no addition.
        self.show_added(talk, &Added { merged: Vec::new(), extended: false, ..added });
        Ok(true)
    }

    /// A message was corrected: its own lines follow.
    pub(in crate::chat::core) async fn corrected(
        &self,
        talk: &mut Talk<'_>,
        message_id: i64,
        text: &str,
    ) -> Result<(), ChatError> {
        let done = self.correct(talk, message_id, text).await;
        self.explained(talk, done).await
    }

    async fn correct(
        &self,
        talk: &mut Talk<'_>,
        message_id: i64,
        text: &str,
    ) -> Result<(), Refused> {
        let says = |heard: &&Heard| heard.parts.iter().any(|(id, _)| *id == message_id);
        let Some(mut heard) = talk.state.heard.iter().find(says).cloned() else { return Ok(()) };
        for (id, part) in &mut heard.parts {
            if *id == message_id {
                text.clone_into(part);
            }
        }
        let party = talk.party();
        let whole = heard.text();
        let read = self.ordering.reread(&party, &heard.key, talk.key, &whole).await?;
        let Some(added) = read else { return Ok(()) };
        let known = talk.state.heard.iter_mut().find(|other| other.key == heard.key);
        if let Some(known) = known {
            *known = heard;
        }
        if added.added == 0 {
            return Ok(());
        }
        let view = added.view;
        talk.state.page = talk.state.page.min(basket::pages(&view) - 1);
        if talk.state.form.is_some() {
            let list = basket::list(&view, talk.state.page, &self.scene());
            talk.out.push(list.in_place(LIST));
            return Ok(());
        }
        talk.state.open_line = None;
        talk.state.walking = false;
        let positions = ru::positions_accusative(added.added);
        let note = format!("Обновил {positions} из исправленного сообщения.");
        let desk = basket::review(&view, talk.state.page, Some(&note), &self.scene());
        self.both(talk, &view, desk);
        Ok(())
    }

    /// Both cards with what came.
    pub(in crate::chat::core) fn show_added(&self, talk: &mut Talk<'_>, added: &Added) {
        let party = talk.party();
        talk.state.open_line = None;
        talk.state.walking = false;
        talk.state.page = if added.extended { basket::pages(&added.view) - 1 } else { 0 };
        let note = added_note(added);
        let news = basket::News {
            note: note.as_deref(),
            undo: added.extended,
            split: !added.merged.is_empty(),
        };
        self.both_with(talk, &added.view, &news);
        if let (Some(pending), Some(tasks)) = (added.pending.clone(), &self.tasks) {
            let aid = self.clone().finish(party.clone(), added.view.draft.id, pending);
            tasks.spawn_once("model", aid);
        }
        // Said once for a draft: the keyboard stays.
        if party.person.is_none() && !added.extended {
            let found = added.view.lines.len() - added.view.unresolved().count();
            let words = format!(
                "Нашёл {found} из {}. Подтвердите номер, и я отправлю заявку.",
                ru::positions_genitive(added.view.lines.len())
            );
            talk.say(Screen::text(words).keyboard(menu::guest_keyboard()));
        }
    }

    /// Waits for a model and shows what it added: the list, and the summary if that is what card 2
    /// shows.
    async fn finish(self, party: Party, draft: DraftId, pending: Pending) {
        let view = match self.ordering.finish(&party, draft, pending).await {
            Ok(Some(view)) => view,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!("предложение модели не сохранено: {error}");
                return;
            }
        };
        let conversations = Conversations::new(self.base.clone());
        let state = conversations.state(party.chat.clone()).await.ok().flatten();
        let state: State =
            state.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let mut out = vec![basket::list(&view, state.page, &self.scene()).in_place(LIST)];
        if state.open_line.is_none() && state.form.is_none() {
            out.push(basket::review(&view, state.page, None, &self.scene()).in_place(DESK));
        }
        if let Err(error) = conversations.say(party.chat, out).await {
            tracing::warn!("предложение модели не показано: {error}");
        }
    }

    /// Nothing in the message was an order.
    async fn nothing_ordered(&self, talk: &mut Talk<'_>, text: &str) -> Result<(), Refused> {
        let asked = self.ordering.questions_in(&talk.party(), text).await?;
        if let Some(question) = asked.into_iter().next() {
            return self.answer_question(talk, &question, text).await;
        }
        if text.contains('?') {
            return self.answer_question(talk, text, text).await;
        }
        if text.chars().any(char::is_numeric) {
            talk.state.question = Some(text.to_owned());
            talk.out.push(answer::nothing_found().below(PANE));
            return Ok(());
        }
        Ok(self.menu(talk).await?)
    }

    /// A message with lines and a question does both.
    async fn answer_questions(
        &self,
        talk: &mut Talk<'_>,
        added: &Added,
        text: &str,
    ) -> Result<(), Refused> {
        let mut asked = added
            .remarks
            .iter()
            .filter(|(kind, words)| *kind == RemarkKind::Question && text.contains(words.trim()));
        match asked.next() {
            Some((_, question)) => self.answer_question(talk, question, question).await,
            None => Ok(()),
        }
    }

    /// What is known is answered at once, the rest is offered to a manager.
    async fn answer_question(
        &self,
        talk: &mut Talk<'_>,
        question: &str,
        whole: &str,
    ) -> Result<(), Refused> {
        let party = talk.party();
        let meant = self.ordering.meant_by_question(&party, question).await?;
        let price_type = self.ordering.price_type_of(&party).await?;
        let products = self.ordering.catalog().products(meant, price_type).await?;
        talk.state.question = Some(whole.trim().to_owned());
        let look = self.look(talk);
        let screen = match products.as_slice() {
            [] => answer::unknown(&self.base.config.company, talk.who.is_guest()),
            [product] => answer::stock(product, look),
            several => answer::which(several, look),
        };
        talk.out.push(screen.below(PANE));
        Ok(())
    }

    /// Takes the text as the answer to the open line's question; whether it was one.
    async fn answer_line(
        &self,
        talk: &mut Talk<'_>,
        line: DraftLineId,
        text: &str,
    ) -> Result<bool, Refused> {
        let party = talk.party();
        let Some(view) = self.ordering.open_draft(&party).await? else { return Ok(false) };
        let Some(row) = view.line(line) else { return Ok(false) };
        if row.need() == Need::Unit
            && let Some(unit) = Unit::known(text.trim())
        {
            let version = view.draft.revision;
            let view = self.ordering.set_unit(&party, line, version, unit).await?;
            self.after_change_below(talk, &view, line);
            return Ok(true);
        }
        if row.offer.is_some()
            && let Some((quantity, unit)) = parse_quantity(text)
        {
            let view = self.ordering.set_quantity(&party, line, None, quantity, unit).await?;
            self.after_change_below(talk, &view, line);
            return Ok(true);
        }
        // A list of other goods is no answer.
        let short =
            text.split_whitespace().count() <= ANSWER_WORDS && !text.contains(['\n', ',', ';']);
        // What has been chosen may have been chosen by this very answer, by a program that died
        // before it said so.
        if !short || !(row.need() == Need::Product || row.row.chosen) {
            return Ok(false);
        }
        match self.ordering.answer(&party, line, text).await? {
            Some(view) => {
                self.after_change_below(talk, &view, line);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// What has just happened, above the summary.
fn added_note(added: &Added) -> Option<String> {
    let mut notes = Vec::new();
    if added.extended {
        let fresh = added.added - added.merged.len();
        if fresh > 0 {
            notes.push(format!("Добавил {}.", ru::positions_accusative(fresh)));
        }
    }
    for (position, what) in added.merged.iter().take(MERGED_SHOWN) {
        notes.push(format!("Сложил с позицией {position}: {what}."));
    }
    if let Some(more) = added.merged.len().checked_sub(MERGED_SHOWN).filter(|n| *n > 0) {
        notes.push(format!("И ещё {}.", ru::positions(more)));
    }
    (!notes.is_empty()).then(|| notes.join(" "))
}
