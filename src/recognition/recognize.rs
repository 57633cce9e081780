//! A message → lines and remarks: pieces are read one by one, each in the light of those before.

use std::time::Instant;

use super::decide::{meant, question};
use super::index::Index;
use super::inherit::{Heir, inherit};
use super::interpret::{Draft, Light, only_quantity, read, settle};
use super::lexer::Lexeme;
use super::quantity::Said;
use super::rank::{Seeker, Stretch, Want};
use super::speech::{self, Talk};
use super::split::{Piece, characters, opens, piece as make_piece, pieces};
use super::synonyms::Lexicon;
use super::trace::Grounds;
use super::types::{Buyer, Candidate, Decision, Line, Recognition, Remark, RemarkKind, Stage};
use crate::domain::{ProductId, Quantity};

/// At most so many candidates go with a line.
const CANDIDATES: usize = 10;

/// Suggestions for what the catalogue lacks are sought among at most so many products at a time.
const LOOKED: usize = 4_000;

/// A line on its way.
#[derive(Debug, Clone)]
struct Pending {
    draft: Draft,
    start: usize,
    end: usize,
    quantity: Option<Quantity>,
    unit: Option<Said>,
    /// Only introduces the lines after it.
    header: bool,
    /// Begins a line of the text.
    new_line: bool,
    /// Goes on the sentence of the line before.
    continues: bool,
    /// What it was read from.
    lexemes: Vec<Lexeme>,
    micros: u64,
}

impl Index {
    /// Reads a message.
    pub fn recognize(&self, text: &str, buyer: &Buyer) -> Recognition {
        let own = Lexicon::new(&buyer.synonyms);
        let mut seeker = Seeker::new(self, &own);
        let chars = characters(self, text);
        let mut desk = Desk::new(text);
        for piece in pieces(self, &chars) {
            desk.take(&mut seeker, piece);
        }
        desk.finish(&seeker, buyer)
    }
}

/// What a message has said so far.
struct Desk<'t> {
    text: &'t str,
    lines: Vec<Pending>,
    remarks: Vec<Remark>,
    /// A product asked about: ordered after all if a quantity follows.
    asked: Option<Pending>,
    /// What the next piece may leave unsaid.
    context: Vec<Want>,
    /// «Хотя нет» was said: a quantity that follows replaces.
    correcting: bool,
    /// «ул.» was said: a street follows.
    street: bool,
    /// «По 5»: of each that the sentence goes on to name.
    ahead: Option<(Option<Quantity>, Option<Said>)>,
}

