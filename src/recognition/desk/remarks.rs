//! What of a message is no order: talk, questions, addresses.

use super::super::interpret::Draft;
use super::super::lexer::Lexeme;
use super::super::quantity::Said;
use super::super::rank::{Need, Seeker, Want};
use super::super::speech::{Talk, is_delivery, is_filler, is_finite, is_first_name, is_greeting};
use super::super::split::Piece;
use super::super::terms::Measure;
use super::super::types::{Remark, RemarkKind};
use super::Desk;

/// Whether a piece goes on the talk before it: a name after a greeting, a house after a street.
pub(super) fn goes_on_talking(piece: &Piece, before: Option<Talk>) -> bool {
    let numbers = piece.lexemes.iter().filter(|l| l.is_number()).count();
    let words = piece.lexemes.iter().filter(|l| l.is_word()).count();
    match before {
        // «Добрый день, Светлана!»
        Some(Talk::Greeting) => numbers == 0 && words <= 2,
        // «Это кофейня на Ленина, 12.»
        Some(_) => words == 0 && numbers == 1 && !piece.corrects,
        None => false,
    }
}

/// Whether a want is a size of several numbers.
fn is_size(want: &Want) -> bool {
    want.ways
        .iter()
        .flat_map(|w| &w.needs)
        .any(|need| matches!(need, Need::Size(size) if size.numbers.len() > 1))
}

