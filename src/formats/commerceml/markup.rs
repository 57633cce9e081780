//! The bytes of a file as tags and texts, one after another, each within bounds.
//!
//! A file of hundreds of megabytes is mostly tags: to look at each once is what counts. So the text
//! is checked for being UTF-8 a window at a time, and pieces are lent out of the window: a piece
//! costs the search for its end. Readers of XML in general copy and check every piece by itself,
//! which took most of the time of an import.

use std::borrow::Cow;
use std::io::Read;

use encoding_rs::{Encoding, UTF_8};
use memchr::{memchr, memchr2, memchr3, memchr3_iter, memmem};
use quick_xml::escape::unescape;
use quick_xml::events::attributes::Attributes;

use super::CommerceMlError;
use super::names::{bare, known, known_attribute};
use crate::formats::text::excerpt;

/// More attributes of one element are refused.
const MAX_ATTRIBUTES: usize = 64;
/// A longer tag, text or comment is refused: bytes.
const MAX_PIECE: usize = 16 * 1024 * 1024;
const CDATA: &str = "<![CDATA[";
/// So much is read at once: bytes.
const WINDOW: usize = 64 * 1024;
/// … and so much of a long piece.
const LONG: usize = 1024 * 1024;

/// What the file brought.
pub enum Piece<'w> {
    /// A start tag.
    Start(Tag<'w>),
    /// The end tag of the element that was opened last.
    End,
    /// Text, in one or more pieces.
    Text(Cow<'w, str>),
    /// A comment, a declaration: what says nothing.
    Nothing,
    /// The end of the file.
    Eof,
}

/// A start tag.
#[derive(Clone, Copy)]
pub struct Tag<'w> {
    /// Its name without a prefix; empty: an unknown one.
    pub name: &'static str,
    /// Whether it is the end tag too.
    pub empty: bool,
    /// Its attributes as they are written; that they can be read has been seen.
    pub attributes: &'w str,
}

/// Cuts a file into pieces.
pub struct Markup<R> {
    source: R,
    /// Bytes that are no text yet: the last character may be half there.
    raw: Vec<u8>,
    /// The part of the file that is in memory.
    window: String,
    /// Where in the window the next piece begins.
    at: usize,
    /// Whether the source has been read to its end.
    over: bool,
    /// Bytes and line ends before the window.
    passed: (u64, u64),
    /// The names of the elements that are open, one after another, and where each begins.
    open: (String, Vec<usize>),
}

impl<R: Read> Markup<R> {
    /// Over UTF-8 without a byte-order mark.
    pub fn new(source: R) -> Self {
        Self {
            source,
            raw: Vec::new(),
            window: String::new(),
            at: 0,
            over: false,
            passed: (0, 0),
            open: (String::new(), Vec::new()),
        }
    }

    /// Where the next piece begins: bytes of UTF-8.
    pub fn position(&self) -> u64 {
        self.passed.0 + self.at as u64
    }

    /// The line that the next piece begins on, from 1.
    pub fn line(&self) -> u64 {
        self.passed.1 + line_ends(&self.window.as_bytes()[..self.at]) + 1
    }