impl<'t> Desk<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            lines: Vec::new(),
            remarks: Vec::new(),
            asked: None,
            context: Vec::new(),
            correcting: false,
            street: false,
            ahead: None,
        }
    }

    fn take(&mut self, seeker: &mut Seeker<'_>, piece: Piece) {
        let begun = Instant::now();
        let mut piece = piece;
        piece.corrects |= std::mem::take(&mut self.correcting);
        let counts = |l: &[Lexeme]| {
            (0..l.len()).any(|i| {
                l[i].is_number() && super::quantity::unit_at(l, i + 1).is_some_and(|u| u.0.counts())
            })
        };
        let named = piece.lexemes.iter().any(|l| {
            matches!(l.text.as_str(), "ул" | "просп" | "пер" | "улица" | "проспект" | "переулок")
        });
        let street = (std::mem::take(&mut self.street) && !piece.new_line || named)
            && !counts(&piece.lexemes);
        self.street = street
            || piece.lexemes.last().is_some_and(|l| matches!(l.text.as_str(), "г" | "город"));
        if piece.total || street {
            self.remark(&piece);
            return;
        }
        if let Some((unit, taken)) = super::quantity::unit_at(&piece.lexemes, 0)
            && taken == piece.lexemes.len()
            && let Some(last) =
                self.lines.last_mut().filter(|l| l.quantity.is_none() && l.unit.is_none())
        {
            // «болт М6х40, шт, 500»
            last.unit = Some(unit);
            last.end = last.end.max(piece.end);
            return;
        }
        if let Some(reading) = only_quantity(&piece.lexemes) {
            // A cell by itself under the name of the goods.
            let cell = piece.new_line && self.lines.last().is_some_and(|l| l.new_line && !l.header);
            let said = cell
                || reading.unit.is_some()
                || self.lines.last().is_some_and(|l| l.unit.is_some());
            let wanting = self.lines.last().is_some_and(|l| l.quantity.is_none());
            if self.asked.is_some()
                || piece.corrects
                || (wanting || reading.each) && said
                || wanting && reading.each
            {
                let draft = Draft { reading, ..Draft::default() };
                self.quantity_alone(seeker, &piece, &draft);
                return;
            }
        }
        if piece.continues {
            self.number_after_number(seeker, &piece);
        }
        let anchored = anchored(seeker.index, &piece.lexemes);
        let number_before = piece.continues && self.lines.last().is_some_and(|l| !l.header);
        let light = |context| Light { context, header: piece.header, instead: number_before };
        let (mut draft, mut heir) = if anchored {
            read(seeker, self.text, &piece.lexemes, light(&[]))
        } else {
            let context = std::mem::take(&mut self.context);
            let read = read(seeker, self.text, &piece.lexemes, light(&context));
            self.context = context;
            read
        };
        if (draft.unknown() > 0 || (piece.talk != Talk::None && draft.fit == 0))
            && let Some((shorter, better)) = without_talk(seeker, self.text, &piece, &draft)
        {
            piece = shorter;
            draft = better;
            heir = Heir::None;
        }
        if draft.fit == 0
            && !piece.cancels
            && !piece.question
            && piece.lexemes.len() >= 5
            && let Some((left, right)) = self.torn(seeker, &piece)
        {
            self.take(seeker, left);
            self.take(seeker, right);
            return;
        }
        if !draft.says_something() {
            if draft.reading.quantity.is_none() && piece.corrects {
                self.correcting = true;
            }
            self.quantity_alone(seeker, &piece, &draft);
            return;
        }
        if piece.cancels {
            self.cancel(&draft);
            return;
        }
        if heir == Heir::None && self.is_remark(&piece, &draft, anchored) {
            self.remark(&piece);
            return;
        }
        if heir == Heir::None
            && anchored
            && draft.fit == 0
            && draft.wants.len() <= 2
            && !self.context.is_empty()
            && let Some((inherited, how)) = inherit(seeker, &self.context, &draft, false)
        {
            draft = inherited;
            heir = how;
        }
        let known = draft.wants.iter().any(|w| w.known);
        let counted = draft.reading.unit.as_ref().is_some_and(Said::counts);
        if piece.absent {
            self.context = draft.wants.clone();
            self.remark(&piece);
            return;
        }
        if piece.corrects && heir == Heir::Replaces && !self.lines.is_empty() {
            // «нет, лучше чёрный»
            if let Some(last) = self.lines.last_mut() {
                if draft.reading.quantity.is_some() {
                    last.quantity = draft.reading.quantity;
                    last.unit.clone_from(&draft.reading.unit);
                }
                last.end = piece.end;
                self.context.clone_from(&draft.wants);
                last.draft = draft;
            }
            return;
        }
        if piece.question && !(counted && known) {
            self.context = draft.wants.clone();
            self.remark(&piece);
            self.asked = known.then(|| pending(&piece, draft, begun));
            return;
        }
        self.asked = None;
        if heir == Heir::Adds && self.joins_last(&piece, &draft) {
            self.join(draft, &piece);
            return;
        }
        let each = draft.reading.each;
        let quantity = draft.reading.quantity;
        let unit = draft.reading.unit.clone();
        self.context = draft.wants.clone();
        let mut line = pending(&piece, draft, begun);
        if piece.same_quantity
            && line.quantity.is_none()
            && let Some(last) = self.lines.last()
        {
            line.quantity = last.quantity;
            line.unit.clone_from(&last.unit);
        }
        if heir == Heir::Adds
            && piece.new_line
            && let Some(last) = self.lines.iter_mut().rev().find(|l| l.new_line)
            && last.quantity.is_none()
        {
            last.header = true;
        }
        self.lines.push(line);
        if each {
            let first = self.lines.last().is_some_and(|l| {
                l.draft.reading.spoken_for.contains(&0)
                    && l.draft.reading.spoken_for.len() < l.lexemes.len()
            });
            if first && !piece.continues {
                // «по 5 листов EL2240 20, 30 и 40 мм»
                self.ahead = Some((quantity, unit));
            } else {
                self.share(seeker, quantity, unit);
            }
        } else if piece.continues {
            if let (Some((quantity, unit)), Some(last)) =
                (self.ahead.clone(), self.lines.last_mut())
                && last.quantity.is_none()
            {
                last.quantity = quantity;
                last.unit = unit;
            }
        } else {
            self.ahead = None;
        }
    }

    /// «Спанбонд чёрный 60, 70, 80 по 2»: the last number of the line before was no quantity either.
    fn number_after_number(&mut self, seeker: &mut Seeker<'_>, piece: &Piece) {
        let number = |l: &[Lexeme]| {
            l.first().is_some_and(Lexeme::is_number)
                && (l.len() == 1
                    || l.get(1).is_some_and(|u| {
                        u.text == "по"
                            || super::terms::Measure::read(&u.text, true)
                                == Some(super::terms::Measure::Mm)
                    }))
        };
        let Some(last) = self.lines.last() else { return };
        let bare = last.quantity.is_some() && last.unit.is_none() && !last.draft.reading.each;
        if !bare || !number(&piece.lexemes) || !last.lexemes.last().is_some_and(Lexeme::is_number) {
            return;
        }
        let (again, _) =
            read(seeker, self.text, &last.lexemes, Light { header: true, ..Light::default() });
        if again.fit > 0
            && again.unknown() == 0
            && let Some(last) = self.lines.last_mut()
        {
            self.context.clone_from(&again.wants);
            last.draft = again;
            last.quantity = None;
        }
    }

    /// A piece in which nothing fits, torn where a quantity ends or begins so that both parts fit.
    fn torn(&mut self, seeker: &mut Seeker<'_>, piece: &Piece) -> Option<(Piece, Piece)> {
        let lexemes = &piece.lexemes;
        let mut places: Vec<usize> = Vec::new();
        for at in 1..lexemes.len().saturating_sub(1) {
            if !lexemes[at].is_number() || lexemes[at].named || lexemes[at - 1].is('x') {
                continue;
            }
            match super::quantity::unit_at(lexemes, at + 1) {
                Some((Said::Unit(_), taken)) => places.extend([at + 1 + taken, at]),
                Some(_) => {}
                None if lexemes[at].spoken => places.push(at + 1),
                None => {}
            }
        }
        places.retain(|p| *p >= 2 && *p + 2 <= lexemes.len());
        let mut best: Option<(f32, Piece, Piece)> = None;
        for place in places.into_iter().take(8) {
            let (Some(mut left), Some(mut right)) =
                (make_piece(&lexemes[..place]), make_piece(&lexemes[place..]))
            else {
                continue;
            };
            let context = if anchored(seeker.index, &left.lexemes) {
                Vec::new()
            } else {
                self.context.clone()
            };
            let (first, _) = read(
                seeker,
                self.text,
                &left.lexemes,
                Light { context: &context, ..Light::default() },
            );
            let begins = lexemes[place].is_number();
            let ends =
                first.reading.quantity.is_some() && first.reading.spoken_for.contains(&(place - 1));
            if first.fit == 0
                || first.unknown() > 0
                || !(ends || begins && anchored(seeker.index, &right.lexemes))
            {
                continue;
            }
            let context = if anchored(seeker.index, &right.lexemes) {
                Vec::new()
            } else {
                first.wants.clone()
            };
            let (second, _) = read(
                seeker,
                self.text,
                &right.lexemes,
                Light { context: &context, ..Light::default() },
            );
            if second.fit == 0
                || second.unknown() > 0
                || second.reading.quantity.is_none()
                || second.widened
            {
                continue;
            }
            let score = first.score + second.score;
            if best.as_ref().is_none_or(|(s, _, _)| score > *s) {
                left.continues = piece.continues;
                left.new_line = piece.new_line;
                left.corrects = piece.corrects;
                right.continues = true;
                best = Some((score, left, right));
            }
        }
        best.map(|(_, left, right)| (left, right))
    }

    /// A piece that names no product: a quantity for what was named before, or talk.
    fn quantity_alone(&mut self, seeker: &mut Seeker<'_>, piece: &Piece, draft: &Draft) {
        let quantity = draft.reading.quantity;
        if quantity.is_some()
            && let Some(mut asked) = self.asked.take()
        {
            asked.quantity = quantity;
            asked.unit.clone_from(&draft.reading.unit);
            asked.end = piece.end;
            self.remarks.retain(|r| r.span.start < asked.start || r.span.end > asked.end);
            self.lines.push(asked);
            return;
        }
        if piece.same_quantity || quantity.is_none() {
            self.remark(piece);
            return;
        }
        if draft.reading.each {
            let (quantity, unit) = (quantity, draft.reading.unit.clone());
            if let Some(last) = self.lines.last_mut() {
                last.end = piece.end;
                last.quantity = quantity;
                last.unit.clone_from(&unit);
            }
            self.share(seeker, quantity, unit);
            return;
        }
        let Some(last) = self.lines.last_mut() else {
            self.remark(piece);
            return;
        };
        let conditional = piece.lexemes.iter().any(|l| l.text == "если");
        if last.quantity.is_none() || (piece.corrects && !conditional) {
            last.quantity = quantity;
            if draft.reading.unit.is_some() || last.unit.is_none() {
                last.unit.clone_from(&draft.reading.unit);
            }
            last.end = last.end.max(piece.end);
        } else if conditional {
            last.end = last.end.max(piece.end);
        } else if piece.talk == Talk::None {
            last.end = last.end.max(piece.end);
        } else {
            self.remark(piece);
        }
    }

    /// Gives a quantity to the lines before that have none, and what the last line says to those
    /// that leave it open: «RS133 96 и 128 хром по 10».
    fn share(&mut self, seeker: &mut Seeker<'_>, quantity: Option<Quantity>, unit: Option<Said>) {
        let Some(last) = self.lines.last() else { return };
        let said: Vec<Want> =
            last.draft.wants.iter().filter(|w| !w.numeric && !w.inherited).cloned().collect();
        for at in (0..self.lines.len().saturating_sub(1)).rev() {
            let joined = self.lines[at + 1].continues || self.lines[at].quantity.is_none();
            let line = &self.lines[at];
            // A bare number before «по 10» was no quantity.
            let bare = line.quantity.is_some()
                && line.unit.is_none()
                && !line.draft.reading.each
                && line.draft.meant.len() > 1;
            if !joined || !(line.quantity.is_none() || bare) {
                break;
            }
            let mut draft = line.draft.clone();
            if bare {
                let light = Light { header: true, ..Light::default() };
                let (again, _) = read(seeker, self.text, &line.lexemes, light);
                if again.fit == 0 {
                    break;
                }
                draft = again;
            }
            if draft.meant.len() > 1 && !said.is_empty() {
                let mut fuller = draft.clone();
                let keys: Vec<String> = fuller.wants.iter().map(|w| w.key.clone()).collect();
                fuller.wants.extend(said.iter().filter(|w| !keys.contains(&w.key)).cloned());
                again(seeker, &mut fuller);
                if fuller.fit > 0 && !fuller.stretched {
                    draft = fuller;
                }
            }
            let line = &mut self.lines[at];
            line.draft = draft;
            line.quantity = quantity;
            line.unit.clone_from(&unit);
        }
    }

    /// Removes the lines that a cancelled piece names.
    fn cancel(&mut self, draft: &Draft) {
        let rows: Vec<u32> = draft.meant.iter().map(|h| h.row).collect();
        if rows.len() <= 50 {
            self.lines.retain(|l| {
                l.draft.meant.is_empty() || !l.draft.meant.iter().all(|h| rows.contains(&h.row))
            });
        }
    }

    fn is_remark(&self, piece: &Piece, draft: &Draft, anchored: bool) -> bool {
        let counted = draft.reading.unit.as_ref().is_some_and(Said::counts);
        let known = draft.wants.iter().filter(|w| w.known && !w.numeric).count();
        let figures = draft.wants.iter().filter(|w| w.numeric).count();
        let unknown = draft.wants.iter().filter(|w| !w.known && !w.numeric).count();
        let words = draft.wants.len();
        let guesses = draft.widened || draft.wants.iter().all(|w| w.guessed || !w.known);
        if !draft.by_article
            && draft.reading.quantity.is_none()
            && figures == 0
            && !self.single(piece)
            && (guesses
                || words <= 2 && draft.wants.iter().any(|w| w.guessed)
                || !anchored && draft.meant.len() != 1)
        {
            return true;
        }
        if piece.talk != Talk::None
            && !draft.by_article
            && !counted
            && draft.wants.iter().all(|w| w.guessed || !w.known || w.numeric)
        {
            return true;
        }
        if draft.by_article || (draft.fit > 0 && draft.unknown() == 0 && (known > 0 || counted)) {
            // Ordinary words of talk are words of some title too.
            return piece.talk != Talk::None
                && !counted
                && draft.meant.len() > 3
                && draft.reading.quantity.is_none();
        }
        if piece.talk != Talk::None && !(counted && known > 0) {
            return true;
        }
        if known == 0 && unknown == 0 {
            // Numbers alone: a line only where something is before it to be meant.
            return self.context.is_empty() && !counted;
        }
        if known == 0 && !counted && unknown == 1 && address(&piece.lexemes) {
            return true;
        }
        if known == 0 {
            let said = draft.reading.quantity.is_some();
            // A number after words unknown is a line only where the text has a line for it.
            let listed = draft.reading.unit.is_some() || piece.new_line || self.single(piece);
            return !(said && listed && words <= 5 && !piece.question
                || words <= 2
                    && !piece.continues
                    && figures + unknown > 0
                    && !piece.question
                    && self.single(piece));
        }
        if draft.fit == 0 && draft.reading.quantity.is_none() && figures == 0 {
            return unknown > known || words > 4 || piece.question;
        }
        false
    }

    /// Whether the piece is the whole message.
    fn single(&self, piece: &Piece) -> bool {
        let outside = [self.text.get(..piece.start), self.text.get(piece.end..)];
        !outside.into_iter().flatten().any(|t| t.contains(char::is_alphanumeric))
    }

    fn remark(&mut self, piece: &Piece) {
        let kind = if piece.question {
            RemarkKind::Question
        } else {
            match piece.talk {
                Talk::Greeting => RemarkKind::Greeting,
                Talk::Delivery => RemarkKind::Delivery,
                Talk::None => RemarkKind::Other,
            }
        };
        match self.remarks.last_mut() {
            Some(last) if last.kind == kind && piece.start <= last.span.end + 3 => {
                last.span.end = piece.end;
            }
            _ => self.remarks.push(Remark { kind, span: piece.start..piece.end }),
        }
    }

    /// Whether what a piece adds belongs to the last line: «саморез 4х25, жёлтый».
    fn joins_last(&self, piece: &Piece, draft: &Draft) -> bool {
        let Some(last) = self.lines.last() else { return false };
        piece.continues
            && !last.header
            && (last.quantity.is_none() || draft.reading.quantity.is_none())
    }

    fn join(&mut self, draft: Draft, piece: &Piece) {
        let Some(last) = self.lines.last_mut() else { return };
        if last.quantity.is_none() {
            last.quantity = draft.reading.quantity;
            last.unit.clone_from(&draft.reading.unit);
        }
        last.end = piece.end;
        self.context.clone_from(&draft.wants);
        last.draft = draft;
        for want in &mut last.draft.wants {
            want.inherited = false;
        }
    }

    fn finish(self, seeker: &Seeker<'_>, buyer: &Buyer) -> Recognition {
        // A heading over a list is no line: «спец-заказ кухня».
        let counted = self.lines.iter().filter(|l| l.quantity.is_some()).count();
        let heading = |l: &Pending| {
            l.new_line
                && l.quantity.is_none()
                && l.draft.fit == 0
                && !l.draft.wants.iter().any(|w| w.numeric)
        };
        let mut lines: Vec<Line> = self
            .lines
            .into_iter()
            .filter(|l| !l.header && !(counted >= 3 && heading(l)))
            .map(|l| line(seeker, buyer, l))
            .collect();
        lines.sort_by_key(|l| l.span.start);
        Recognition { lines, remarks: self.remarks }
    }
}