impl Desk<'_> {
    /// Whether a piece is a street or a sum.
    pub(super) fn is_address(&mut self, piece: &Piece) -> bool {
        let counts = |l: &[Lexeme]| {
            (0..l.len()).any(|i| {
                l[i].is_number()
                    && crate::recognition::quantity::unit_at(l, i + 1).is_some_and(|u| u.0.counts())
            })
        };
        // «Пер. кан. 50/40» is no lane.
        let upper = |at: usize| piece.lexemes.get(at).is_some_and(|l| l.upper);
        let named = piece.lexemes.iter().enumerate().any(|(at, l)| match l.text.as_str() {
            "ул" | "просп" | "улица" | "проспект" | "переулок" => true,
            "пер" => upper(at + 1),
            _ => false,
        });
        // «Г. кол. М10» is of no town.
        let marked = piece.lexemes.windows(2).any(|pair| {
            pair[0].is_word() && pair[1].is_number() && !pair[1].spaced && pair[0].text.len() < 4
        });
        let street = (std::mem::take(&mut self.street) && !piece.new_line || named)
            && !counts(&piece.lexemes)
            && !marked;
        // «Гель 60г: синий 5» is of no town.
        let town = match piece.lexemes.as_slice() {
            [.., number, _] if number.is_number() => false,
            [.., last] => matches!(last.text.as_str(), "г" | "город"),
            [] => false,
        };
        self.street = street || town;
        piece.total || street || is_place(&piece.lexemes)
    }

    pub(super) fn is_remark(
        &self,
        seeker: &Seeker<'_>,
        piece: &Piece,
        draft: &Draft,
        anchored: bool,
    ) -> bool {
        if is_street(seeker, piece) || self.only_tells(piece, draft) {
            return true;
        }
        let counted = draft.reading.unit.as_ref().is_some_and(Said::counts);
        let known = draft.wants.iter().filter(|w| w.known && !w.numeric).count();
        let figures = draft.wants.iter().filter(|w| w.numeric).count();
        let unknown = draft.wants.iter().filter(|w| !w.known && !w.numeric).count();
        let words = draft.wants.len();
        let spoken: Vec<&str> =
            piece.lexemes.iter().filter(|l| l.is_word()).map(|l| l.text.as_str()).collect();
        if unknown > 0 && crate::recognition::speech::tells_of_the_past(&spoken) {
            return true;
        }
        // «Если нет — аналог»
        if spoken.first() == Some(&"если") && draft.reading.quantity.is_none() {
            return true;
        }
        // «чекавая ленат 57*60 20»: nobody talks in sizes.
        if draft.wants.iter().any(is_size)
            && known + unknown > 0
            && draft.reading.quantity.is_some()
        {
            return false;
        }
        // «Папка-регистратор синяя» is goods: titles of all that fit begin so.
        let begins = !draft.meant.is_empty()
            && draft.wants.iter().any(|w| draft.meant.iter().all(|h| seeker.begins(h.row, w)));
        let sure = |w: &Want| w.known && !w.guessed && seeker.is_thing(w);
        let named = draft.wants.iter().any(sure);
        let guesses = draft.widened && !named || draft.wants.iter().all(|w| w.guessed || !w.known);
        if !draft.by_article
            && draft.reading.quantity.is_none()
            && figures == 0
            && !self.single(piece)
            && (guesses
                || words <= 2 && !named && draft.wants.iter().any(|w| w.guessed)
                || !anchored && draft.meant.len() != 1 && !begins)
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
        // «Машина будет к 10»: needles are for machines too.
        let delivers = |w: &Want| w.numeric || is_delivery(&w.text);
        if piece.talk == Talk::Delivery
            && !draft.by_article
            && draft.reading.unit.is_none()
            && draft.wants.iter().all(delivers)
        {
            return true;
        }
        // «См. вложение»
        let measures = |w: &&str| Measure::read(w, true).is_some();
        if figures == 0 && !spoken.is_empty() && spoken.iter().all(measures) {
            return true;
        }
        // «На склад» is no «складной».
        let spoken_of = |w: &Want| is_delivery(&w.text) && !seeker.index.vocabulary.has(&w.text);
        if !draft.by_article
            && draft.reading.quantity.is_none()
            && figures == 0
            && words > 0
            && draft.wants.iter().all(spoken_of)
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
        // «Бумага офисная 5 пачек» is goods, whether or not the catalogue has them.
        let attributive = |w: &&str| !is_delivery(w) || super::super::line::is_adjective(w);
        let ordered = counted && (known > 0 || unknown > 0 && spoken.iter().all(attributive));
        if piece.talk != Talk::None && !ordered {
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
            // In a list of goods it is one of them: «скоба 80/6 5 уп, ноутбук 2, синтепон 300».
            let among = piece.continues
                && (1..=2).contains(&unknown)
                && self.lines.last().is_some_and(|l| l.quantity.is_some());
            let listed =
                draft.reading.unit.is_some() || piece.new_line || among || self.single(piece);
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

    /// Whether a piece tells of people and days, and names nothing that is ordered.
    fn only_tells(&self, piece: &Piece, draft: &Draft) -> bool {
        let quiet = draft.reading.quantity.is_none() && !draft.by_article;
        let spoken: Vec<&str> =
            piece.lexemes.iter().filter(|l| l.is_word()).map(|l| l.text.as_str()).collect();
        let figured = draft.wants.iter().any(|w| w.numeric);
        let told = || draft.wants.iter().filter(|w| !w.numeric);
        // «Доброе утро», «Лена»
        let greets = |w: &&str| {
            is_greeting(w)
                || is_first_name(w)
                || is_filler(w)
                || matches!(*w, "утро" | "день" | "вечер")
        };
        let numbered = piece.lexemes.iter().any(Lexeme::is_number);
        let greeted = !spoken.is_empty() && spoken.iter().all(greets);
        // «…, а мне 6 пожалуйста» orders what has no quantity yet.
        let wanting = numbered && self.lines.last().is_some_and(|l| l.quantity.is_none());
        if quiet && !wanting && !self.single(piece) && greeted {
            return true;
        }
        // «Как в прошлый раз»
        let last = |pair: &[&str]| pair[0].starts_with("прошл") && pair[1] == "раз";
        if quiet && !figured && spoken.windows(2).any(last) {
            return true;
        }
        // «Это кофейня «Зерно»»
        if quiet && !figured && !self.single(piece) && spoken.first() == Some(&"это") {
            return true;
        }
        // «Кровати собираем», «открываем вторую точку»
        let does = |w: &Want| !w.known && is_finite(&w.text);
        let said = |l: &Lexeme| l.is_number() && !(l.spoken && l.named);
        if quiet && told().any(does) && !piece.lexemes.iter().any(said) {
            return true;
        }
        // «Буду после шести»
        let hour = |pair: &[Lexeme]| {
            matches!(pair[0].text.as_str(), "после" | "около") && pair[1].is_number()
        };
        let bare = draft.reading.unit.is_none() && !told().any(|w| w.known);
        bare && piece.lexemes.windows(2).any(hour)
    }

    /// Whether the piece is the whole message.
    pub(super) fn single(&self, piece: &Piece) -> bool {
        let outside = [self.text.get(..piece.start), self.text.get(piece.end..)];
        !outside.into_iter().flatten().any(|t| t.contains(char::is_alphanumeric))
    }

    pub(super) fn remark(&mut self, piece: &Piece) {
        self.talked = Some(piece.talk);
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
}

/// «На Ленина 40»
fn is_street(seeker: &Seeker<'_>, piece: &Piece) -> bool {
    let [on, street, house] = piece.lexemes.as_slice() else { return false };
    on.text == "на"
        && street.is_word()
        && street.upper
        && house.is_number()
        && !seeker.index.vocabulary.has(&street.text)
}

/// «Мы на Лесной 14», «это на Заводской, 3»: where somebody is.
fn is_place(lexemes: &[Lexeme]) -> bool {
    let word = |at: usize| lexemes.get(at).filter(|l| l.is_word()).map_or("", |l| l.text.as_str());
    let somebody = matches!(word(0), "мы" | "я" | "это" | "они" | "живем" | "находимся" | "сидим");
    let named = word(2).ends_with("ой") || word(2).ends_with("ого");
    somebody && matches!(word(1), "на" | "в") && named && lexemes[3..].iter().all(|l| !l.is_word())
}

/// «Кирпичная 7»: a street and a house.
pub(super) fn address(lexemes: &[Lexeme]) -> bool {
    match lexemes {
        [street, house] => {
            let adjective =
                ["ая", "ий", "ый", "ой", "ское", "ого"].iter().any(|e| street.text.ends_with(e));
            street.is_word() && adjective && house.is_number()
        }
        _ => false,
    }
}
