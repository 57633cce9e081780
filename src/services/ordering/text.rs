//! From text to the lines of a draft.

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::bare::say_packs;
use super::draft::{begin, find_or_claim, fresh, open, settle, view};
use super::reading::{new_lines, remarks};
use super::{DraftView, OrderError, Ordering, Party, Pending, price_type};
use crate::domain::{DraftId, DraftLineId, LineState, Quantity, Timestamp};
use crate::recognition::RemarkKind;
use crate::storage::drafts::{self, DraftLineRow, DraftRow, NewDraftLine};
use crate::storage::{StorageError, offers};

/// Lines that a draft may have, written by hand.
const LINES_OF_A_TEXT: usize = 300;
/// Lines that a draft may have with a table in it.
const LINES_OF_A_TABLE: usize = 1_000;

/// What a message did to a draft.
#[derive(Debug, Clone)]
pub struct Added {
    /// The draft as it is now.
    pub view: DraftView,
    /// How many lines came.
    pub added: usize,
    /// What was merged into lines that were there: position, and what came to what.
    pub merged: Vec<(i64, String)>,
    /// The parts of the message that order nothing.
    pub remarks: Vec<(RemarkKind, String)>,
    /// Whether the draft had lines before.
    pub extended: bool,
    /// What a model may still add: [`Ordering::finish`] waits for it.
    pub pending: Option<Pending>,
}

/// How the lines were before an addition: their quantities and words, and what was put into them.
#[derive(Debug, Serialize, Deserialize)]
struct Undo {
    kept: Vec<(DraftLineId, Option<Quantity>, String)>,
    #[serde(default)]
    merged: Vec<Merged>,
}

/// What was put into a line that was there.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Merged {
    line: DraftLineId,
    quantity: Quantity,
    unit: String,
    raw: String,
}

impl Undo {
    fn of(lines: &[DraftLineRow]) -> Self {
        let kept = lines.iter().map(|line| (line.id, line.quantity, line.raw.clone())).collect();
        Self { kept, merged: Vec::new() }
    }

    fn read(draft: &DraftRow) -> Result<Self, OrderError> {
        let undo = draft.undo.as_deref().and_then(|json| serde_json::from_str(json).ok());
        undo.ok_or(OrderError::Stale)
    }
}

/// What an addition put where.
pub(super) struct Addition {
    merged: Vec<Merged>,
    told: Vec<(i64, String)>,
}

fn json(value: &impl Serialize) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|error| StorageError::Corrupt(error.to_string()))
}

impl Ordering {
    /// Recognises the text and adds its lines to the party's draft, once for each event.
    pub async fn add_text(
        &self,
        party: &Party,
        event_key: &str,
        text: &str,
    ) -> Result<Added, OrderError> {
        self.add_table(party, event_key, text, None).await
    }

    /// The same for the lines of a table, which the draft is then named after.
    pub async fn add_table(
        &self,
        party: &Party,
        event_key: &str,
        text: &str,
        file_name: Option<&str>,
    ) -> Result<Added, OrderError> {
        let found = self.recognize(party, text).await?;
        let lines = new_lines(text, &found);
        let remarks = remarks(text, &found);
        let pending = self.pending(event_key, text, found);
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        let file_name = file_name.map(str::to_owned);
        let added = self
            .base
            .db
            .write(move |tx| {
                let draft = match find_or_claim(tx, &party, now)? {
                    Some(draft) => draft,
                    None if lines.is_empty() => return Ok(None),
                    None => begin(tx, &party, now)?,
                };
                let lines = say_packs(tx, lines)?;
                let before = drafts::lines(tx, draft.id)?;
                let first_time = drafts::note_event(tx, &event_key, draft.id, now)?;
                let mut told = Vec::new();
                if first_time && !lines.is_empty() {
                    let mut undo = Undo::of(&before);
                    if let Some(name) = &file_name {
                        drafts::set_file_name(tx, draft.id, name)?;
                    }
                    let addition = add_lines(tx, &party, &draft, &lines, &event_key, now)?;
                    check_length(tx, draft.id)?;
                    drafts::set_merged(tx, &event_key, &json(&addition.merged)?)?;
                    undo.merged = addition.merged;
                    drafts::set_undo(tx, draft.id, &json(&undo)?)?;
                    told = addition.told;
                }
                let draft = drafts::find(tx, draft.id)?.ok_or(OrderError::NotFound)?;
                Ok::<_, OrderError>(Some(Added {
                    view: view(tx, &party, draft)?,
                    added: lines.len(),
                    merged: told,
                    remarks: Vec::new(),
                    extended: !before.is_empty(),
                    pending: None,
                }))
            })
            .await?;
        added.map(|added| Added { remarks, pending, ..added }).ok_or(OrderError::Empty)
    }