/// «Кирпичная 7»: a street and a house.
fn address(lexemes: &[Lexeme]) -> bool {
    match lexemes {
        [street, house] => {
            let adjective =
                ["ая", "ий", "ый", "ой", "ское", "ого"].iter().any(|e| street.text.ends_with(e));
            street.is_word() && adjective && house.is_number()
        }
        _ => false,
    }
}

/// Whether a piece has a word that names goods by itself: one that opens titles, or a name.
fn anchored(index: &Index, lexemes: &[Lexeme]) -> bool {
    // «EL2240», «КК-02»: a code is a name.
    let code = |at: usize| {
        let word = &lexemes[at];
        let number =
            |k: usize| lexemes.get(k).is_some_and(|n| n.is_number() && !n.spaced && !n.spoken);
        let glued = number(at + 1)
            || lexemes.get(at + 1).is_some_and(|d| d.is('-') && !d.spaced) && number(at + 2);
        word.is_word()
            && !word.dotted
            && word.text.chars().count() >= 2
            && glued
            && super::terms::marker(&word.text, true).is_none()
            && index.vocabulary.hears(&word.text)
    };
    let unit = |at: usize| {
        at > 0
            && lexemes[at - 1].is_number()
            && super::terms::Measure::read(&lexemes[at].text, !lexemes[at].spaced).is_some()
    };
    (0..lexemes.len()).any(code)
        || lexemes.iter().enumerate().any(|(at, l)| {
            l.is_word()
                && !unit(at)
                && !(speech::is_filler(&l.text) && !l.dotted)
                && !super::terms::is_little(&l.text)
                && opens(index, l)
        })
}