    /// The next piece.
    pub fn piece(&mut self) -> Result<Piece<'_>, CommerceMlError> {
        // Most of a file is tags spelt as ever, nothing beside the name in them.
        if self.due_end() {
            return Ok(Piece::End);
        }
        if let Some(name) = self.bare_start() {
            return Ok(Piece::Start(Tag { name, empty: false, attributes: "" }));
        }
        let start = self.position();
        let length = loop {
            let rest = &self.window.as_bytes()[self.at..];
            if let Some(length) = length(rest) {
                break length;
            }
            if rest.len() > MAX_PIECE {
                return Err(refused(start, "слишком длинный элемент или текст"));
            }
            if !self.more()? {
                match self.window.as_bytes()[self.at..] {
                    [] => return Ok(Piece::Eof),
                    // A tag, a comment or an entity that the end of the file cuts.
                    [b'<' | b'&', ..] => return Err(CommerceMlError::Cut(start)),
                    ref text => break text.len(),
                }
            }
        };
        let piece = &self.window[self.at..self.at + length];
        self.at += length;
        let end = start + length as u64;
        match piece.as_bytes() {
            [b'<', b'/', ..] => {
                let name = piece[2..length - 1].trim_end_matches([' ', '\t', '\r', '\n']);
                close(&mut self.open, name).map_err(|why| refused(start, why))?;
                Ok(Piece::End)
            }
            [b'<', b'!', kind @ ..] => match kind {
                [b'-', b'-', ..] => Ok(Piece::Nothing),
                [b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => {
                    Ok(Piece::Text(Cow::Borrowed(&piece[CDATA.len()..length - 3])))
                }
                // A bare one names a schema that nobody reads; one with a subset may be a bomb.
                [b'D' | b'd', ..] if piece.contains('[') => {
                    Err(refused(end, "DOCTYPE с описанием не принимается"))
                }
                [b'D' | b'd', ..]
                    if kind.len() > 7 && kind[..7].eq_ignore_ascii_case(b"DOCTYPE") =>
                {
                    Ok(Piece::Nothing)
                }
                _ => Err(refused(start, "«<!» без комментария или CDATA")),
            },
            [b'<', b'?', b'>'] => Err(refused(start, "это не XML")),
            [b'<', b'?', ..] => Ok(Piece::Nothing),
            [b'<', ..] => {
                let inside = &piece[1..length - 1];
                let (inside, empty) = match inside.strip_suffix('/') {
                    Some(inside) => (inside, true),
                    None => (inside, false),
                };
                let name = inside.bytes().position(blank).unwrap_or(inside.len());
                let (name, rest) = inside.split_at(name);
                if !empty {
                    self.open.1.push(self.open.0.len());
                    self.open.0.push_str(name);
                }
                check(rest).map_err(|why| refused(end, why))?;
                Ok(Piece::Start(Tag { name: known(name), empty, attributes: rest }))
            }
            [b'&', ..] => {
                let Some(name) = piece[1..].strip_suffix(';') else {
                    return Err(CommerceMlError::Cut(start));
                };
                let text = entity(name).ok_or_else(|| refused(end, "неизвестная сущность"))?;
                Ok(Piece::Text(text))
            }
            _ => Ok(Piece::Text(Cow::Borrowed(piece))),
        }
    }

    /// Passes over a start tag that is a known name and nothing else; that name.
    fn bare_start(&mut self) -> Option<&'static str> {
        let tag = self.window[self.at..].strip_prefix('<')?;
        let name = bare(&tag[..memchr(b'>', tag.as_bytes())?])?;
        self.at += name.len() + "<>".len();
        self.open.1.push(self.open.0.len());
        self.open.0.push_str(name);
        Some(name)
    }

    /// Passes over the end tag that is due, when that stands here and is spelt as ever.
    fn due_end(&mut self) -> bool {
        let (names, starts) = &mut self.open;
        let Some(start) = starts.last().copied() else { return false };
        let rest = self.window.as_bytes()[self.at..].strip_prefix(b"</");
        let rest = rest.and_then(|rest| rest.strip_prefix(&names.as_bytes()[start..]));
        let due = rest.is_some_and(|rest| rest.first() == Some(&b'>'));
        if due {
            self.at += names.len() - start + "</>".len();
            names.truncate(start);
            starts.pop();
        }
        due
    }

    /// Takes more of the file into the window, and lets go of what has been read; whether there was
    /// more.
    fn more(&mut self) -> Result<bool, CommerceMlError> {
        if self.over {
            return Ok(false);
        }
        self.passed.0 += self.at as u64;
        self.passed.1 += line_ends(&self.window.as_bytes()[..self.at]);
        self.window.drain(..self.at);
        self.at = 0;
        // For a long piece more is read each time: its beginning is looked through a few times, not
        // hundreds. What it took goes back.
        let room = self.window.len().clamp(WINDOW, LONG);
        self.window.shrink_to(4 * room);
        self.raw.shrink_to(4 * room);
        let read = self.source.by_ref().take(room as u64).read_to_end(&mut self.raw)?;
        self.over = read < room;
        let valid = Encoding::utf8_valid_up_to(&self.raw);
        let left = self.raw.len() - valid;
        let text = UTF_8.decode_without_bom_handling_and_without_replacement(&self.raw[..valid]);
        self.window.push_str(&text.unwrap_or_default());
        if left > 3 || self.over && left > 0 {
            let at = self.passed.0 + self.window.len() as u64;
            return Err(refused(at, "это не XML"));
        }
        self.raw.drain(..valid);
        Ok(read > 0)
    }
}

/// How long the piece is that the text begins with; `None`: its end is not there.
fn length(text: &[u8]) -> Option<usize> {
    let through = |end: &[u8], from: usize| {
        let found = memmem::find(text.get(from..)?, end)?;
        Some(from + found + end.len())
    };
    match text {
        [b'<', b'!', b'-', ..] => through(b"-->", "<!--".len()),
        [b'<', b'!', b'[', ..] => through(b"]]>", CDATA.len()),
        [b'<', b'!', b'D' | b'd', ..] => tag_length(text),
        // No markup that there is.
        [b'<', b'!', _, ..] => Some(2),
        [b'<', b'?', ..] => through(b"?>", "<".len()),
        [] | [b'<'] | [b'<', b'!'] => None,
        [b'<', ..] => tag_length(text),
        [b'&', name @ ..] => {
            let end = memchr3(b';', b'&', b'<', name)?;
            Some(1 + end + usize::from(name[end] == b';'))
        }
        _ => memchr2(b'<', b'&', text),
    }
}

