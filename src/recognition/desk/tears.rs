//! A piece that reads badly, read again in parts: torn in two, or without the talk around it.

use super::super::inherit::Heir;
use super::super::interpret::{Draft, Light, only_quantity, read};
use super::super::lexer::Lexeme;
use super::super::line::is_adjective;
use super::super::numerals;
use super::super::quantity::{Said, unit_at};
use super::super::rank::{Seeker, Want};
use super::super::speech::{self, Talk};
use super::super::split::{Piece, opens, piece as make_piece};
use super::super::terms::{Measure, is_little};
use super::{Desk, anchored};

impl Desk<'_> {
    /// «Иглы 70/90 по 5 шт»: two sizes of one thing, where no thing is of both.
    fn sizes_of_each(&self, seeker: &mut Seeker<'_>, piece: &Piece) -> Option<(Piece, Piece)> {
        let lexemes = &piece.lexemes;
        let number = |at: usize| lexemes.get(at).is_some_and(Lexeme::is_number);
        let slash = (1..lexemes.len()).find(|at| {
            let before = number(at - 1) || *at > 1 && lexemes[at - 1].is_word() && number(at - 2);
            lexemes[*at].is('/') && !lexemes[*at].spaced && before && number(at + 1)
        })?;
        let each = lexemes[slash..].windows(2).any(|w| w[0].text == "по" && w[1].is_number());
        let (mut left, mut right) =
            (make_piece(&lexemes[..slash])?, make_piece(&lexemes[slash + 1..])?);
        let light = Light { context: &self.context, header: true, ..Light::default() };
        let first = read(seeker, self.text, &left.lexemes, light).0;
        let light = Light { context: &first.wants, instead: true, ..Light::default() };
        if !each || first.fit == 0 || read(seeker, self.text, &right.lexemes, light).0.fit == 0 {
            return None;
        }
        (left.continues, left.new_line) = (piece.continues, piece.new_line);
        right.continues = true;
        Some((left, right))
    }

    /// A piece in which nothing fits, torn where a quantity ends or begins so that both parts fit.
    pub(super) fn torn(&self, seeker: &mut Seeker<'_>, piece: &Piece) -> Option<(Piece, Piece)> {
        if let Some(sizes) = self.sizes_of_each(seeker, piece) {
            return Some(sizes);
        }
        let tear = |place| self.torn_at(seeker, piece, place);
        let torn = places_to_tear(&piece.lexemes).into_iter().take(8).filter_map(tear);
        let (_, left, right) = torn.max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some((left, right))
    }

    /// A piece torn at a place, and how well its parts read, if they are two items.
    fn torn_at(
        &self,
        seeker: &mut Seeker<'_>,
        piece: &Piece,
        place: usize,
    ) -> Option<(f32, Piece, Piece)> {
        let lexemes = &piece.lexemes;
        let (mut left, mut right) =
            (make_piece(&lexemes[..place])?, make_piece(&lexemes[place..])?);
        let named = anchored(seeker.index, &left.lexemes);
        let context = if named { Vec::new() } else { self.context.clone() };
        let light = Light { context: &context, ..Light::default() };
        let first = read(seeker, self.text, &left.lexemes, light).0;
        let spoken = first.reading.spoken_for.iter().any(|at| lexemes[*at].spoken);
        let bare = first.reading.quantity.is_some() && first.reading.unit.is_none() && !spoken;
        // «Прожектор 20Вт 6500К фиолетовый», «пакет (500шт) матовый 5 уп»: what the title says itself
        // is no quantity. Metres may be cut of a coil of as many.
        let counted = first.reading.unit.as_ref().is_none_or(Said::counts) && !spoken;
        let own = matches!((first.meant.as_slice(), first.reading.quantity), ([hit], Some(q))
            if counted
                && seeker.says_amount(hit.row, q.thousandths(), first.reading.unit.as_ref()));
        // «мыло 1 л» of a bottle is no litre of it.
        if is_only_measured(seeker, &first)
            || bare && !(first.is_certain() && lexemes[place].is_word())
            || own
        {
            return None;
        }
        let another = anchored(seeker.index, &right.lexemes);
        // «Канистра 14 кг» is no canister and fourteen kilograms more.
        let numbered = first.reading.spoken_for.iter().any(|at| lexemes[*at].is_number());
        // «Труба ПНД | 25 питьевая» neither: what is like something names no other goods.
        let noun = |l: &Lexeme| l.is_word() && opens(seeker.index, l) && !is_adjective(&l.text);
        let named = another && right.lexemes.iter().any(noun);
        if !numbered && lexemes[place].is_number() && !named {
            return None;
        }
        let ends =
            first.reading.quantity.is_some() && first.reading.spoken_for.contains(&(place - 1));
        if first.fit == 0 || first.unknown() > 0 || !(ends || lexemes[place].is_number() && another)
        {
            return None;
        }
        let context = if another { Vec::new() } else { first.wants.clone() };
        let light = Light { context: &context, ..Light::default() };
        let second = read(seeker, self.text, &right.lexemes, light).0;
        let reads = second.fit > 0
            && second.unknown() == 0
            && second.reading.quantity.is_some()
            && !second.widened;
        // «Чука 4 пачки масаго 2 шт угорь 3 пачки»: what is counted is an item, whatever follows.
        let item = ends
            && first.is_certain()
            && first.reading.unit.as_ref().is_some_and(Said::counts)
            && is_counted_goods(&right.lexemes);
        let goes_on = |w: &Want| w.inherited || seeker.is_thing(w);
        // «Ведро 10 л без крышки ПП 7 шт»: another item is called something.
        let called = ends || second.wants.iter().any(|w| seeker.is_thing(w));
        if !(reads && called || item)
            || bare && !(second.is_certain() && second.wants.iter().any(goes_on))
        {
            return None;
        }
        left.continues = piece.continues;
        left.new_line = piece.new_line;
        left.corrects = piece.corrects;
        right.continues = true;
        Some((first.score + second.score, left, right))
    }
}