fn pending(piece: &Piece, draft: Draft, begun: Instant) -> Pending {
    Pending {
        start: piece.start,
        end: piece.end,
        quantity: draft.reading.quantity,
        unit: draft.reading.unit.clone(),
        header: piece.header && draft.reading.quantity.is_none(),
        new_line: piece.new_line,
        continues: piece.continues,
        lexemes: piece.lexemes.clone(),
        draft,
        micros: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
    }
}

/// A piece without the talk before and after the goods, read again, if that reads better.
fn without_talk(
    seeker: &mut Seeker<'_>,
    text: &str,
    piece: &Piece,
    draft: &Draft,
) -> Option<(Piece, Draft)> {
    let lexemes = &piece.lexemes;
    let is_talk = |l: &Lexeme| {
        l.is_word()
            && (speech::is_filler(&l.text)
                || speech::is_delivery(&l.text)
                || speech::is_greeting(&l.text))
    };
    let talk: Vec<usize> = (0..lexemes.len()).filter(|i| is_talk(&lexemes[*i])).collect();
    if talk.is_empty() {
        return None;
    }
    let mut best: Option<(Piece, Draft)> = None;
    let mut starts: Vec<usize> = vec![0];
    // The goods begin after talk, at a number or at a word that opens an item.
    for i in talk[0] + 1..lexemes.len() {
        if lexemes[i].is_number()
            || (lexemes[i].is_word()
                && !is_talk(&lexemes[i])
                && (opens(seeker.index, &lexemes[i]) || is_talk(&lexemes[i - 1])))
        {
            starts.push(i);
        }
    }
    let mut ends: Vec<usize> = vec![lexemes.len()];
    ends.extend(talk.iter().copied().filter(|i| *i > 0));
    for start in starts.into_iter().take(6) {
        for end in ends.iter().copied().filter(|e| *e > start).take(6) {
            if start == 0 && end == lexemes.len() {
                continue;
            }
            let Some(mut shorter) = make_piece(&lexemes[start..end]) else { continue };
            let (candidate, _) = read(seeker, text, &shorter.lexemes, Light::default());
            let names = candidate.by_article
                || candidate.wants.iter().any(|w| w.known && !w.numeric && !w.guessed);
            let better = names && candidate.unknown() < draft.unknown() && candidate.fit > 0
                || names && candidate.unknown() == 0 && candidate.fit > 0 && draft.fit == 0;
            if better && best.as_ref().is_none_or(|(_, b)| candidate.score > b.score) {
                shorter.question |= piece.question;
                shorter.header = piece.header;
                shorter.continues = piece.continues;
                shorter.new_line = piece.new_line;
                shorter.talk = Talk::None;
                best = Some((shorter, candidate));
            }
        }
    }
    best
}