    /// Reads a message anew: it was corrected, or its next part has come. Its own lines change with
    /// it, those of other messages and what the buyer has done to its unchanged lines stay.
    ///
    /// `first_key` is the event that brought the message, `event_key` the present one. `None` when
    /// the message has no lines in an open draft; [`Added::added`] counts what changed.
    pub async fn reread(
        &self,
        party: &Party,
        first_key: &str,
        event_key: &str,
        text: &str,
    ) -> Result<Option<Added>, OrderError> {
        let found = self.recognize(party, text).await?;
        let lines = new_lines(text, &found);
        let remarks = remarks(text, &found);
        let pending = self.pending(first_key, text, found);
        let (party, now) = (party.clone(), self.now());
        let (first_key, event_key) = (first_key.to_owned(), event_key.to_owned());
        let added = self
            .base
            .db
            .write(move |tx| {
                let Some(draft) = find_or_claim(tx, &party, now)? else { return Ok(None) };
                let Some(merged) = drafts::find_merged(tx, &first_key, draft.id)? else {
                    return Ok(None);
                };
                let merged = serde_json::from_str(&merged).unwrap_or_default();
                let mut changed = 0;
                let mut told = Vec::new();
                if drafts::note_event(tx, &event_key, draft.id, now)? {
                    let lines = say_packs(tx, lines)?;
                    let message = Message { draft: &draft, key: &first_key, merged };
                    (changed, told) = message.change(tx, &party, lines, now)?;
                }
                Ok::<_, OrderError>(Some(Added {
                    view: fresh(tx, &party, draft.id)?,
                    added: changed,
                    merged: told,
                    remarks: Vec::new(),
                    extended: true,
                    pending: None,
                }))
            })
            .await?;
        Ok(added.map(|added| Added { remarks, pending, ..added }))
    }

    /// Takes back what the last message added: new lines go, merged quantities shrink again.
    pub async fn undo_add(
        &self,
        party: &Party,
        draft: DraftId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let Undo { kept, .. } = Undo::read(&open(tx, &party, draft, Some(version))?)?;
                let mut added = Vec::new();
                for mut line in drafts::lines(tx, draft)? {
                    let Some((_, quantity, raw)) = kept.iter().find(|(id, ..)| *id == line.id)
                    else {
                        added.push(line.id);
                        continue;
                    };
                    line.quantity = *quantity;
                    raw.clone_into(&mut line.raw);
                    settle(tx, &party, &mut line)?;
                    drafts::update_line(tx, &line)?;
                }
                drafts::remove_lines(tx, draft, &added)?;
                drafts::touch(tx, draft, now)?;
                fresh(tx, &party, draft)
            })
            .await
    }

    /// Gives what the last message put into other lines lines of its own.
    pub async fn split_merged(
        &self,
        party: &Party,
        draft: DraftId,
        version: i64,
    ) -> Result<DraftView, OrderError> {
        let (party, now) = (party.clone(), self.now());
        self.base
            .db
            .write(move |tx| {
                let Undo { merged, .. } = Undo::read(&open(tx, &party, draft, Some(version))?)?;
                for part in &merged {
                    let Some(row) = take_out(tx, &party, part)? else { continue };
                    let line = NewDraftLine {
                        raw: part.raw.clone(),
                        quantity: Some(part.quantity),
                        unit: part.unit.clone(),
                        ..NewDraftLine::from(&row)
                    };
                    put(tx, &party, draft, &line, &row.event_key)?;
                }
                drafts::touch(tx, draft, now)?;
                fresh(tx, &party, draft)
            })
            .await
    }

    /// Puts other words in a line's place; further goods in the text become lines of their own.
    pub async fn rewrite_line(
        &self,
        party: &Party,
        line: DraftLineId,
        event_key: &str,
        text: &str,
    ) -> Result<DraftView, OrderError> {
        let lines = new_lines(text, &self.recognize(party, text).await?);
        let (party, event_key, now) = (party.clone(), event_key.to_owned(), self.now());
        let text = text.to_owned();
        self.base
            .db
            .write(move |tx| {
                let mut row = drafts::find_line(tx, line)?.ok_or(OrderError::NotFound)?;
                let draft = open(tx, &party, row.draft, None)?;
                if !drafts::note_event(tx, &event_key, draft.id, now)? {
                    return fresh(tx, &party, draft.id);
                }
                let mut lines = say_packs(tx, lines)?;
                let first =
                    if lines.is_empty() { NewDraftLine::default() } else { lines.remove(0) };
                let first = NewDraftLine {
                    raw: if first.raw.is_empty() { text } else { first.raw },
                    ..first
                };
                replace(tx, &party, &mut row, first)?;
                add_lines(tx, &party, &draft, &lines, &event_key, now)?;
                check_length(tx, draft.id)?;
                fresh(tx, &party, draft.id)
            })
            .await
    }
}