/// Where a quantity ends or begins, so that a piece may be torn there.
fn places_to_tear(lexemes: &[Lexeme]) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::new();
    for at in 1..lexemes.len().saturating_sub(1) {
        if !lexemes[at].is_number() || lexemes[at].named || lexemes[at - 1].is('x') {
            continue;
        }
        match unit_at(lexemes, at + 1) {
            Some((Said::Unit(_), taken)) => places.extend([at + 1 + taken, at]),
            None if lexemes[at].spoken => places.push(at + 1),
            // «Счётчик ХВС 2 ГВС 2»: what goes on so ends with its number too.
            None if lexemes.last().is_some_and(Lexeme::is_number)
                && lexemes[at].spaced
                && lexemes[at + 1].is_word()
                && lexemes[at + 1].spaced =>
            {
                places.push(at + 1);
            }
            _ => {}
        }
    }
    places.retain(|p| {
        *p >= 2 && *p + 2 <= lexemes.len() && !lexemes[*p].is('/') && !lexemes[*p - 1].is('/')
    });
    places
}

/// Whether lexemes begin with a word of goods and say how many of something.
fn is_counted_goods(lexemes: &[Lexeme]) -> bool {
    let begins = |l: &Lexeme| {
        l.is_word()
            && l.text.chars().count() > 2
            && !speech::is_filler(&l.text)
            && !is_little(&l.text)
            && Measure::read(&l.text, true).is_none()
    };
    let counted = |at: usize| {
        lexemes[at].is_number() && unit_at(lexemes, at + 1).is_some_and(|(unit, _)| unit.counts())
    };
    lexemes.first().is_some_and(begins) && (1..lexemes.len()).any(counted)
}

/// How much worse a reading is for each number that is grouped less naturally.
const REGROUPED: f32 = 0.15;

