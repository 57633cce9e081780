//! Elements of a file within bounds: no document types, no custom entities, no element that does not
//! fit in memory.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use super::ROOT;
use super::markup::{Markup, Piece, Tag, attribute, line_ends};
use crate::formats::text::{into_line, line};

/// Elements inside elements beyond this depth are refused.
const MAX_DEPTH: usize = 64;
/// Room that a tree keeps for the next one: bytes of text.
const KEPT: usize = 256 * 1024;

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

/// An element that is small enough to be in memory, with all that is known inside: one part after
/// another as they stand in the file. It is read into again and again, so that an element costs no
/// memory of its own.
#[derive(Default)]
pub struct Tree {
    parts: Vec<Part>,
    /// The texts and the attributes, one after another.
    texts: String,
    /// How many bytes more it may take.
    left: usize,
    /// Whether there is more of the element in the file.
    open: bool,
}

struct Part {
    kind: Kind,
    /// Of an element.
    name: &'static str,
    /// Where its text is.
    text: Range<usize>,
    /// The number of the part that follows all inside.
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Element,
    /// Of the element before it, as they are written: they are seldom asked for.
    Attributes,
    Text,
}

impl Tree {
    /// Begins anew with this element, which may take so many bytes.
    pub fn begin(&mut self, tag: Tag<'_>, bytes: usize) {
        self.parts.clear();
        self.texts.clear();
        self.parts.shrink_to(KEPT / size_of::<Part>());
        self.texts.shrink_to(KEPT);
        self.left = bytes;
        self.open = !tag.empty;
        self.enter(tag);
        self.leave(0);
    }

    /// An element begins; its number.
    fn enter(&mut self, tag: Tag<'_>) -> usize {
        let at = self.parts.len();
        self.push(Kind::Element, tag.name, "");
        if !tag.attributes.is_empty() {
            self.push(Kind::Attributes, "", tag.attributes);
        }
        at
    }

    /// The element with this number ends. One that did not fit whole goes.
    fn leave(&mut self, at: usize) {
        if self.left == 0 && at > 0 {
            self.parts.truncate(at);
        }
        let end = self.parts.len();
        if let Some(part) = self.parts.get_mut(at) {
            part.end = end;
        }
    }

    fn push(&mut self, kind: Kind, name: &'static str, text: &str) {
        self.left = self.left.saturating_sub(size_of::<Part>() + text.len());
        if self.left == 0 {
            return;
        }
        let start = self.texts.len();
        self.texts.push_str(text);
        let end = self.parts.len() + 1;
        self.parts.push(Part { kind, name, text: start..self.texts.len(), end });
    }
}

/// An element of a tree.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    at: usize,
}

impl<'t> Node<'t> {
    /// Its name without a prefix.
    pub fn name(self) -> &'static str {
        self.tree.parts[self.at].name
    }

    /// The whole was too big: what is here is its beginning.
    pub fn cut(self) -> bool {
        self.tree.left == 0
    }

    fn inside(self) -> impl Iterator<Item = (usize, &'t Part)> {
        let parts = &self.tree.parts;
        let (mut at, end) = (self.at + 1, parts[self.at].end);
        std::iter::from_fn(move || {
            let found = (at < end).then(|| (at, &parts[at]))?;
            at = found.1.end;
            Some(found)
        })
    }

    /// The elements inside.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        let elements = self.inside().filter(|(_, part)| part.kind == Kind::Element);
        elements.map(move |(at, _)| Self { tree: self.tree, at })
    }

    /// The elements of this name inside.
    pub fn children(self, name: &str) -> impl Iterator<Item = Self> {
        self.elements().filter(move |element| element.name() == name)
    }

    /// The first element of this name inside.
    pub fn child(self, name: &str) -> Option<Self> {
        self.children(name).next()
    }

    fn texts(self, kind: Kind) -> impl Iterator<Item = &'t str> {
        let parts = self.inside().filter(move |(_, part)| part.kind == kind);
        parts.map(move |(_, part)| &self.tree.texts[part.text.clone()])
    }

    /// Its own text.
    pub fn text(self) -> Cow<'t, str> {
        let mut texts = self.texts(Kind::Text);
        let first = texts.next().unwrap_or_default();
        // Comments, entities and elements part a text; most have none.
        match texts.next() {
            None => Cow::Borrowed(first),
            Some(second) => Cow::Owned([first, second].into_iter().chain(texts).collect()),
        }
    }

    /// Its own text on one line.
    pub fn line(self) -> Cow<'t, str> {
        match self.text() {
            Cow::Borrowed(text) => line(text),
            Cow::Owned(text) => Cow::Owned(into_line(text)),
        }
    }

    /// The child's text on one line; `None` when it is absent or empty.
    pub fn text_of(self, name: &str) -> Option<Cow<'t, str>> {
        Some(self.child(name)?.line()).filter(|text| !text.is_empty())
    }

    /// An attribute's value; `None` when it is absent or empty.
    pub fn attribute(self, name: &str) -> Option<Cow<'t, str>> {
        attribute(self.texts(Kind::Attributes).next()?, name)
    }
}