/// A line as it is answered.
fn line(seeker: &Seeker<'_>, buyer: &Buyer, pending: Pending) -> Line {
    let index = seeker.index;
    let Pending { mut draft, start, end, quantity, unit, micros, .. } = pending;
    let phrase = phrase(&draft.wants);
    let mut stages = vec![Stage {
        name: "каталог".into(),
        query: phrase.clone(),
        before: index.len(),
        after: draft.fit,
        micros,
    }];
    // What the organization refused for these words is not offered for them again.
    let before = draft.meant.len();
    draft.meant.retain(|h| {
        let id = index.entries[h.row as usize].id;
        !buyer.rejected.contains(&(phrase.clone(), id))
    });
    if draft.meant.len() != before {
        stages.push(Stage {
            name: "отказы клиента".into(),
            query: phrase.clone(),
            before,
            after: draft.meant.len(),
            micros: 0,
        });
    }
    let learnt = buyer.learnt.get(&phrase).and_then(|id| index.row(*id)).filter(|row| {
        !index.junk[*row as usize]
            && !buyer.rejected.contains(&(phrase.clone(), index.entries[*row as usize].id))
    });
    let before = draft.meant.len();
    if let Some(row) = learnt {
        draft.meant = vec![super::rank::Hit { row, quality: 1.0 }];
        stages.push(Stage {
            name: "история клиента".into(),
            query: phrase.clone(),
            before,
            after: 1,
            micros: 0,
        });
    } else if before > 1 {
        stages.push(Stage {
            name: "уточнение".into(),
            query: "неназванные признаки".into(),
            before: draft.fit,
            after: before,
            micros: 0,
        });
    }
    let unknown = if trusted(&draft) { 0 } else { draft.unknown() };
    let decision = if learnt.is_some() {
        Decision::Matched
    } else if draft.meant.is_empty() || unknown > 0 {
        Decision::Unmatched
    } else if draft.meant.len() == 1 {
        Decision::Matched
    } else {
        Decision::Ambiguous
    };
    let bought =
        |row: u32| buyer.purchases.get(&index.entries[row as usize].id).map_or(0, |p| p.times);
    draft.meant.sort_by(|a, b| {
        bought(b.row)
            .cmp(&bought(a.row))
            .then(b.quality.total_cmp(&a.quality))
            .then(
                index.entries[b.row as usize]
                    .available
                    .cmp(&index.entries[a.row as usize].available),
            )
            .then(a.row.cmp(&b.row))
    });
    let rows: Vec<u32> = draft.meant.iter().map(|h| h.row).collect();
    let asked = if decision == Decision::Ambiguous { question(index, &rows) } else { None };
    let mut candidates: Vec<Candidate> =
        draft.meant.iter().take(CANDIDATES).map(|h| candidate(index, h.row, h.quality)).collect();
    if decision == Decision::Unmatched && candidates.is_empty() {
        candidates = nearest(seeker, &draft.wants, buyer, &phrase);
    }
    let guessed = draft.widened || draft.wants.iter().any(|w| w.guessed);
    let confidence = confidence(&draft, decision, guessed, learnt.is_some());
    let grounds = Grounds {
        decision,
        wants: &draft.wants,
        fit: draft.fit,
        meant: rows.len(),
        question: asked.as_ref(),
        learnt: learnt.is_some(),
        by_article: draft.by_article,
        guessed,
        stretched: draft.stretched,
    };
    let trace = grounds.trace(stages);
    let product = if decision == Decision::Matched { rows.first().copied() } else { None };
    let own = rows.first().and_then(|r| index.entries[*r as usize].unit.as_ref());
    Line {
        span: start..end,
        phrase,
        quantity: quantity.filter(|q| q.is_positive()),
        unit: unit.map(|said| said.resolve(own)),
        decision,
        product: product.map(|r| index.entries[r as usize].id),
        candidates,
        confidence,
        question: asked,
        trace,
    }
}

