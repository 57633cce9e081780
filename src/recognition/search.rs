//! An answer to a question, and the catalogue searched as one types.

use std::time::Instant;

use super::decide::meant;
use super::desk::Pending;
use super::index::Index;
use super::interpret::Draft;
use super::lexer::Lexeme;
use super::line::{candidate, line, nearest};
use super::rank::{Seeker, Stretch, Want};
use super::split::characters;
use super::synonyms::Lexicon;
use super::types::{Buyer, Candidate, Decision, Line};
use crate::domain::ProductId;

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
        let lexemes = super::numerals::replace(&lexemes, |_| false);
        let begun = Instant::now();
        let wants = seeker.wants(&lexemes, &[]);
        let mut draft = Draft { wants, ..Draft::default() };
        let rows: Vec<u32> = among.iter().filter_map(|id| self.row(*id)).collect();
        let kept = |draft: &mut Draft, seeker: &Seeker<'_>, stretch: Stretch| {
            let hits: Vec<_> = seeker
                .hits(&draft.wants, stretch)
                .into_iter()
                .filter(|h| rows.contains(&h.row))
                .collect();
            draft.fit = hits.len();
            draft.meant = meant(seeker, &hits, &draft.wants).hits;
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
            added: Vec::new(),
            amended: false,
            micros: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        let mut line = line(&seeker, buyer, pending, true);
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
