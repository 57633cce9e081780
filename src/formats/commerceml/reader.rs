//! XML as a stream, within bounds: no document types, no custom entities, no element, tag or text
//! that does not fit in memory.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::errors::{IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};

use super::ROOT;
use crate::formats::text::{excerpt, one_line};

/// Elements inside elements beyond this depth are refused.
const MAX_DEPTH: usize = 64;
/// More attributes of one element are refused.
const MAX_ATTRIBUTES: usize = 64;
/// A longer tag, text or comment is refused: bytes.
const MAX_PIECE: usize = 16 * 1024 * 1024;

/// Why a file is not CommerceML.
#[derive(Debug, thiserror::Error)]
pub enum CommerceMlError {
    /// It is not XML, or tries what XML bombs try.
    #[error("байт {position}: {why}")]
    Xml {
        /// Where, in bytes of its UTF-8 form.
        position: u64,
        /// What is wrong, in Russian.
        why: String,
    },
    /// It breaks off.
    #[error("байт {0}: файл обрывается")]
    Cut(u64),
    /// Something follows its end: what this line has.
    #[error("лишнее после конца документа, строка {0}")]
    Trailing(u64),
    /// It is XML of something else.
    #[error("это не CommerceML: нет элемента «КоммерческаяИнформация»")]
    Foreign,
    /// The source could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Names that mean something to us: as a constant; `""`: one that we do not know.
macro_rules! names {
    ($(#[$doc:meta])* $known:ident: $($name:literal)*) => {
        $(#[$doc])*
        fn $known(name: &str) -> &'static str {
            match name {
                $($name => $name,)*
                _ => "",
            }
        }
    };
}

names! {
    /// An element; one of another name is passed over with all inside.
    known: "Ид" "Наименование" "Артикул" "БазоваяЕдиница" "Цена" "Цены" "ИдТипаЦены"
    "ЦенаЗаЕдиницу" "Валюта" "Единица" "Коэффициент" "Количество" "Товар" "Предложение" "Группы"
    "Описание" "ЗначенияРеквизитов" "ЗначениеРеквизита" "Значение" "Штрихкод"
    "ХарактеристикиТовара" "ХарактеристикаТовара" "Остатки" "Остаток" "Склад" "Статус"
    "ПометкаУдаления" "Пересчет" "ИдХарактеристики" "Склады" "Группа" "КоммерческаяИнформация"
    "Классификатор" "Каталог" "ПакетПредложений" "ИзмененияПакетаПредложений"
    "СодержитТолькоИзменения" "Товары" "Предложения" "ТипыЦен" "ТипЦены" "Контейнер" "Документ"
    "Номер" "Номер1С" "Дата1С" "Сумма" "Документы" "Справочники" "ХозОперация"
}

names! {
    /// An attribute; others are not kept.
    known_attribute: "ВерсияСхемы" "СодержитТолькоИзменения" "Статус" "Код"
    "НаименованиеКраткое" "НаименованиеПолное" "ИдСклада" "КоличествоНаСкладе"
}

/// An element that is small enough to be in memory.
#[derive(Debug, Default)]
pub struct Node {
    /// Its name without a prefix; empty: an unknown one.
    pub name: &'static str,
    attributes: Vec<(&'static str, String)>,
    /// Its own text.
    pub text: String,
    /// The known elements inside.
    pub children: Vec<Node>,
    /// It was too big: what is here is its beginning.
    pub cut: bool,
}

impl Node {
    /// The first element of this name inside.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The elements of this name inside.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The child's text on one line; `None` when it is absent or empty.
    pub fn text_of(&self, name: &str) -> Option<String> {
        let text = one_line(&self.child(name)?.text);
        Some(text).filter(|text| !text.is_empty())
    }

    /// An attribute's value; `None` when it is absent or empty.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

/// What the stream brought.
pub enum Piece<'b> {
    /// A start tag; `true`: it is an end tag too.
    Start(Node, bool),
    /// An end tag.
    End,
    /// Text, in one or more pieces.
    Text(Cow<'b, str>),
    /// A comment, a declaration: what says nothing.
    Nothing,
    /// The end of the stream.
    Eof,
}

/// A source that stops when one piece of XML takes too much: the reader gathers a piece in memory
/// before we see it.
struct Bounded<R> {
    inner: BufReader<R>,
    left: usize,
    /// Line ends in all that has been taken from the source.
    lines: u64,
}

impl<R: Read> Bounded<R> {
    /// The line that the next byte is on, from 1.
    fn line(&self) -> u64 {
        self.lines - line_ends(self.inner.buffer()) + 1
    }
}

/// Marks the error of a piece that is too long.
#[derive(Debug, thiserror::Error)]
#[error("слишком длинный элемент или текст")]
struct TooLong;

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(out)
    }
}

impl<R: Read> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.left == 0 {
            return Err(std::io::Error::other(TooLong));
        }
        let fresh = self.inner.buffer().is_empty();
        let Self { inner, lines, .. } = self;
        let bytes = inner.fill_buf()?;
        if fresh {
            *lines += line_ends(bytes);
        }
        Ok(bytes)
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}

/// Reads pieces and small elements.
pub struct Parser<R> {
    reader: Reader<Bounded<R>>,
    buffer: Vec<u8>,
    without: &'static str,
}

impl<R: Read> Parser<R> {
    /// Over UTF-8 without a byte-order mark.
    pub fn new(source: R) -> Self {
        let inner = BufReader::with_capacity(64 * 1024, source);
        let reader = Reader::from_reader(Bounded { inner, left: MAX_PIECE, lines: 0 });
        Self { reader, buffer: Vec::new(), without: "" }
    }