/// Whether one word that the catalogue does not know may be passed over: so much else is said that
/// only one product has all of it.
fn trusted(draft: &Draft) -> bool {
    let first = draft.wants.iter().position(|w| !w.numeric && !w.inherited);
    let unknown = draft.wants.iter().position(|w| !w.known);
    let numbers = draft.wants.iter().filter(|w| w.numeric).count();
    let words = draft.wants.iter().filter(|w| w.known && !w.numeric && !w.guessed).count();
    draft.unknown() == 1
        && unknown != first
        && draft.meant.len() == 1
        && !draft.widened
        && words >= 1
        && numbers + words >= 3
        && unknown.is_some_and(|at| {
            let text = &draft.wants[at].text;
            !draft.wants[at].numeric && !text.is_ascii()
        })
}

fn candidate(index: &Index, row: u32, quality: f32) -> Candidate {
    Candidate { product: index.entries[row as usize].id, score: f64::from(quality.clamp(0.0, 1.0)) }
}

/// The key under which the organization's choice for these words is learnt.
pub(crate) fn phrase(wants: &[Want]) -> String {
    let mut inherited: Vec<&Want> = wants.iter().filter(|w| w.inherited).collect();
    inherited.extend(wants.iter().filter(|w| !w.inherited));
    let keys =
        inherited.iter().map(|w| if w.without { format!("без {}", w.key) } else { w.key.clone() });
    keys.collect::<Vec<_>>().join(" ")
}

