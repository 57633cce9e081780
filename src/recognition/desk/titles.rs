//! Titles over lists: «Атлас белый:», «Канализация серая» in a line of its own. What they say is of
//! each line under them that contradicts it in nothing.

use super::super::inherit::Heir;
use super::super::interpret::{Draft, Light, read};
use super::super::lexer::Lexeme;
use super::super::rank::{Seeker, Want};
use super::super::split::Piece;
use super::Desk;

/// What stands over the list that is being read.
pub(super) struct Title {
    wants: Vec<Want>,
    /// Whether no colon says that it is one.
    bare: bool,
    /// Whether the list goes on in its line; not yet known at first.
    inline: Option<bool>,
}

impl Desk<'_> {
    /// «Атлас белый: | розетка 14 | рамка 1 м 6»: a piece that names goods, read as of its title.
    pub(super) fn under_title(
        &self,
        seeker: &mut Seeker<'_>,
        piece: &Piece,
    ) -> Option<(Draft, Heir)> {
        let title = self.title.as_ref().filter(|_| !piece.header && !piece.row)?;
        let light = Light { context: &title.wants, ..self.light(seeker, piece, true) };
        let (draft, how) = read(seeker, self.text, &piece.lexemes, light);
        // «Спанбонд белый» is no title over «спанбонд 70».
        let again = |w: &Want| title.wants.iter().any(|t| t.key == w.key);
        if title.bare && draft.wants.iter().any(|w| !w.inherited && again(w)) {
            return None;
        }
        (how == Heir::Adds && draft.fit > 0 && draft.unknown() == 0).then_some((draft, how))
    }

    /// Forgets the title that is over where this piece begins.
    pub(super) fn leave_title(&mut self, piece: &Piece) {
        if piece.header && !piece.section {
            self.title = None;
        } else if let Some(title) = &mut self.title {
            // Of a title in the middle of a line only that line is.
            match title.inline {
                None if title.bare && !piece.new_line => self.title = None,
                None => title.inline = Some(!piece.new_line),
                Some(true) if piece.new_line => self.title = None,
                Some(_) => {}
            }
        }
    }

    /// Keeps a piece that is a title for the pieces after it.
    pub(super) fn keep_title(&mut self, piece: &Piece, draft: &Draft, heir: Heir) {
        let over = draft.reading.quantity.is_none() && !piece.section;
        let bare = piece.new_line
            && draft.fit > 0
            && !draft.by_article
            && heir == Heir::None
            && !piece.lexemes.iter().any(Lexeme::is_number);
        if over && (piece.header || bare) {
            let wants = draft.wants.clone();
            self.title = Some(Title { wants, bare: !piece.header, inline: None });
        }
    }
}