    /// The same, passing over elements of this name inside small elements.
    pub fn without(self, name: &'static str) -> Self {
        Self { without: name, ..self }
    }

    /// An error at this place of the stream.
    pub fn error(&self, why: impl Into<String>) -> CommerceMlError {
        CommerceMlError::Xml { position: self.reader.buffer_position(), why: why.into() }
    }

    /// The file ends before its time.
    pub fn cut(&self) -> CommerceMlError {
        CommerceMlError::Cut(self.reader.buffer_position())
    }

    /// The depth is within bounds.
    pub fn check_depth(&self, depth: usize) -> Result<(), CommerceMlError> {
        if depth > MAX_DEPTH {
            return Err(self.error("слишком глубокая вложенность"));
        }
        Ok(())
    }

    /// The next piece.
    pub fn piece(&mut self) -> Result<Piece<'_>, CommerceMlError> {
        // A piece may take several; what the last one left of a long buffer goes back.
        if self.buffer.capacity() > 256 * 1024 {
            self.buffer = Vec::new();
        }
        self.buffer.clear();
        self.reader.get_mut().left = MAX_PIECE;
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(error) => return Err(told(&error, self.reader.error_position())),
        };
        let position = self.reader.buffer_position();
        let refuse = |why: &str| CommerceMlError::Xml { position, why: why.to_owned() };
        Ok(match event {
            Event::Start(start) => Piece::Start(node(&start).map_err(refuse)?, false),
            Event::Empty(start) => Piece::Start(node(&start).map_err(refuse)?, true),
            Event::End(_) => Piece::End,
            Event::Text(text) => Piece::Text(text.into_inner()),
            Event::CData(text) => Piece::Text(text.into_inner()),
            Event::GeneralRef(name) => {
                let text = entity(&name).ok_or_else(|| refuse("неизвестная сущность"))?;
                Piece::Text(Cow::Owned(text))
            }
            // A bare one names a schema that nobody reads; one with a subset may be a bomb.
            Event::DocType(text) if text.contains('[') => {
                return Err(refuse("DOCTYPE с описанием не принимается"));
            }
            Event::Eof => Piece::Eof,
            Event::DocType(_) | Event::Decl(_) | Event::Comment(_) | Event::PI(_) => Piece::Nothing,
        })
    }

    /// Reads the rest of an element; of one that holds more than `bytes` only the beginning is
    /// kept.
    pub fn subtree(&mut self, root: Node, bytes: usize) -> Result<Node, CommerceMlError> {
        let mut left = bytes;
        let mut root = self.inside(root, 1, &mut left)?;
        root.cut = left == 0;
        Ok(root)
    }

    fn inside(
        &mut self,
        mut root: Node,
        depth: usize,
        left: &mut usize,
    ) -> Result<Node, CommerceMlError> {
        self.check_depth(depth)?;
        loop {
            match self.piece()? {
                Piece::Start(node, empty) => {
                    if node.name.is_empty() || node.name == self.without {
                        if !empty {
                            self.skip(depth + 1)?;
                        }
                        continue;
                    }
                    *left = left.saturating_sub(size_of::<Node>());
                    let child = if empty { node } else { self.inside(node, depth + 1, left)? };
                    if *left > 0 {
                        root.children.push(child);
                    }
                }
                Piece::Text(text) => {
                    // Between elements there is nothing but line ends and tabs.
                    if root.text.is_empty() && text.bytes().all(|b| b.is_ascii_whitespace()) {
                        continue;
                    }
                    *left = left.saturating_sub(text.len());
                    if *left > 0 {
                        if root.text.is_empty() {
                            root.text = text.into_owned();
                        } else {
                            root.text.push_str(&text);
                        }
                    }
                }
                Piece::Nothing => {}
                Piece::End => return Ok(root),
                Piece::Eof => return Err(self.cut()),
            }
        }
    }

    /// Passes over the rest of an element.
    pub fn skip(&mut self, depth: usize) -> Result<(), CommerceMlError> {
        let mut inside = 1;
        while inside > 0 {
            match self.piece()? {
                Piece::Start(_, false) => {
                    inside += 1;
                    self.check_depth(depth + inside)?;
                }
                Piece::Start(_, true) | Piece::Text(_) | Piece::Nothing => {}
                Piece::End => inside -= 1,
                Piece::Eof => return Err(self.cut()),
            }
        }
        Ok(())
    }

    /// Reads what follows the root's end: nothing that says anything. Blanks, zeros and what editors
    /// and disks leave at the end of a file are nothing.
    pub fn finish(&mut self) -> Result<(), CommerceMlError> {
        loop {
            let line = self.reader.get_ref().line();
            match self.piece() {
                Ok(Piece::Eof) => return Ok(()),
                Ok(Piece::Nothing) => {}
                Ok(Piece::Text(text)) => {
                    let nothing = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
                    let said = text.trim_start_matches(nothing);
                    if !said.is_empty() {
                        let before = &text.as_bytes()[..text.len() - said.len()];
                        return Err(CommerceMlError::Trailing(line + line_ends(before)));
                    }
                }
                Err(error @ CommerceMlError::Io(_)) => return Err(error),
                Ok(Piece::Start(..) | Piece::End) | Err(_) => {
                    return Err(CommerceMlError::Trailing(line));
                }
            }
        }
    }

    /// Reads up to the root's start tag; whether the root has anything inside.
    pub fn root(&mut self) -> Result<bool, CommerceMlError> {
        let mut bare = true;
        loop {
            match self.piece()? {
                Piece::Start(node, empty) if node.name == ROOT => return Ok(!empty),
                Piece::Text(text) => bare &= text.trim().is_empty(),
                Piece::Nothing => {}
                Piece::Eof if bare => return Err(self.cut()),
                Piece::Start(..) | Piece::End | Piece::Eof => return Err(CommerceMlError::Foreign),
            }
        }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    // Counted in bytes: so the compiler takes many at once.
    let count = |piece: &[u8]| piece.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    bytes.chunks(255).map(|piece| u64::from(count(piece))).sum()
}