/// A piece with its number words grouped in another way, or a letter tied to the number beside it (see
/// [`numerals::regrouped`] and [`numerals::tied`]), read again, if that reads better.
pub(super) fn regrouped(
    seeker: &mut Seeker<'_>,
    text: &str,
    lexemes: &[Lexeme],
    light: Light<'_>,
    draft: &Draft,
) -> Option<(Vec<Lexeme>, Draft, Heir)> {
    if light.titled > 0 || draft.by_article {
        return None;
    }
    let index = seeker.index;
    let mut ways = numerals::regrouped(text, lexemes, &|value| index.knows_number(value));
    if !draft.is_certain() {
        ways.extend(numerals::tied(lexemes).into_iter().map(|way| (way, 0)));
    }
    let mut best: Option<(Vec<Lexeme>, Draft, Heir)> = None;
    for (lexemes, cost) in ways {
        let (mut candidate, heir) = read(seeker, text, &lexemes, Light { plainly: true, ..light });
        candidate.score -= REGROUPED * f32::from(cost);
        let least = best.as_ref().map_or(draft.score, |(_, best, _)| best.score);
        if candidate.fit > 0 && candidate.unknown() == 0 && candidate.score > least {
            best = Some((lexemes, candidate, heir));
        }
    }
    best
}

/// A piece with the one that was cut from it, if that is one product as a whole, and not two as they
/// are: «диск алмазный 230» and «турбо 1 шт».
pub(super) fn whole(
    seeker: &mut Seeker<'_>,
    text: &str,
    piece: &Piece,
    next: &Piece,
) -> Option<Piece> {
    if !(next.cut || next.parted) || piece.titled > 0 || next.talk != Talk::None {
        return None;
    }
    // «Термополотно 100 и 150» are two.
    let number = |l: Option<&Lexeme>| l.is_some_and(|l| l.is_number() && !l.spoken);
    if next.parted
        && number(piece.lexemes.last())
        && number(next.lexemes.first())
        && next.lexemes.len() == 1
    {
        return None;
    }
    let lexemes: Vec<Lexeme> = piece.lexemes.iter().chain(&next.lexemes).cloned().collect();
    // «30 — 10, 50 мм 5» names nothing.
    let names = |at: usize| lexemes[at].is_word() && unit_at(&lexemes, at).is_none();
    if !(0..lexemes.len()).any(names) {
        return None;
    }
    let mut whole = make_piece(&lexemes)?;
    let sure = |d: &Draft| d.is_certain() && !d.widened && !d.stretched;
    let mut together = read(seeker, text, &whole.lexemes, Light::default()).0;
    // «Спанбонд семьдесят один и шесть два рулона» is one of 1,6.
    let fraction = piece.lexemes.last().is_some_and(Lexeme::is_said_number)
        && next.lexemes.first().is_some_and(Lexeme::is_said_number)
        && piece.talk == Talk::None;
    let regrouped = fraction
        .then(|| regrouped(seeker, text, &whole.lexemes, Light::default(), &together))
        .flatten();
    let fraction = regrouped.is_some();
    if let Some((lexemes, draft, _)) = regrouped {
        (whole.lexemes, together) = (lexemes, draft);
    }
    if piece.talk != Talk::None {
        (whole, together) = without_talk(seeker, text, &whole, &together)?;
        // Talk orders nothing: what is left out has no number but that of a paper, «в счёт 1542».
        let mut left_out = lexemes.iter().filter(|l| l.end <= whole.start || l.start >= whole.end);
        let paper = |l: &Lexeme| l.text.len() >= 4 && !l.spoken;
        if whole.start >= next.start || left_out.any(|l| l.is_number() && !paper(l)) {
            return None;
        }
    }
    let fits = |d: &Draft| d.fit > 0 && d.unknown() == 0 && !d.widened && !d.stretched;
    if !fits(&together) || together.reading.quantity.is_none() {
        return None;
    }
    let one = read(seeker, text, &piece.lexemes, Light::default()).0;
    let other = read(seeker, text, &next.lexemes, Light::default()).0;
    let whole_one = sure(&together) && !(sure(&one) && sure(&other))
        || !(is_item(seeker, &one) && is_item(seeker, &other));
    // «Болты 100 и гайки» are two: what has its quantity is not gone on with.
    let done =
        next.parted && (one.reading.quantity.is_some() || only_quantity(&piece.lexemes).is_some());
    let apart = !whole_one || done;
    if apart && !fraction || !one.says_something() {
        return None;
    }
    Some(Piece {
        continues: piece.continues,
        new_line: piece.new_line,
        cut: piece.cut,
        parted: piece.parted,
        ..whole
    })
}

