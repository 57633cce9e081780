//! Quantities said apart from their goods: «5 рул», «по 10 каждого», «хотя нет, 3».

use super::super::inherit::Heir;
use super::super::interpret::{Draft, Light, read};
use super::super::lexer::Lexeme;
use super::super::quantity::Said;
use super::super::rank::{Seeker, Want};
use super::super::speech::Talk;
use super::super::split::Piece;
use super::{Desk, Pending, again, anchored};
use crate::domain::Quantity;

impl Desk<'_> {
    /// «Спанбонд чёрный 60, 70, 80 по 2»: the last number of the line before was no quantity either.
    pub(super) fn number_after_number(&mut self, seeker: &mut Seeker<'_>, piece: &Piece) {
        let number = |l: &[Lexeme]| {
            l.first().is_some_and(Lexeme::is_number)
                && (l.len() == 1
                    || l.get(1).is_some_and(|u| {
                        u.text == "по"
                            || crate::recognition::terms::Measure::read(&u.text, true)
                                == Some(crate::recognition::terms::Measure::Mm)
                    }))
        };
        let Some(last) = self.lines.last() else { return };
        let bare = last.quantity.is_some() && last.unit.is_none() && !last.draft.reading.each;
        if !bare || !number(&piece.lexemes) || !last.lexemes.last().is_some_and(Lexeme::is_number) {
            return;
        }
        let context = inherited(&last.draft);
        let light = Light { context: &context, header: true, ..Light::default() };
        let (again, _) = read(seeker, self.text, &last.lexemes, light);
        if again.fit > 0
            && again.unknown() == 0
            && let Some(last) = self.lines.last_mut()
        {
            self.context.clone_from(&again.wants);
            last.draft = again;
            last.quantity = None;
        }
    }

    /// «Опора кубик 80, хром 20 шт, чёрный 8»: the number of what only introduces others is their own.
    pub(super) fn heading_with_number(&mut self, seeker: &mut Seeker<'_>, piece: &Piece) {
        let Some(last) = self.lines.last() else { return };
        let bare = last.quantity.is_some() && last.unit.is_none() && !last.draft.reading.each;
        if !bare
            || last.draft.meant.len() < 2
            || !last.lexemes.last().is_some_and(|l| l.is_number() && !l.spoken)
            || !piece.lexemes.first().is_some_and(Lexeme::is_word)
            || anchored(seeker.index, &piece.lexemes)
        {
            return;
        }
        let context = inherited(&last.draft);
        let light = Light { context: &context, header: true, ..Light::default() };
        let (again, _) = read(seeker, self.text, &last.lexemes, light);
        if again.unknown() > 0 || !(2..last.draft.meant.len()).contains(&again.meant.len()) {
            return;
        }
        let light = Light { context: &again.wants, ..Light::default() };
        let (one, heir) = read(seeker, self.text, &piece.lexemes, light);
        if heir == Heir::Adds
            && one.is_certain()
            && one.reading.quantity.is_some()
            && let Some(last) = self.lines.last_mut()
        {
            self.context.clone_from(&again.wants);
            last.draft = again;
            last.quantity = None;
            last.header = true;
        }
    }

    /// «Мешки 240 литров…, 5 рулонов»: what was taken for the quantity is the product's own number.
    fn number_before_count(&mut self, seeker: &mut Seeker<'_>) {
        let Some(last) = self.lines.last() else { return };
        let counted = last.unit.as_ref().is_some_and(Said::counts);
        let own = last.counts_itself(seeker);
        if last.quantity.is_none() || counted && !own || last.draft.reading.each {
            return;
        }
        let light = Light { header: true, ..Light::default() };
        let said = [last.lexemes.as_slice(), &last.added].concat();
        let (again, _) = read(seeker, self.text, &said, light);
        let better = again.fit > 0
            && again.unknown() == 0
            && !again.meant.is_empty()
            && (last.draft.meant.is_empty() || again.meant.len() <= last.draft.meant.len());
        if better && let Some(last) = self.lines.last_mut() {
            self.context.clone_from(&again.wants);
            last.draft = again;
            (last.quantity, last.unit) = (None, None);
        }
    }

    /// A piece that names no product: a quantity for what was named before, or talk.
    pub(super) fn quantity_alone(&mut self, seeker: &mut Seeker<'_>, piece: &Piece, draft: &Draft) {
        let quantity = draft.reading.quantity;
        if quantity.is_some()
            && let Some(mut asked) = self.asked.take()
        {
            // «Направляющие 600? мне 2 комплекта» are not six hundred.
            if asked.quantity.is_some() && asked.unit.is_none() {
                let light = Light { header: true, ..Light::default() };
                let (again, _) = read(seeker, self.text, &asked.lexemes, light);
                if again.fit > 0 && again.unknown() == 0 {
                    asked.draft = again;
                }
            }
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
            self.share(seeker, quantity, unit.as_ref());
            return;
        }
        let counts = draft.reading.unit.as_ref().is_some_and(Said::counts);
        if counts && !piece.corrects {
            self.number_before_count(seeker);
        }
        if piece.corrects && self.says_again() {
            // «Верона 07 20 м | верона 07 не 20, а 25 метров»
            self.lines.pop();
        }
        let Some(last) = self.lines.last_mut() else {
            self.remark(piece);
            return;
        };
        let conditional = piece.lexemes.iter().any(|l| l.text == "если");
        let open = last.quantity.is_none() || last.amended && piece.continues;
        if open || (piece.corrects && !conditional) {
            last.quantity = quantity;
            if draft.reading.unit.is_some() || last.unit.is_none() {
                last.unit.clone_from(&draft.reading.unit);
            }
            last.end = last.end.max(piece.end);
        } else if conditional || piece.talk == Talk::None {
            last.end = last.end.max(piece.end);
        } else {
            self.remark(piece);
        }
    }

    /// Whether the last line, without a quantity, is the product of the line before it.
    fn says_again(&self) -> bool {
        let [.., before, last] = self.lines.as_slice() else { return false };
        last.quantity.is_none()
            && before.quantity.is_some()
            && last.draft.means_the_same(&before.draft)
    }

    /// Gives a quantity to the lines before that have none, and what the last line says to those
    /// that leave it open: «RS133 96 и 128 хром по 10».
    pub(super) fn share(
        &mut self,
        seeker: &mut Seeker<'_>,
        quantity: Option<Quantity>,
        unit: Option<&Said>,
    ) {
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
                && line.draft.meant.len() != 1;
            // «Стяжка 3,6х200 (100 шт) и 2,5х200 по 5 шт»: there are a hundred in a pack.
            let own = line.draft.meant.len() == 1 && line.counts_itself(seeker);
            if !joined || !(line.quantity.is_none() || bare || own) {
                break;
            }
            let mut draft = line.draft.clone();
            if bare || own {
                let context = inherited(&line.draft);
                let light = Light { context: &context, header: true, ..Light::default() };
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
            line.unit = unit.cloned();
        }
    }
}

impl Pending {
    /// Whether what was taken for the quantity is of every product meant: the number of their titles,
    /// or the first word of «коробка на 6 капкейков».
    pub(super) fn counts_itself(&self, seeker: &Seeker<'_>) -> bool {
        let numbers = || self.draft.reading.spoken_for.iter().map(|at| self.lexemes.get(*at));
        let reading = &self.draft.reading;
        // What the sentence said of each is not the line's own.
        let own = !reading.each && reading.quantity.is_some() && !self.draft.meant.is_empty();
        let Some(quantity) = self.quantity.filter(|_| own) else { return false };
        let amount = quantity.thousandths();
        !numbers().flatten().any(Lexeme::is_number)
            || self
                .draft
                .meant
                .iter()
                .all(|hit| seeker.says_amount(hit.row, amount, self.unit.as_ref()))
    }
}

/// What a line has of the one before.
fn inherited(draft: &Draft) -> Vec<Want> {
    draft.wants.iter().filter(|w| w.inherited).cloned().collect()
}