/// A tag ends where `>` stands outside of quotes.
fn tag_length(text: &[u8]) -> Option<usize> {
    let end = memchr(b'>', text)?;
    if memchr2(b'"', b'\'', &text[..end]).is_none() {
        return Some(end + 1);
    }
    let mut quote = None;
    for at in memchr3_iter(b'>', b'"', b'\'', text) {
        match (quote, text[at]) {
            (None, b'>') => return Some(at + 1),
            (None, mark) => quote = Some(mark),
            (Some(mark), found) if mark == found => quote = None,
            (Some(_), _) => {}
        }
    }
    None
}

/// Closes the element that was opened last, if it is of this name.
fn close((names, starts): &mut (String, Vec<usize>), name: &str) -> Result<(), String> {
    let Some(start) = starts.pop() else {
        return Err(format!("закрыт элемент «{}», который не открыт", excerpt(name)));
    };
    if &names[start..] != name {
        let opened = excerpt(&names[start..]);
        return Err(format!("элемент «{opened}» закрыт как «{}»", excerpt(name)));
    }
    names.truncate(start);
    Ok(())
}

/// The attributes of a tag.
fn attributes(written: &str) -> Attributes<'_> {
    let mut attributes = Attributes::new(written, 0);
    attributes.with_checks(false);
    attributes
}

/// The value of this one among the attributes of a tag; `None` when it is absent or empty.
pub fn attribute<'t>(written: &'t str, name: &str) -> Option<Cow<'t, str>> {
    let mut all = attributes(written).flatten();
    let found = all.find(|one| one.key.local_name().as_ref() == name)?;
    let value = match found.value {
        Cow::Borrowed(value) => unescape(value).ok()?,
        Cow::Owned(value) => Cow::Owned(unescape(&value).ok()?.into_owned()),
    };
    let value = match value {
        Cow::Borrowed(value) => Cow::Borrowed(value.trim()),
        Cow::Owned(value) => Cow::Owned(value.trim().to_owned()),
    };
    Some(value).filter(|value| !value.is_empty())
}

/// Whether the attributes of a tag can be read.
fn check(written: &str) -> Result<(), &'static str> {
    if written.is_empty() {
        return Ok(());
    }
    for (count, attribute) in attributes(written).enumerate() {
        let attribute = attribute.map_err(|_| "атрибут не читается")?;
        if count == MAX_ATTRIBUTES {
            return Err("слишком много атрибутов");
        }
        if attribute.value.contains('&') && known_attribute(attribute.key.local_name().as_ref()) {
            unescape(&attribute.value).map_err(|_| "атрибут не читается")?;
        }
    }
    Ok(())
}

/// `&amp;` and its four siblings, `&#8381;`, `&#x20BD;`, and what texts copied from HTML bring. Half of
/// a surrogate pair is no character, and not worth the item that it stands in.
fn entity(name: &str) -> Option<Cow<'static, str>> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return Some(Cow::Owned(char::from_u32(code).unwrap_or('\u{fffd}').to_string()));
    }
    Some(Cow::Borrowed(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" => "\u{a0}",
        "laquo" => "«",
        "raquo" => "»",
        "mdash" => "—",
        "ndash" => "–",
        "deg" => "°",
        _ => return None,
    }))
}

fn refused(position: u64, why: impl Into<String>) -> CommerceMlError {
    CommerceMlError::Xml { position, why: why.into() }
}