/// Reads pieces and small elements.
pub struct Parser<R> {
    markup: Markup<R>,
    without: &'static str,
}

impl<R: Read> Parser<R> {
    /// Over UTF-8 without a byte-order mark.
    pub fn new(source: R) -> Self {
        Self { markup: Markup::new(source), without: "" }
    }

    /// The same, passing over elements of this name inside small elements.
    pub fn without(self, name: &'static str) -> Self {
        Self { without: name, ..self }
    }

    /// An error at this place of the file.
    pub fn error(&self, why: impl Into<String>) -> CommerceMlError {
        CommerceMlError::Xml { position: self.markup.position(), why: why.into() }
    }

    /// The file ends before its time.
    pub fn cut(&self) -> CommerceMlError {
        CommerceMlError::Cut(self.markup.position())
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
        self.markup.piece()
    }

    /// Reads the rest of the element that the tree has begun with.
    pub fn element<'t>(&mut self, tree: &'t mut Tree) -> Result<Node<'t>, CommerceMlError> {
        if std::mem::take(&mut tree.open) {
            self.inside(tree, 0, 1)?;
        }
        Ok(Node { tree, at: 0 })
    }

    fn inside(
        &mut self,
        tree: &mut Tree,
        element: usize,
        depth: usize,
    ) -> Result<(), CommerceMlError> {
        self.check_depth(depth)?;
        // Between elements there is nothing but line ends and tabs.
        let mut said = false;
        loop {
            match self.markup.piece()? {
                Piece::Start(tag) if tag.name.is_empty() || tag.name == self.without => {
                    if !tag.empty {
                        self.skip(depth + 1)?;
                    }
                }
                Piece::Start(tag) => {
                    let (child, empty) = (tree.enter(tag), tag.empty);
                    if empty {
                        tree.leave(child);
                    } else {
                        self.inside(tree, child, depth + 1)?;
                    }
                }
                Piece::Text(text) => {
                    said |= !text.bytes().all(|byte| byte.is_ascii_whitespace());
                    if said {
                        tree.push(Kind::Text, "", &text);
                    }
                }
                Piece::Nothing => {}
                Piece::End => {
                    tree.leave(element);
                    return Ok(());
                }
                Piece::Eof => return Err(self.cut()),
            }
        }
    }

    /// Passes over the rest of an element.
    pub fn skip(&mut self, depth: usize) -> Result<(), CommerceMlError> {
        let mut inside = 1;
        while inside > 0 {
            match self.piece()? {
                Piece::Start(tag) if !tag.empty => {
                    inside += 1;
                    self.check_depth(depth + inside)?;
                }
                Piece::Start(_) | Piece::Text(_) | Piece::Nothing => {}
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
            let line = self.markup.line();
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
                Ok(Piece::Start(_) | Piece::End) | Err(_) => {
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
                Piece::Start(tag) if tag.name == ROOT => return Ok(!tag.empty),
                Piece::Text(text) => bare &= text.trim().is_empty(),
                Piece::Nothing => {}
                Piece::Eof if bare => return Err(self.cut()),
                Piece::Start(_) | Piece::End | Piece::Eof => return Err(CommerceMlError::Foreign),
            }
        }
    }
}