/// A message that is read anew.
struct Message<'a> {
    draft: &'a DraftRow,
    key: &'a str,
    merged: Vec<Merged>,
}

impl Message<'_> {
    /// Makes the draft what the message says now: how many lines changed, and what was merged.
    fn change(
        self,
        tx: &Transaction<'_>,
        party: &Party,
        mut lines: Vec<NewDraftLine>,
        now: Timestamp,
    ) -> Result<(usize, Vec<(i64, String)>), OrderError> {
        let mut old: Vec<DraftLineRow> = drafts::lines(tx, self.draft.id)?;
        old.retain(|row| row.event_key == self.key);
        let (mut merged, mut kept) = (self.merged, Vec::new());
        lines.retain(|line| {
            let same = |row: &DraftLineRow| {
                let words = row.raw == line.raw || row.raw.starts_with(&format!("{}; ", line.raw));
                words && (row.chosen || row.phrase == line.phrase)
            };
            if let Some(place) = old.iter().position(same) {
                old.remove(place);
                return false;
            }
            if let Some(place) = merged.iter().position(|part| part.raw == line.raw) {
                kept.push(merged.remove(place));
                return false;
            }
            true
        });
        let mut changed = 0;
        for part in &merged {
            changed += usize::from(take_out(tx, party, part)?.is_some());
        }
        let mut lines = lines.into_iter();
        let mut gone = Vec::new();
        for mut row in old {
            // What the buyer has decided is not taken away.
            if row.chosen || row.state == LineState::Manager {
                continue;
            }
            changed += 1;
            match lines.next() {
                Some(line) => replace(tx, party, &mut row, line)?,
                None => gone.push(row.id),
            }
        }
        drafts::remove_lines(tx, self.draft.id, &gone)?;
        let lines: Vec<NewDraftLine> = lines.collect();
        changed += lines.len();
        let addition = add_lines(tx, party, self.draft, &lines, self.key, now)?;
        check_length(tx, self.draft.id)?;
        kept.extend(addition.merged);
        drafts::set_merged(tx, self.key, &json(&kept)?)?;
        Ok((changed, addition.told))
    }
}

/// Refuses a draft that words have made too long; the transaction is then undone.
fn check_length(tx: &Transaction<'_>, draft: DraftId) -> Result<(), OrderError> {
    let row = drafts::find(tx, draft)?.ok_or(OrderError::NotFound)?;
    let most = if row.file_name.is_empty() { LINES_OF_A_TEXT } else { LINES_OF_A_TABLE };
    if drafts::lines(tx, draft)?.len() > most {
        return Err(OrderError::TooMany(most));
    }
    Ok(())
}