fn confidence(draft: &Draft, decision: Decision, guessed: bool, learnt: bool) -> f64 {
    let best = draft.meant.first().map_or(0.0, |h| f64::from(h.quality));
    match decision {
        Decision::Matched if learnt => 0.98,
        Decision::Matched => {
            let mut sure = 0.97 - (1.0 - best).clamp(0.0, 0.3) * 0.4;
            if draft.unknown() > 0 {
                sure -= 0.08;
            }
            if guessed {
                sure -= 0.02;
            }
            if draft.stretched {
                sure -= 0.03;
            }
            sure.clamp(0.5, 0.99)
        }
        Decision::Ambiguous => {
            let n = u32::try_from(draft.meant.len().max(2)).unwrap_or(u32::MAX);
            (0.9 / f64::from(n)).min(0.45)
        }
        Decision::Unmatched => {
            if draft.meant.is_empty() {
                0.03
            } else {
                0.15
            }
        }
    }
}

/// Products that satisfy the most of what was said, where none satisfies all.
fn nearest(seeker: &Seeker<'_>, wants: &[Want], buyer: &Buyer, phrase: &str) -> Vec<Candidate> {
    let index = seeker.index;
    let mut rows: Vec<u32> = Vec::new();
    for without in 0..wants.len() {
        let rest: Vec<Want> = wants
            .iter()
            .enumerate()
            .filter(|(i, w)| *i != without && w.known)
            .map(|(_, w)| w.clone())
            .collect();
        if !rest.is_empty() {
            rows.extend(
                seeker.hits_within(&rest, Stretch::No, LOOKED).iter().take(50).map(|h| h.row),
            );
        }
    }
    if rows.is_empty() {
        for want in wants.iter().filter(|w| w.known) {
            let alone = std::slice::from_ref(want);
            rows.extend(
                seeker.hits_within(alone, Stretch::No, LOOKED).iter().take(50).map(|h| h.row),
            );
        }
    }
    rows.sort_unstable();
    rows.dedup();
    let all = f32::from(u8::try_from(wants.len()).unwrap_or(u8::MAX)).max(1.0);
    let mut scored: Vec<(f32, u32)> = rows
        .into_iter()
        .filter(|r| !index.junk[*r as usize])
        .filter(|r| !buyer.rejected.contains(&(phrase.to_owned(), index.entries[*r as usize].id)))
        .map(|r| (seeker.satisfied(r, wants) / all, r))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().take(CANDIDATES).map(|(s, r)| candidate(index, r, s * 0.9)).collect()
}