fn told(error: &quick_xml::Error, position: u64) -> CommerceMlError {
    match error {
        quick_xml::Error::Io(error)
            if error
                .get_ref()
                .is_some_and(<dyn std::error::Error + Send + Sync>::is::<TooLong>) =>
        {
            CommerceMlError::Xml { position, why: TooLong.to_string() }
        }
        quick_xml::Error::Io(error) => {
            CommerceMlError::Io(std::io::Error::new(error.kind(), error.to_string()))
        }
        quick_xml::Error::Syntax(SyntaxError::InvalidBangMarkup) => CommerceMlError::Xml {
            position,
            why: "«<!» без комментария или CDATA".to_owned(),
        },
        // A tag, a comment or a section that the end of the file cuts.
        quick_xml::Error::Syntax(_) => CommerceMlError::Cut(position),
        quick_xml::Error::IllFormed(error) => {
            let why = match error {
                IllFormedError::MismatchedEndTag { expected, found } => {
                    format!("элемент «{}» закрыт как «{}»", excerpt(expected), excerpt(found))
                }
                // «&quo» at the end of a piece.
                IllFormedError::UnclosedReference => return CommerceMlError::Cut(position),
                IllFormedError::UnmatchedEndTag(name) => {
                    format!("закрыт элемент «{}», который не открыт", excerpt(name))
                }
                _ => "это не XML".to_owned(),
            };
            CommerceMlError::Xml { position, why }
        }
        _ => CommerceMlError::Xml { position, why: "это не XML".to_owned() },
    }
}

/// A start tag.
fn node(start: &BytesStart<'_>) -> Result<Node, &'static str> {
    let name = known(start.local_name().as_ref());
    let (mut attributes, mut count) = (Vec::new(), 0);
    if start.attributes_raw().trim().is_empty() {
        return Ok(Node { name, ..Node::default() });
    }
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| "атрибут не читается")?;
        if count == MAX_ATTRIBUTES {
            return Err("слишком много атрибутов");
        }
        count += 1;
        let key = known_attribute(attribute.key.local_name().as_ref());
        if key.is_empty() {
            continue;
        }
        let value =
            quick_xml::escape::unescape(&attribute.value).map_err(|_| "атрибут не читается")?;
        attributes.push((key, value.into_owned()));
    }
    Ok(Node { name, attributes, ..Node::default() })
}

/// `&amp;` and its four siblings, `&#8381;`, `&#x20BD;`, and what texts copied from HTML bring. Half of
/// a surrogate pair is no character, and not worth the item that it stands in.
fn entity(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return Some(char::from_u32(code).unwrap_or('\u{fffd}').to_string());
    }
    let text = match name {
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
    };
    Some(text.to_owned())
}