/// Puts other words and what they mean in a line's place. A quantity that the words leave out
/// stays.
fn replace(
    tx: &Transaction<'_>,
    party: &Party,
    row: &mut DraftLineRow,
    line: NewDraftLine,
) -> Result<(), OrderError> {
    row.raw = line.raw;
    row.phrase = line.phrase;
    row.state = line.state.unwrap_or(LineState::None);
    row.product = line.product;
    row.candidates = line.candidates;
    row.question = line.question;
    row.trace = line.trace;
    row.chosen = false;
    if line.quantity.is_some() {
        row.quantity = line.quantity;
        row.unit = line.unit;
        row.fixed_quantity = false;
    }
    settle(tx, party, row)?;
    Ok(drafts::update_line(tx, row)?)
}

/// Takes what was put into a line out of it; the line, if it still holds that.
fn take_out(
    tx: &Transaction<'_>,
    party: &Party,
    part: &Merged,
) -> Result<Option<DraftLineRow>, OrderError> {
    let Some(mut row) = drafts::find_line(tx, part.line)? else { return Ok(None) };
    let tail = format!("; {}", part.raw);
    let left = row.quantity.unwrap_or_default().thousandths() - part.quantity.thousandths();
    let Some(at) = row.raw.rfind(&tail).filter(|_| left > 0) else { return Ok(None) };
    row.raw.replace_range(at..at + tail.len(), "");
    row.quantity = Some(Quantity::from_thousandths(left));
    settle(tx, party, &mut row)?;
    drafts::update_line(tx, &row)?;
    Ok(Some(row))
}

/// Adds a line as it is.
fn put(
    tx: &Transaction<'_>,
    party: &Party,
    draft: DraftId,
    line: &NewDraftLine,
    event_key: &str,
) -> Result<(), OrderError> {
    let id = drafts::insert_line(tx, draft, line, event_key)?;
    let mut row = drafts::find_line(tx, id)?.ok_or(OrderError::NotFound)?;
    settle(tx, party, &mut row)?;
    Ok(drafts::update_line(tx, &row)?)
}

/// Adds lines; those of a product that is there already are merged into it.
pub(super) fn add_lines(
    tx: &Transaction<'_>,
    party: &Party,
    draft: &DraftRow,
    lines: &[NewDraftLine],
    event_key: &str,
    now: Timestamp,
) -> Result<Addition, OrderError> {
    let mut addition = Addition { merged: Vec::new(), told: Vec::new() };
    for line in lines {
        match merge(tx, party, draft, line)? {
            Some((position, what, merged)) => {
                addition.told.push((position, what));
                addition.merged.push(merged);
            }
            None => put(tx, party, draft.id, line, event_key)?,
        }
    }
    drafts::touch(tx, draft.id, now)?;
    Ok(addition)
}

/// Puts the line's quantity into the certain line of the same product, where there is one: its
/// position, and what came to what.
fn merge(
    tx: &Transaction<'_>,
    party: &Party,
    draft: &DraftRow,
    line: &NewDraftLine,
) -> Result<Option<(i64, String, Merged)>, OrderError> {
    let (Some(LineState::Ok), Some(product), Some(more)) =
        (line.state, line.product, line.quantity)
    else {
        return Ok(None);
    };
    let price_type = price_type(tx, party.organization)?;
    let Some(offer) = offers::load(tx, [product], price_type)?.remove(&product) else {
        return Ok(None);
    };
    let base = offer.unit.as_str();
    let unit_of = |unit: &str| if unit.is_empty() { base.to_owned() } else { unit.to_owned() };
    let present = drafts::lines(tx, draft.id)?;
    let twin = present.into_iter().find(|row| {
        row.state == LineState::Ok
            && row.product == line.product
            && unit_of(&row.unit) == unit_of(&line.unit)
    });
    let Some(mut row) = twin else { return Ok(None) };
    let before = row.quantity.unwrap_or_default();
    let Some(sum) = before.checked_add(more) else { return Ok(None) };
    row.quantity = Some(sum);
    row.raw = format!("{}; {}", row.raw, line.raw);
    settle(tx, party, &mut row)?;
    drafts::update_line(tx, &row)?;
    let what = format!("{before} + {}", more.with_unit(&unit_of(&line.unit)));
    let merged =
        Merged { line: row.id, quantity: more, unit: line.unit.clone(), raw: line.raw.clone() };
    Ok(Some((row.position, what, merged)))
}