impl Index {
    /// Narrows the candidates of a phrase by the buyer's answer: «т5», «чёрную», «200 м».
    ///
    /// `among` are the products offered. The answer's words must fit; where they fit none of those
    /// offered, the line says so with the candidates as they were.
    pub fn refine(&self, phrase: &str, answer: &str, among: &[ProductId], buyer: &Buyer) -> Line {
        let own = Lexicon::new(&buyer.synonyms);
        let mut seeker = Seeker::new(self, &own);
        let chars = characters(self, answer);
        let lexemes: Vec<Lexeme> = super::lexer::lex(&chars);
        let lexemes = super::numerals::replace(lexemes, |_| false);
        let begun = Instant::now();
        let mut draft = Draft { wants: seeker.wants(&lexemes, &[]), ..Draft::default() };
        let rows: Vec<u32> = among.iter().filter_map(|id| self.row(*id)).collect();
        let kept = |draft: &mut Draft, seeker: &Seeker<'_>, stretch: Stretch| {
            let hits: Vec<_> = seeker
                .hits(&draft.wants, stretch)
                .into_iter()
                .filter(|h| rows.contains(&h.row))
                .collect();
            draft.fit = hits.len();
            draft.meant = meant(seeker, &hits, &draft.wants);
        };
        draft.wants.retain(|w| w.known || w.numeric);
        kept(&mut draft, &seeker, Stretch::No);
        if draft.meant.is_empty() {
            kept(&mut draft, &seeker, Stretch::Units);
        }
        let answered = !draft.meant.is_empty();
        if !answered {
            draft.meant = rows.iter().map(|r| super::rank::Hit { row: *r, quality: 0.5 }).collect();
        }
        let end = answer.len();
        let pending = Pending {
            draft,
            start: 0,
            end,
            quantity: None,
            unit: None,
            header: false,
            new_line: true,
            continues: false,
            lexemes: Vec::new(),
            micros: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        let mut line = line(&seeker, buyer, pending);
        phrase.clone_into(&mut line.phrase);
        if !answered && line.decision == Decision::Matched {
            line.decision = Decision::Ambiguous;
            line.product = None;
        }
        line
    }

    /// Searches the catalogue as one types: the last word may be unfinished.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Candidate> {
        let own = Lexicon::default();
        let mut seeker = Seeker::new(self, &own);
        let chars = characters(self, query);
        let lexemes = super::lexer::lex(&chars);
        let articles = super::interpret::cited(self, query, &lexemes);
        if let Some(rows) = articles.first().map(super::interpret::Cited::rows) {
            return rows.iter().take(limit).map(|r| candidate(self, *r, 1.0)).collect();
        }
        let wants: Vec<Want> =
            seeker.wants(&lexemes, &[]).into_iter().filter(|w| w.known).collect();
        let mut hits = seeker.hits(&wants, Stretch::No);
        if hits.is_empty() {
            let wide = seeker.widen(&wants);
            hits = seeker.hits(&wide, Stretch::Units);
        }
        if hits.is_empty() {
            let mut near = nearest(&seeker, &wants, &Buyer::default(), "");
            near.truncate(limit);
            return near;
        }
        hits.sort_by(|a, b| {
            self.junk[a.row as usize]
                .cmp(&self.junk[b.row as usize])
                .then(b.quality.total_cmp(&a.quality))
                .then(
                    self.entries[b.row as usize]
                        .available
                        .cmp(&self.entries[a.row as usize].available),
                )
        });
        hits.into_iter().take(limit).map(|h| candidate(self, h.row, h.quality)).collect()
    }
}

/// Reads a draft again with other wants.
pub(crate) fn again(seeker: &Seeker<'_>, draft: &mut Draft) {
    settle(seeker, draft, Stretch::No);
    if draft.fit == 0 {
        settle(seeker, draft, Stretch::Units);
        draft.stretched = draft.fit > 0;
    }
}