/// What may stand after a name in a tag.
fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub fn line_ends(bytes: &[u8]) -> u64 {
    // Counted in bytes: so the compiler takes many at once.
    let count = |piece: &[u8]| piece.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    bytes.chunks(255).map(|piece| u64::from(count(piece))).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;

    fn told(piece: &Piece<'_>) -> String {
        match piece {
            Piece::Start(Tag { name, empty, attributes }) => {
                format!("<{name}|{}|{empty}>", attributes.trim())
            }
            Piece::End => "</>".to_owned(),
            Piece::Text(text) => format!("«{text}»"),
            Piece::Nothing => "-".to_owned(),
            Piece::Eof => String::new(),
        }
    }

    /// What a file consists of, and whether it is read to its end.
    fn pieces(source: impl Read) -> (Vec<String>, bool) {
        let (mut markup, mut all) = (Markup::new(source), Vec::new());
        loop {
            match markup.piece() {
                Ok(Piece::Eof) => return (all, true),
                Ok(piece) => all.push(told(&piece)),
                Err(_) => return (all, false),
            }
        }
    }

    /// The same by a reader of XML in general.
    fn by_another(text: &str) -> (Vec<String>, bool) {
        let (mut reader, mut all) = (Reader::from_str(text), Vec::new());
        loop {
            let Ok(event) = reader.read_event() else { return (all, false) };
            let piece = match &event {
                Event::Eof => return (all, true),
                Event::Start(tag) | Event::Empty(tag) if check(tag.attributes_raw()).is_ok() => {
                    Piece::Start(Tag {
                        name: known(tag.name().as_ref()),
                        empty: matches!(event, Event::Empty(_)),
                        attributes: tag.attributes_raw(),
                    })
                }
                Event::Start(_) | Event::Empty(_) => return (all, false),
                Event::End(_) => Piece::End,
                Event::Text(text) => Piece::Text(Cow::Borrowed(text)),
                Event::CData(text) => Piece::Text(Cow::Borrowed(text)),
                Event::GeneralRef(name) => match entity(name) {
                    Some(text) => Piece::Text(text),
                    None => return (all, false),
                },
                Event::DocType(text) if text.contains('[') => return (all, false),
                Event::DocType(_) | Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {
                    Piece::Nothing
                }
            };
            all.push(told(&piece));
        }
    }

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let few = out.len().min(self.0.len()).min(7);
            self.0.read(&mut out[..few])
        }
    }

    #[test]
    fn what_the_border_of_a_window_cuts_is_read_whole() {
        let item = "<Товар Код='>'>Ёлка &amp; <![CDATA[<шар>]]><!-- <Ид> --><Ид/></Товар>\n";
        let text = item.repeat(3 * WINDOW / item.len());
        let expected = by_another(&text);
        assert!(expected.1 && expected.0.len() > 10_000);
        assert!(pieces(text.as_bytes()) == expected);
        assert!(pieces(Slow(text.as_bytes())) == expected);
        // A piece that is longer than a window.
        let long =
            format!("<Товар Код=\"{}\">{}</Товар>", "ы".repeat(WINDOW), "щ".repeat(2 * LONG));
        assert!(pieces(long.as_bytes()) == by_another(&long));
    }

    #[test]
    fn a_piece_without_an_end_is_refused_before_it_fills_the_memory() {
        for begin in ["<a ", "<a b=\"", "<!--", "<![CDATA[", "<?", "&", ""] {
            let endless = begin.as_bytes().chain(std::io::repeat(b'x'));
            let mut markup = Markup::new(endless);
            let Err(CommerceMlError::Xml { position: 0, why }) = markup.piece() else {
                panic!("{begin}")
            };
            assert!(why.contains("слишком длинный"), "{begin}: {why}");
            assert!(markup.window.capacity() < 3 * MAX_PIECE, "{begin}");
        }
    }

    #[test]
    fn places_are_told_in_bytes_and_lines() {
        let text = "<Ид>\nя</Ид>\n<Ид>\n\n</Ёж>";
        let mut markup = Markup::new(text.as_bytes());
        let mut places = Vec::new();
        let error = loop {
            match markup.piece() {
                Ok(_) => places.push((markup.position(), markup.line())),
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(places, [(6, 1), (9, 2), (16, 2), (17, 3), (23, 3), (25, 5)]);
        assert_eq!(error, "байт 25: элемент «Ид» закрыт как «Ёж»");
        let broken = [&b"<a>\xd0"[..], &[b'x'; 9]].concat();
        let mut markup = Markup::new(broken.as_slice());
        assert!(matches!(markup.piece(), Err(CommerceMlError::Xml { position: 3, .. })));
    }

    proptest! {
        #[test]
        fn a_text_is_cut_as_other_readers_cut_it(
            text in "(<Ид>|</Ид>|<Ид/>|<b:Ид>|</b:Ид>|<a|</a|>|/>| |\n|Код=\"|'|\"|=|&amp;|&#32;|&x;|&|;|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?xml |\\?>|<!DOCTYPE a>|[а-я]|x){0,30}",
            size in 0_usize..3,
        ) {
            let expected = by_another(&text);
            // Around the border of a window too.
            let before = " ".repeat(size * WINDOW - size.min(1) * text.len() / 2);
            let (mut found, whole) = pieces((before.clone() + &text).as_bytes());
            if !before.is_empty() && found.first().is_some_and(|first| first.starts_with("« ")) {
                found[0] = found[0].replacen(&before, "", 1);
                if found[0] == "«»" {
                    found.remove(0);
                }
            }
            prop_assert_eq!((found, whole), expected);
        }
    }
}
