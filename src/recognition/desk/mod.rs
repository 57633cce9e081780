//! A message → lines and remarks: pieces are read one by one, each in the light of those before.

mod changes;
mod remarks;
mod shares;
mod tears;
mod titles;

use std::time::Instant;

use super::index::Index;
use super::inherit::{Heir, inherit, of_the_same};
use super::interpret::{Draft, Light, names_article, only_quantity, read, settle};
use super::lexer::{Lexeme, lex};
use super::line::line;
use super::normalize::Chars;
use super::quantity::{Reading, Said};
use super::rank::{Need, Seeker, Stretch, Want};
use super::speech::{self, Talk};
use super::split::{Piece, characters, opens, pieces};
use super::synonyms::Lexicon;
use super::terms::is_it;
use super::types::{Buyer, Line, Recognition, Remark};
use crate::domain::Quantity;
use tears::{regrouped, without_talk};

/// A line on its way.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "how a line stands in the text, said apart")]
pub(crate) struct Pending {
    pub(crate) draft: Draft,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) quantity: Option<Quantity>,
    pub(crate) unit: Option<Said>,
    /// Only introduces the lines after it.
    pub(crate) header: bool,
    /// Begins a line of the text.
    pub(crate) new_line: bool,
    /// Goes on the sentence of the line before.
    pub(crate) continues: bool,
    /// What it was read from.
    pub(crate) lexemes: Vec<Lexeme>,
    /// What the sentence went on to say of it.
    pub(crate) added: Vec<Lexeme>,
    /// Another product was put in its stead, and its quantity not said anew.
    pub(crate) amended: bool,
    pub(crate) micros: u64,
}

impl Index {
    /// Reads a message.
    pub fn recognize(&self, text: &str, buyer: &Buyer) -> Recognition {
        let own = Lexicon::new(&buyer.synonyms);
        let mut seeker = Seeker::new(self, &own);
        let chars = characters(self, text);
        let mut desk = Desk::new(text);
        let mut all = pieces(self, &chars).into_iter().peekable();
        while let Some(mut piece) = all.next() {
            while let Some(whole) =
                all.peek().and_then(|next| tears::whole(&mut seeker, text, &piece, next))
            {
                piece = whole;
                all.next();
            }
            desk.followed = all.peek().is_some_and(is_quantity_with_unit);
            desk.take(&mut seeker, piece);
        }
        desk.finish(&seeker, buyer)
    }
}