/// Whether a draft by itself orders so many of some goods.
fn is_item(seeker: &Seeker<'_>, draft: &Draft) -> bool {
    draft.fit > 0
        && draft.reading.quantity.is_some()
        && !is_only_measured(seeker, draft)
        && draft.wants.iter().any(|w| seeker.names_goods(w))
}

/// Whether a draft's unit is a measure that its product is not sold by.
fn is_only_measured(seeker: &Seeker<'_>, draft: &Draft) -> bool {
    let best = draft.meant.first();
    let own = best.and_then(|h| seeker.index.entries[h.row as usize].unit.as_ref());
    draft
        .reading
        .unit
        .as_ref()
        .is_some_and(|said| !said.counts() && own.is_some_and(|own| !said.is(own)))
}

/// A piece without the talk before and after the goods, read again, if that reads better.
pub(super) fn without_talk(
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
                || speech::is_greeting(&l.text)
                || speech::is_finite(&l.text))
    };
    let spoken: Vec<&str> =
        lexemes.iter().filter(|l| l.is_word()).map(|l| l.text.as_str()).collect();
    if speech::tells_of_the_past(&spoken) {
        return None;
    }
    let talk: Vec<usize> = (0..lexemes.len()).filter(|i| is_talk(&lexemes[*i])).collect();
    if talk.is_empty() {
        return None;
    }
    let mut best: Option<(Piece, Draft)> = None;
    let mut starts: Vec<usize> = vec![0];
    // The goods begin after talk, at a number or at a word that opens an item.
    for i in talk[0] + 1..lexemes.len() {
        if lexemes[i - 1].is('№') || lexemes[i - 1].is('#') {
            continue;
        }
        if lexemes[i].is_number()
            || (lexemes[i].is_word()
                && !is_talk(&lexemes[i])
                && (opens(seeker.index, &lexemes[i]) || is_talk(&lexemes[i - 1])))
        {
            starts.push(i);
        }
    }
    let mut ends: Vec<usize> = vec![lexemes.len()];
    // «Шпагат 2 мотка кровлю крыть начинаем»: what is told goes on to the end.
    let counted = |at: usize| {
        let (_, taken) = unit_at(lexemes, at + 1).filter(|(unit, _)| unit.counts())?;
        let end = at + 1 + taken;
        let told = lexemes.get(end..)?;
        let does = told.iter().any(|l| speech::is_finite(&l.text));
        (does && !told.iter().any(Lexeme::is_number)).then_some(end)
    };
    ends.extend((0..lexemes.len()).filter(|at| lexemes[*at].is_number()).find_map(counted));
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
            // What is no talk may be the goods: «автомат 3P 6 А … 6кА ABB» orders nothing by «6 ABB».
            let told = |l: &Lexeme| l.is_number() || l.is_word() && !is_talk(l);
            let left_out = lexemes[..start].iter().any(told);
            // What is all of the catalogue is talk only where the goods after it are sure.
            let begins = lexemes[start].is_word() || candidate.reading.spoken_for.contains(&0);
            let before = lexemes[..start].iter().rev().find(|l| !is_little(&l.text));
            let led = before.is_some_and(is_talk) && begins;
            let sure = led && end == lexemes.len() && candidate.is_certain();
            let names = names
                && (draft.unknown() > 0 || piece.talk != Talk::None || sure)
                && (!left_out
                    || candidate.by_article
                    || candidate.wants.iter().any(|w| seeker.names_goods(w)));
            let better = names && candidate.unknown() < draft.unknown() && candidate.fit > 0
                || names && candidate.unknown() == 0 && candidate.fit > 0 && draft.fit == 0;
            // «Заявка цех № 2 (диваны), отгрузка во вторник» orders no sofas.
            let does = lexemes.iter().any(|l| l.is_word() && speech::is_finite(&l.text));
            let said = piece.talk != Talk::Delivery && !does
                || candidate.reading.quantity.is_some()
                || candidate.wants.iter().filter(|w| w.known).count() >= 2;
            if better && said && best.as_ref().is_none_or(|(_, b)| candidate.score > b.score) {
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