/// What a message has said so far.
#[expect(clippy::struct_excessive_bools, reason = "what the next piece may hang on, said apart")]
struct Desk<'t> {
    text: &'t str,
    lines: Vec<Pending>,
    remarks: Vec<Remark>,
    /// A product asked about: ordered after all if a quantity follows.
    asked: Option<Pending>,
    /// What the next piece may leave unsaid.
    context: Vec<Want>,
    /// What the heading of a table leaves for every row of it to say.
    heading: Vec<Want>,
    /// The piece before was talk, and of which kind.
    talked: Option<Talk>,
    /// «Хотя нет» was said: a quantity that follows replaces.
    correcting: bool,
    /// «ул.» was said: a street follows.
    street: bool,
    /// A quantity with its unit is all that the next piece says.
    followed: bool,
    /// Goods that the catalogue lacks, said without a quantity so far: where, and what they want.
    unheard: Option<(usize, Vec<Want>)>,
    /// «Поправка:» was said: what the sentence goes on to name was said before.
    amending: bool,
    /// «Атлас белый:» over a list.
    title: Option<titles::Title>,
    /// «Ой, двенадцатой…»: the line before that the next piece puts right.
    recalled: Option<usize>,
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
            heading: Vec::new(),
            talked: None,
            correcting: false,
            street: false,
            followed: false,
            unheard: None,
            amending: false,
            title: None,
            recalled: None,
            ahead: None,
        }
    }

    fn take(&mut self, seeker: &mut Seeker<'_>, piece: Piece) {
        let begun = Instant::now();
        let mut piece = piece;
        piece.corrects |= std::mem::take(&mut self.correcting);
        if piece.row && !self.heading.is_empty() {
            self.context = self.heading.clone();
        } else if !piece.row && !piece.total {
            self.heading = Vec::new();
        }
        self.leave_title(&piece);
        let Some(changed) = self.changed(seeker, piece) else { return };
        piece = changed;
        let talked = self.talked.take().filter(|_| piece.continues);
        let unheard = self.unheard.take().filter(|_| !piece.new_line);
        if remarks::goes_on_talking(&piece, talked) {
            self.talked = talked;
            self.remark(&piece);
            return;
        }
        if self.is_address(&piece) {
            self.remark(&piece);
            return;
        }
        if !piece.row
            && piece.titled == 0
            && (self.is_unit_alone(&piece) || self.is_quantity_alone(seeker, &piece))
        {
            return;
        }
        if piece.continues {
            self.number_after_number(seeker, &piece);
            self.heading_with_number(seeker, &piece);
        }
        let (anew, anchored) = self.anchors(seeker, &piece);
        let (mut draft, mut heir) = self.read_in_place(seeker, &mut piece, anchored);
        if !piece.cancels
            && !piece.same_quantity
            && (draft.unknown() > 0 || draft.fit == 0 && (piece.talk != Talk::None || asks(&piece)))
            && let Some((shorter, better)) = without_talk(seeker, self.text, &piece, &draft)
        {
            piece = shorter;
            draft = better;
            heir = Heir::None;
        }
        if (draft.fit == 0 || draft.unknown() > 0)
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
            self.take_nothing(seeker, &piece, &draft, talked);
            return;
        }
        if piece.cancels {
            self.cancel(seeker, &draft);
            return;
        }
        if piece.too && draft.reading.quantity.is_none() && self.says_of_last(seeker, &draft) {
            // «Вместо 18 поставьте 36, тоже ИЭК»
            self.remark(&piece);
            return;
        }
        if heir == Heir::None && self.is_remark(seeker, &piece, &draft, anchored) {
            self.correcting = piece.corrects;
            self.remark(&piece);
            let lacked = piece.talk == Talk::None
                && draft.reading.quantity.is_none()
                && draft.wants.iter().any(|w| !w.known);
            self.unheard = lacked.then_some((piece.start, draft.wants));
            return;
        }
        if heir == Heir::None && self.is_number_alone(&piece, &draft) {
            let reading = only_quantity(&piece.lexemes).unwrap_or_default();
            self.quantity_alone(seeker, &piece, &Draft { reading, ..Draft::default() });
            return;
        }
        if heir == Heir::None && !anew {
            (draft, heir) = self.related(seeker, &piece, draft, anchored);
        }
        if heir == Heir::None && !anchored {
            draft = self.of_the_unheard(seeker, unheard, &mut piece, draft);
        }
        if heir == Heir::None && piece.corrects && draft.reading.quantity.is_none() {
            // «клей Флизен 25 кг 12 мешков… упс, Флизен Плюс»: the same thing, said better.
            let again = self.context.iter().any(|c| {
                c.known && !c.numeric && draft.wants.iter().any(|w| w.known && w.key == c.key)
            });
            if again && let Some((better, _)) = inherit(seeker, &self.context, &draft, false) {
                (draft, heir) = (better, Heir::Replaces);
            }
        }
        self.place(seeker, &piece, draft, heir, begun);
    }

    /// Whether all that a draft itself says is said of the last line's products.
    fn says_of_last(&self, seeker: &Seeker<'_>, draft: &Draft) -> bool {
        let own = || draft.wants.iter().filter(|w| !w.inherited);
        self.lines.last().is_some_and(|last| {
            let has = |row: u32| own().all(|w| w.known && seeker.has(row, w));
            !last.draft.meant.is_empty() && last.draft.meant.iter().all(|hit| has(hit.row))
        })
    }

    /// Whether all that is meant is meant by the last line too.
    fn is_of_last(&self, draft: &Draft) -> bool {
        let of_last = |row: u32| {
            self.lines.last().is_some_and(|l| l.draft.meant.iter().any(|hit| hit.row == row))
        };
        draft.meant.iter().all(|hit| of_last(hit.row))
    }

    /// Whether a piece names the goods before anew, and whether it names goods at all.
    fn anchors(&self, seeker: &Seeker<'_>, piece: &Piece) -> (bool, bool) {
        let anew = !piece.corrects && named_anew(&piece.lexemes, &self.context);
        // «Такой же нерж» is of the thing before, whatever the catalogue calls so.
        let same = says_the_same(&piece.lexemes[..piece.lexemes.len().min(2)]);
        // «…наружная 4 шт, ошибся, внутренняя нужна»
        let told = |l: &&Lexeme| {
            l.is_word() && !speech::is_correction(&l.text) && !speech::is_filler(&l.text)
        };
        let told: Vec<&Lexeme> = piece.lexemes.iter().filter(told).collect();
        let alike = matches!(told[..], [word] if super::line::is_adjective(&word.text));
        let like = piece.corrects && alike && !piece.lexemes.iter().any(Lexeme::is_number);
        let named = !same && !like && anchored(seeker.index, &piece.lexemes);
        (anew, anew || piece.titled > 0 || named)
    }

    /// Reads a piece in the light of those before and of the title over it.
    fn read_in_place(
        &mut self,
        seeker: &mut Seeker<'_>,
        piece: &mut Piece,
        anchored: bool,
    ) -> (Draft, Heir) {
        let (draft, heir) = self.read(seeker, piece, anchored);
        if heir == Heir::None
            && anchored
            && !draft.by_article
            && let Some(found) = self.under_title(seeker, piece)
        {
            // «Болт: М8х50, DIN 933, 100 шт» is one bolt.
            let open = self.lines.last().is_some_and(|l| l.quantity.is_none() && !l.header);
            if piece.continues && open {
                let (whole, how) = self.read(seeker, piece, false);
                if how == Heir::Adds && !whole.meant.is_empty() {
                    return (whole, how);
                }
            }
            return found;
        }
        // «Евровинт 7х50, шестигранник к нему» is no euro screw.
        let itself = refers_to_it(&piece.lexemes) && self.is_of_last(&draft);
        if heir != Heir::None && itself { self.read(seeker, piece, true) } else { (draft, heir) }
    }

    /// Reads a piece in the light of those before, with its numbers grouped as reads best.
    fn read(
        &mut self,
        seeker: &mut Seeker<'_>,
        piece: &mut Piece,
        anchored: bool,
    ) -> (Draft, Heir) {
        let light = self.light(seeker, piece, anchored);
        let context = if anchored { Vec::new() } else { std::mem::take(&mut self.context) };
        let light = Light { context: &context, ..light };
        let (mut draft, mut heir) = read(seeker, self.text, &piece.lexemes, light);
        if let Some((lexemes, better, how)) =
            regrouped(seeker, self.text, &piece.lexemes, light, &draft)
        {
            (piece.lexemes, draft, heir) = (lexemes, better, how);
        }
        if !anchored {
            self.context = context;
        }
        (draft, heir)
    }

    /// A piece that says nothing of goods: a quantity, «нет», «нет, не надо».
    fn take_nothing(
        &mut self,
        seeker: &mut Seeker<'_>,
        piece: &Piece,
        draft: &Draft,
        talked: Option<Talk>,
    ) {
        let goods = talked != Some(Talk::Delivery);
        if piece.cancels && piece.corrects && goods && refuses(&piece.lexemes) {
            self.lines.pop();
            return;
        }
        if draft.reading.quantity.is_none() && piece.corrects {
            self.correcting = true;
        }
        self.quantity_alone(seeker, piece, draft);
    }

    /// What goes on goods that the catalogue lacks: «клапан канал. d=110 серый 5 шт» is nothing else of
    /// grey 110.
    fn of_the_unheard(
        &mut self,
        seeker: &Seeker<'_>,
        unheard: Option<(usize, Vec<Want>)>,
        piece: &mut Piece,
        draft: Draft,
    ) -> Draft {
        let names = draft.by_article || draft.wants.iter().any(|w| seeker.names_goods(w));
        let Some((start, mut wants)) = unheard.filter(|_| !names) else { return draft };
        self.remarks.retain(|r| r.span.start < start);
        piece.start = start;
        wants.extend(draft.wants);
        Draft { wants, reading: draft.reading, ..Draft::default() }
    }

    /// A piece that stands alone so far, read once more as one of the thing before.
    fn related(
        &self,
        seeker: &Seeker<'_>,
        piece: &Piece,
        draft: Draft,
        anchored: bool,
    ) -> (Draft, Heir) {
        if self.context.is_empty() || draft.by_article || piece.header {
            return (draft, Heir::None);
        }
        if refers_to_it(&piece.lexemes)
            && draft.meant.len() > 1
            && let Some((found, how)) = inherit(seeker, &self.context, &draft, false)
            && found.meant.len() < draft.meant.len()
        {
            // «Моп Кентукки, держатель к нему»
            return (found, how);
        }
        if says_the_same(&piece.lexemes) || refers_to_it(&piece.lexemes) {
            // «Вилки чёрные премиум, ложки такие же»: what the thing before was like, not what it was.
            let named = |w: &Want| w.known && !w.numeric;
            let what = self.context.iter().position(|w| named(w) && seeker.is_head(w));
            let what = what.or_else(|| self.context.iter().position(named));
            let like = self.context.iter().enumerate();
            let like: Vec<Want> = like
                .filter(|(at, w)| {
                    let special = super::decide::is_special(&w.key);
                    Some(*at) != what && (special || !seeker.is_head(w))
                })
                .map(|(_, w)| w.clone())
                .collect();
            if let Some((found, how)) = inherit(seeker, &like, &draft, false)
                && found.meant.len() < draft.meant.len()
            {
                return (found, how);
            }
        }
        if anchored {
            // «Сироп Monin ваниль 2, карамель 1»: every caramel here is a syrup.
            let head = self.context.iter().find(|w| w.known && seeker.is_head(w));
            let same = head.is_some_and(|head| {
                draft.meant.len() > 1
                    && piece.continues
                    && draft.meant.iter().all(|h| seeker.has(h.row, head))
            });
            let lost = draft.fit == 0 && draft.wants.len() <= 2;
            // «Сироп Monin карамель 5, лаванда 3»: among all lavender there is one such syrup.
            let mut words = draft.wants.iter().filter(|w| !w.numeric);
            let told = match (words.next(), words.next()) {
                (Some(word), None) => {
                    head.is_some()
                        && draft.meant.len() > 1
                        && !draft.meant.iter().any(|h| seeker.is_headed(h.row, word))
                }
                _ => false,
            };
            let found = (same || lost || told)
                .then(|| inherit(seeker, &self.context, &draft, false))
                .flatten();
            return match found {
                Some((found, how))
                    if lost
                        || same && found.meant.len() < draft.meant.len()
                        || found.is_certain() =>
                {
                    (found, how)
                }
                _ => (draft, Heir::None),
            };
        }
        // «Белые по 10» are of the thing before or of nothing: never any white thing.
        let said = draft.wants.iter().filter(|w| w.known).count();
        let marked = draft.wants.iter().any(Want::is_mark);
        let enough = (said >= 3 || marked) && draft.meant.len() == 1;
        let begun = |w: &Want| {
            !draft.meant.is_empty() && draft.meant.iter().all(|h| seeker.begins(h.row, w))
        };
        let like =
            |w: &Want| super::line::is_adjective(&w.text) || super::decide::names_colour(&w.key);
        // «Голубая 60 м, розовая 40, изумруд 20»: a chain names no other goods by what they are like.
        let chained = piece.continues
            && draft.wants.len() == 1
            && self.lines.last().is_some_and(|l| l.draft.wants.iter().any(|w| w.inherited));
        let goods_of = |w: &Want| seeker.names_goods(w) && (!chained || seeker.is_head(w));
        let named = |w: &Want| goods_of(w) || begun(w) && (piece.new_line || !like(w));
        let goods = draft.fit > 0 && draft.wants.iter().any(named);
        if draft.unknown() > 0 || enough || goods || piece.question {
            return (draft, Heir::None);
        }
        let wants = of_the_same(seeker, &self.context, &draft);
        (Draft { wants, reading: draft.reading, ..Draft::default() }, Heir::None)
    }

    /// What a piece is read in the light of, but for what it may leave unsaid.
    fn light(&self, seeker: &Seeker<'_>, piece: &Piece, anchored: bool) -> Light<'static> {
        let last = self.lines.last().filter(|l| !l.header);
        let resizes = only_quantity(&piece.lexemes)
            .is_some_and(|reading| self.resizes(seeker, piece, &reading))
            || self.renumbers(seeker, piece);
        // «НШВИ 0,75 2 уп | 1,5 5 уп | 4,0 1 уп»: a list of one size under another.
        let number = |lexemes: &[Lexeme]| lexemes.first().is_some_and(Lexeme::is_number);
        let goes_on_so =
            piece.new_line && number(&piece.lexemes) && last.is_some_and(|l| number(&l.lexemes));
        let nickname = piece.lexemes.first().is_some_and(|l| l.is_number() && l.spoken && l.named);
        Light {
            context: &[],
            // «Верону 12 двадцать метров, верону 44 столько же»
            header: piece.header || piece.same_quantity || resizes,
            // «Вторичка 140, тридцатка, 6 листов» and «…, тридцатка 6 листов» are of both.
            instead: (piece.continues || goes_on_so)
                && last.is_some_and(|l| l.quantity.is_some() || !(self.followed || nickname))
                || resizes,
            titled: piece.titled,
            followed: self.followed,
            led: piece.led,
            plainly: false,
            counted: !anchored && last.is_some_and(|l| l.quantity.is_some()),
        }
    }

    /// Puts a piece that was read among the lines.
    fn place(
        &mut self,
        seeker: &mut Seeker<'_>,
        piece: &Piece,
        draft: Draft,
        heir: Heir,
        begun: Instant,
    ) {
        let known = draft.wants.iter().any(|w| w.known);
        let counted = draft.reading.unit.as_ref().is_some_and(Said::counts);
        if piece.absent {
            self.context.clone_from(&draft.wants);
            self.remark(piece);
            return;
        }
        if heir == Heir::Replaces && self.replaces_last(piece, &draft) {
            return;
        }
        // «…кромку венге сто метров, успеете до пятницы?» orders all the same.
        let spoken: Vec<&str> =
            piece.lexemes.iter().filter(|l| l.is_word()).map(|l| l.text.as_str()).collect();
        let measured = draft.reading.unit.is_some() && draft.fit > 0 && !speech::asks(&spoken);
        let priced = piece.question && speech::asks_price(&spoken);
        if priced || piece.question && !((counted || measured) && known) {
            self.context.clone_from(&draft.wants);
            self.remark(piece);
            self.asked = known.then(|| pending(piece, draft, begun));
            return;
        }
        self.asked = None;
        if self.recounts_last(piece, &draft) {
            return;
        }
        if self.says_instead(seeker, piece, &draft) {
            return;
        }
        self.drops_last(piece, &draft);
        if self.is_of_the_article(seeker, piece, &draft) {
            if let Some(last) = self.lines.last_mut() {
                last.quantity = draft.reading.quantity;
                last.unit = draft.reading.unit;
                last.end = piece.end;
            }
            return;
        }
        if heir == Heir::Adds && self.joins_last(piece, &draft) {
            self.join(draft, piece);
            return;
        }
        let each = draft.reading.each;
        let quantity = draft.reading.quantity;
        let unit = draft.reading.unit.clone();
        if known {
            self.context.clone_from(&draft.wants);
            self.keep_title(piece, &draft, heir);
        }
        // After an article, or a title copied whole, «бронза 8» is of what the title says.
        if draft.by_article
            && let [hit] = draft.meant.as_slice()
        {
            let title = seeker.index.entries[hit.row as usize].title.clone();
            let lexemes = lex(&Chars::new(&title));
            self.context = seeker.wants(&lexemes, &[]);
        }
        let mut line = pending(piece, draft, begun);
        if (piece.same_quantity || piece.too && !piece.new_line)
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
        let headed = self.lines.last().is_some_and(|l| l.header);
        if piece.section {
            self.heading = self.context.clone();
        }
        self.lines.push(line);
        if each {
            let first = self.lines.last().is_some_and(|l| {
                l.header
                    || l.draft.reading.spoken_for.contains(&0)
                        && l.draft.reading.spoken_for.len() < l.lexemes.len()
            });
            if first && !piece.continues {
                // «по 5 листов EL2240 20, 30 и 40 мм», «нитки по 6 каждого: 120, 137»
                self.ahead = Some((quantity, unit));
            } else {
                self.share(seeker, quantity, unit.as_ref());
            }
        } else if piece.continues || headed {
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

    /// «Нет, лучше чёрный»: puts another product in the last line's stead.
    fn replaces_last(&mut self, piece: &Piece, draft: &Draft) -> bool {
        let Some(last) = self.lines.last_mut().filter(|_| piece.corrects) else { return false };
        if draft.reading.quantity.is_some() {
            last.quantity = draft.reading.quantity;
            last.unit.clone_from(&draft.reading.unit);
        }
        last.amended = draft.reading.quantity.is_none();
        last.end = piece.end;
        self.context.clone_from(&draft.wants);
        last.draft = draft.clone();
        true
    }

    /// What was said before a piece.
    fn said(&self, piece: &Piece) -> &str {
        self.text.get(..piece.start).unwrap_or_default()
    }

    /// «Спанбонд 70 белый 2 рул, нет, спанбонд 60 чёрный 2 рул»: another of the same things, with its
    /// quantity, takes the last line's place.
    fn says_instead(&mut self, seeker: &Seeker<'_>, piece: &Piece, draft: &Draft) -> bool {
        let refused = piece.corrects && (refuses_first(piece) || refuses_last(self.said(piece)));
        let more = |l: &Lexeme| matches!(l.text.as_str(), "еще" | "плюс" | "забыл" | "забыла");
        let whole = draft.reading.quantity.is_some() && draft.unknown() == 0;
        if !refused || !whole || piece.row || piece.lexemes.iter().any(more) {
            return false;
        }
        let category = |d: &Draft| d.meant.first().map(|h| seeker.index.category[h.row as usize]);
        let head = |d: &Draft| {
            let thing = d.wants.iter().find(|w| seeker.is_head(w));
            thing.map(|w| w.key.clone())
        };
        let alike = |last: &Draft| {
            category(draft).is_some() && category(last) == category(draft)
                || head(draft).is_some() && head(last) == head(draft)
        };
        let like = |l: &Pending| !l.header && l.quantity.is_some() && alike(&l.draft);
        self.lines.last().is_some_and(like) && self.replaces_last(piece, draft)
    }

    /// «Блок боннель 200х90, хотя нет, давайте TFK 200х90 2 шт»: what has no quantity is not ordered.
    fn drops_last(&mut self, piece: &Piece, draft: &Draft) {
        let instead = piece.corrects && piece.continues && draft.reading.quantity.is_some();
        let uncounted = |l: &Pending| l.quantity.is_none() && l.unit.is_none() && !l.header;
        if instead && draft.is_certain() && self.lines.last().is_some_and(uncounted) {
            self.lines.pop();
        }
    }

    /// «Правая 20, нет, правых 30»: says the last line's product again, with another quantity.
    fn recounts_last(&mut self, piece: &Piece, draft: &Draft) -> bool {
        let again = piece.corrects && draft.reading.quantity.is_some();
        let last = self.lines.last_mut().filter(|last| again && last.draft.means_the_same(draft));
        let Some(last) = last else { return false };
        last.quantity = draft.reading.quantity;
        if draft.reading.unit.is_some() {
            last.unit.clone_from(&draft.reading.unit);
        }
        last.end = piece.end;
        true
    }

    /// A number by itself that is no attribute of the thing before, which has no quantity yet:
    /// «тарелка 20,5 см, чёрная, 100».
    fn is_number_alone(&self, piece: &Piece, draft: &Draft) -> bool {
        let wanting =
            self.lines.last().is_some_and(|l| l.quantity.is_none() && !l.header && l.draft.fit > 0);
        piece.continues
            && wanting
            && matches!(draft.wants.as_slice(), [want] if want.numeric)
            && only_quantity(&piece.lexemes).is_some()
    }

    /// A unit by itself: «болт М6х40, шт, 500».
    fn is_unit_alone(&mut self, piece: &Piece) -> bool {
        let Some((unit, taken)) = super::quantity::unit_at(&piece.lexemes, 0) else { return false };
        let bare = |l: &&mut Pending| l.quantity.is_none() && l.unit.is_none();
        if taken != piece.lexemes.len() {
            return false;
        }
        let Some(last) = self.lines.last_mut().filter(bare) else { return false };
        last.unit = Some(unit);
        last.end = last.end.max(piece.end);
        true
    }

    /// A quantity by itself that is surely one of the goods before.
    fn is_quantity_alone(&mut self, seeker: &mut Seeker<'_>, piece: &Piece) -> bool {
        let Some(reading) = only_quantity(&piece.lexemes) else { return false };
        if self.resizes(seeker, piece, &reading) {
            return false;
        }
        // «Труба Ø110, 1 м, 5 шт» is one of a metre.
        if self.followed && reading.unit.as_ref().is_some_and(|unit| !unit.counts()) {
            return false;
        }
        // A cell by itself under the name of the goods.
        let cell = piece.new_line && self.lines.last().is_some_and(|l| l.new_line && !l.header);
        let said =
            cell || reading.unit.is_some() || self.lines.last().is_some_and(|l| l.unit.is_some());
        // «Дельфин 1210х50 5 шт… нет, 1410х50, три комплекта»
        let wants = |l: &Pending| l.quantity.is_none() || l.amended || l.counts_itself(seeker);
        let wanting = self.lines.last().is_some_and(wants);
        let alone = self.asked.is_some()
            || piece.corrects
            || (wanting || reading.each) && said
            || wanting && reading.each;
        if alone {
            let draft = Draft { reading, ..Draft::default() };
            self.quantity_alone(seeker, piece, &draft);
        }
        alone
    }

    /// «Масло 4л 5 шт, нет, 1л», «спанбонд 42 1 рул, нет, 55»: whether what puts right is a size of the
    /// thing before, and not how many of it.
    fn resizes(&self, seeker: &Seeker<'_>, piece: &Piece, reading: &Reading) -> bool {
        let bare = reading.quantity.filter(|_| reading.unit.is_none());
        if piece.corrects && bare.is_some_and(|new| self.is_another_number(seeker, new)) {
            return true;
        }
        // «Обвод 20 8 шт, стоп, не двадцатый, на 25 их»
        let on = |pair: &[Lexeme]| pair[0].text == "на" && pair[1].is_number();
        let counted = self.lines.last().is_some_and(|l| l.quantity.is_some() && l.unit.is_some());
        // «… 10 рул — исправьте на 14» is of how many.
        let bid = piece.lexemes.iter().any(|l| speech::is_verb(&l.text));
        if piece.corrects
            && counted
            && !bid
            && piece.lexemes.windows(2).any(on)
            && bare.is_some_and(|new| seeker.index.knows_number(new.thousandths()))
        {
            return true;
        }
        let measure = reading.unit.as_ref().filter(|unit| !unit.counts());
        let (Some(measure), Some(last)) = (measure, self.lines.last()) else { return false };
        piece.corrects
            && last.unit.as_ref().is_some_and(Said::counts)
            && last.draft.meant.first().is_some_and(|hit| seeker.is_measured_in(hit.row, measure))
    }

    /// Whether a bare number is one of the catalogue and much nearer to a number of the thing before than
    /// to how many of it were wanted.
    fn is_another_number(&self, seeker: &Seeker<'_>, new: Quantity) -> bool {
        const MUCH: i64 = 3;
        let Some(last) = self.lines.last() else { return false };
        let Some(old) = last.quantity else { return false };
        let (new, old) = (new.thousandths(), old.thousandths());
        // How many times the greater is the less, in hundredths.
        let apart = |a: i64, b: i64| a.max(b).saturating_mul(100) / a.min(b).max(1);
        let needs = last.draft.wants.iter().flat_map(|w| &w.ways).flat_map(|w| &w.needs);
        let mut numbers = needs.flat_map(|need| match need {
            Need::Size(size) => size.numbers.iter().map(|n| n.value).collect(),
            _ => Vec::new(),
        });
        last.unit.is_some()
            && seeker.index.knows_number(new)
            && numbers.any(|value| apart(new, value).saturating_mul(MUCH) < apart(new, old))
    }

    /// «Войлок 150 серый 2 рул, нет, 200 серый»: what is said again tells that the number is another of
    /// the thing.
    fn renumbers(&self, seeker: &Seeker<'_>, piece: &Piece) -> bool {
        let mut numbers = piece.lexemes.iter().filter(|l| l.is_number());
        let (Some(number), None) = (numbers.next(), numbers.next()) else { return false };
        let telling = |l: &&Lexeme| {
            l.is_word() && !speech::is_correction(&l.text) && !speech::is_filler(&l.text)
        };
        let mut words = piece.lexemes.iter().filter(telling).peekable();
        let again = |l: &Lexeme| {
            let key = super::normalize::stem(&l.text);
            self.context.iter().any(|want| want.key == key)
        };
        piece.corrects
            && words.peek().is_some()
            && words.all(again)
            && self.is_another_number(seeker, Quantity::from_thousandths(number.value))
    }

    /// Removes the lines that a cancelled piece names.
    fn cancel(&mut self, seeker: &Seeker<'_>, draft: &Draft) {
        const FEW: usize = 50;
        let rows: Vec<u32> = draft.meant.iter().map(|h| h.row).collect();
        let has = |row: u32| draft.wants.iter().all(|w| w.known && seeker.has(row, w));
        // «Кран уже не надо» names hundreds of them.
        let named = |row: u32| rows.len() <= FEW && rows.contains(&row) || has(row);
        self.lines.retain(|l| {
            l.draft.meant.is_empty() || !l.draft.meant.iter().all(|hit| named(hit.row))
        });
    }

    /// «Код 43757, флок, 8 метров»: whether a piece says again what the article before it is of.
    fn is_of_the_article(&self, seeker: &Seeker<'_>, piece: &Piece, draft: &Draft) -> bool {
        let last = self.lines.last().filter(|l| l.draft.by_article && l.quantity.is_none());
        let Some([hit]) = last.map(|l| l.draft.meant.as_slice()) else { return false };
        piece.continues
            && !draft.by_article
            && draft.wants.iter().all(|w| w.known && seeker.has(hit.row, w))
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
        // «Бумага Ballet А3, 80 г/м², 7 шт» is no A4, though the A3 is not known.
        let unknown: Vec<Want> =
            last.draft.wants.iter().filter(|w| !w.known && w.numeric).cloned().collect();
        // The quantity is where it was said.
        let reading = std::mem::take(&mut last.draft.reading);
        last.draft = draft;
        if reading.quantity.is_some() {
            last.draft.reading = reading;
        }
        last.added.extend(piece.lexemes.iter().cloned());
        last.draft.wants.extend(unknown);
        for want in &mut last.draft.wants {
            want.inherited = false;
        }
    }

    /// Makes one line, that nothing fits, of a line without a quantity and of what goes on it without
    /// naming goods: «лампа автом. Маяк H4 24V P43t - 7 шт» that the catalogue lacks orders no lamp of
    /// another maker.
    fn join_torn(&mut self, seeker: &Seeker<'_>) {
        let mut lines: Vec<Pending> = Vec::with_capacity(self.lines.len());
        for line in self.lines.drain(..) {
            let names = line.draft.by_article
                || line.draft.wants.iter().any(|w| w.inherited || seeker.is_thing(w));
            let found = line.draft.is_certain() && line.draft.wants.len() > 1;
            let goes_on = !line.new_line && line.quantity.is_some() && !names && !found;
            let begun = |l: &&mut Pending| {
                // «Лампа автом. Маяк…»: a cut word ends no sentence.
                let between = self.text.get(l.end..line.start).unwrap_or("");
                (line.continues || !between.contains(['!', '?', ';', ',']))
                    && l.quantity.is_none()
                    && !l.header
                    && l.draft.fit > 0
                    && !l.draft.by_article
            };
            let whole = |l: &&mut Pending| is_begun(seeker, l, &line);
            if let Some(last) = lines.last_mut().filter(whole) {
                last.end = last.end.max(line.end);
                (last.quantity, last.unit) = (line.quantity, line.unit);
                last.draft = line.draft;
                continue;
            }
            match lines.last_mut().filter(|_| goes_on).filter(begun) {
                Some(last) => {
                    last.end = last.end.max(line.end);
                    last.quantity = line.quantity;
                    last.unit = line.unit;
                    last.draft.wants.extend(line.draft.wants);
                    last.draft.meant.clear();
                    last.draft.fit = 0;
                }
                None => lines.push(line),
            }
        }
        self.lines = lines;
    }

    fn finish(mut self, seeker: &Seeker<'_>, buyer: &Buyer) -> Recognition {
        self.join_torn(seeker);
        // A heading over a list is no line: «спец-заказ кухня».
        let counted = self.lines.iter().filter(|l| l.quantity.is_some()).count();
        let heading = |l: &Pending| {
            l.new_line
                && l.quantity.is_none()
                && (l.draft.fit == 0 || !anchored(seeker.index, &l.lexemes))
                && !l.draft.wants.iter().any(|w| w.numeric || w.inherited)
        };
        let over = over_lists(seeker, &self.lines);
        let mut lines: Vec<Line> = self
            .lines
            .into_iter()
            .filter(|l| !l.header && (counted < 3 || !heading(l)) && !over.contains(&l.start))
            .map(|l| line(seeker, buyer, l, false))
            .collect();
        lines.sort_by_key(|l| l.span.start);
        Recognition { lines, remarks: self.remarks }
    }
}

/// «Молния рулонная, спираль, тип 3, 1 рулон»: whether a line without a quantity is how the next one
/// of the sentence begins: its goods have all of it, and are called so.
fn is_begun(seeker: &Seeker<'_>, line: &Pending, next: &Pending) -> bool {
    let (wants, hits) = (&line.draft.wants, &next.draft.meant);
    let again = |w: &Want| next.draft.wants.iter().any(|n| n.key == w.key);
    next.continues
        && next.quantity.is_some()
        && line.quantity.is_none()
        && line.unit.is_none()
        && !line.header
        && !line.draft.by_article
        && !line.draft.meant.is_empty()
        && !hits.is_empty()
        && !wants.iter().any(|w| w.inherited || w.without || again(w))
        && hits.iter().all(|hit| wants.iter().all(|w| seeker.has(hit.row, w)))
        && wants.first().is_some_and(|w| hits.iter().all(|h| seeker.is_headed(h.row, w)))
}

/// Where lines of the text begin that only name what the line below them orders: «Крепёж», «Масла и
/// жидкости» over a list.
fn over_lists(seeker: &Seeker<'_>, lines: &[Pending]) -> Vec<usize> {
    let mut over = Vec::new();
    let mut from = 0;
    while from < lines.len() {
        let more = lines[from + 1..].iter().take_while(|l| !l.new_line).count();
        let to = from + 1 + more;
        let parts = &lines[from..to];
        if let Some(below) = lines.get(to)
            && parts.iter().all(|l| has_no_quantity(seeker, l))
            && parts.iter().any(|line| is_over(seeker, line, below))
        {
            over.extend(parts.iter().map(|l| l.start));
        }
        from = to;
    }
    over
}

/// Whether a line says no quantity: «шапочка 100шт» over its colours is of a pack of a hundred.
fn has_no_quantity(seeker: &Seeker<'_>, line: &Pending) -> bool {
    line.quantity.is_none() && line.unit.is_none()
        || line.draft.meant.len() > 1 && line.counts_itself(seeker)
}

/// Whether a line without a quantity names what the line below it orders.
fn is_over(seeker: &Seeker<'_>, line: &Pending, below: &Pending) -> bool {
    let wants = &line.draft.wants;
    let hits = &below.draft.meant;
    below.quantity.is_some()
        && !line.draft.meant.is_empty()
        && !hits.is_empty()
        && !wants.iter().any(|w| w.inherited || w.without)
        && hits.iter().all(|hit| wants.iter().all(|w| seeker.has(hit.row, w)))
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
        let named = at > 0 && names_article(&lexemes[at - 1].text);
        word.is_word()
            && !word.dotted
            && (word.text.chars().count() >= 2 || named)
            && glued
            && super::terms::marker(&word.text, true).is_none()
            && index.vocabulary.hears(&word.text)
    };
    // «Ду20» is of any thing.
    let marks = |at: usize| {
        lexemes.get(at + 1).is_some_and(Lexeme::is_number)
            && super::terms::marker(&lexemes[at].text, true).is_some()
    };
    let unit = |at: usize| {
        marks(at)
            || at > 0
                && lexemes[at - 1].is_number()
                && super::terms::Measure::read(&lexemes[at].text, !lexemes[at].spaced).is_some()
    };
    // «Папка-регистратор» is one word of titles.
    let compound = |at: usize| match lexemes.get(at..at + 3) {
        Some([one, dash, two]) if one.is_word() && dash.is('-') && two.is_word() => {
            let whole = Lexeme { text: format!("{}{}", one.text, two.text), ..one.clone() };
            !dash.spaced && !two.spaced && opens(index, &whole)
        }
        _ => false,
    };
    // «Изол. 0,18х19» begins with the «изолента», though titles cut another word so.
    let cut = |l: &Lexeme| {
        let colour = super::vocabulary::is_colour_cut(&l.text) || super::decide::is_colour(&l.text);
        let begun = |id: u32| {
            let known = index.vocabulary.get(id);
            known.head && !known.telling && !known.name && !known.cut
        };
        l.dotted
            && l.text.chars().count() >= 4
            && !colour
            && index.vocabulary.beginning(&l.text).any(begun)
    };
    lexemes.iter().find(|l| l.is_word() || l.is_number()).is_some_and(cut)
        || (0..lexemes.len()).any(|at| code(at) || compound(at))
        || lexemes.iter().enumerate().any(|(at, l)| {
            l.is_word()
                && !unit(at)
                && (l.dotted || !speech::is_filler(&l.text))
                && !super::terms::is_little(&l.text)
                && opens(index, l)
        })
}

/// «CM 11 Plus 25 кг 10, CM 11 25 кг 20»: whether a piece says the name of the goods before again, and
/// its number, so that these are others.
fn named_anew(lexemes: &[Lexeme], context: &[Want]) -> bool {
    let again = |l: &&Lexeme| context.iter().any(|want| want.key == l.text);
    let name = |l: &Lexeme| l.is_word() && l.text.chars().count() > 1;
    let said: Vec<&Lexeme> = lexemes.iter().filter(again).collect();
    said.iter().any(|l| name(l)) && said.iter().any(|l| l.is_number())
}

/// Whether a piece goes on the sentence with nothing but a quantity and its unit: «…, 1 шт».
fn is_quantity_with_unit(piece: &Piece) -> bool {
    let counts = |r: &Reading| r.unit.as_ref().is_some_and(Said::counts);
    piece.continues && !piece.corrects && only_quantity(&piece.lexemes).is_some_and(|r| counts(&r))
}

/// Whether a word takes back what was said before it.
fn takes_back(word: &str) -> bool {
    matches!(word, "нет" | "точнее" | "вернее")
}

/// Whether a piece begins with what takes back what was said before.
fn refuses_first(piece: &Piece) -> bool {
    let word = |at: usize| piece.lexemes.get(at).map_or("", |l| l.text.as_str());
    takes_back(word(0)) || matches!(word(0), "ой" | "хотя") && takes_back(word(1))
}

/// Whether a text ends with a «нет» that stands by itself: «если нет» takes nothing back.
fn refuses_last(said: &str) -> bool {
    let said = said.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let word = said.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let rest = said.strip_suffix(word).unwrap_or_default().trim_end_matches(' ');
    let apart =
        !rest.ends_with(char::is_alphanumeric) || ["ой", "хотя"].iter().any(|w| rest.ends_with(w));
    takes_back(word) && apart
}

fn pending(piece: &Piece, draft: Draft, begun: Instant) -> Pending {
    Pending {
        start: piece.start,
        end: piece.end,
        quantity: draft.reading.quantity,
        unit: draft.reading.unit.clone(),
        header: piece.header && (draft.reading.quantity.is_none() || draft.reading.each),
        new_line: piece.new_line,
        continues: piece.continues,
        lexemes: piece.lexemes.clone(),
        added: Vec::new(),
        amended: false,
        draft,
        micros: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
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

/// «Просьба отложить под нас 5 прожекторов…», «слушай на кухню надо…»: whether a piece begins with talk.
fn asks(piece: &Piece) -> bool {
    let first = piece.lexemes.iter().find(|l| l.is_word());
    first.is_some_and(|l| speech::is_filler(&l.text))
}

/// «Нет, не надо» and no more.
fn refuses(lexemes: &[Lexeme]) -> bool {
    let told = |l: &&Lexeme| l.is_number() || l.is_word() && !speech::is_correction(&l.text);
    let told: Vec<&str> = lexemes.iter().filter(told).map(|l| l.text.as_str()).collect();
    matches!(told.as_slice(), ["не", refused] if speech::is_refusal(refused))
}

/// «Кромку к ней 100 м»: the goods go with the thing before.
fn refers_to_it(lexemes: &[Lexeme]) -> bool {
    lexemes.windows(2).any(|pair| {
        matches!(pair[0].text.as_str(), "к" | "для" | "на" | "под") && is_it(&pair[1].text)
    })
}

/// «Такие же».
fn says_the_same(lexemes: &[Lexeme]) -> bool {
    lexemes.windows(2).any(|pair| {
        pair[1].text == "же"
            && matches!(
                pair[0].text.as_str(),
                "такой" | "такая" | "такое" | "такие" | "такую" | "таких" | "таким"
            )
    })
}
