//! Synonyms among what a line wants: the organization's own and the common ones.

use super::super::lexer::{Lexeme, lex};
use super::super::normalize::Chars;
use super::super::terms::{Term, Word, is_little, terms};
use super::super::types::SynonymTarget;
use super::{Need, Seeker, Sought, Want, Way};

impl Seeker<'_> {
    /// The synonym that begins at a term: its own words or what they mean.
    pub(super) fn synonym(
        &mut self,
        lexemes: &[Lexeme],
        found: &[Term],
        at: usize,
    ) -> Option<(Want, usize)> {
        let own = self.own;
        let common = &self.index.lexicon;
        if own.is_empty() && common.is_empty() {
            return None;
        }
        let from = found[at].range().start;
        let said = |from: usize| -> Vec<&Lexeme> {
            lexemes[from..].iter().filter(|l| l.is_word() || l.is_number()).take(4).collect()
        };
        // An organization's own words go before the common ones.
        let meanings = |run: &[&Lexeme]| {
            let own = own.at(run);
            if own.is_empty() { common.at(run) } else { own }
        };
        let mut run = said(from);
        let mut options = meanings(&run);
        // «С буром», «на липучке»: little words are no terms.
        if from > 0 && lexemes[from - 1].is_word() && is_little(&lexemes[from - 1].text) {
            let led = said(from - 1);
            let more = meanings(&led);
            if more.iter().any(|(count, _)| *count > 1) {
                (run, options) = (led, more);
            }
        }
        // «лампочька»: a slip of a word that only the synonyms have.
        let mended: Lexeme;
        let mut meant = found[at..].iter().take(4).cloned().collect::<Vec<_>>();
        if options.is_empty()
            && let Some(first) = run.first().filter(|l| l.is_word() && !l.dotted)
            && !self.index.vocabulary.hears(&first.text)
            && let Some(near) = common.near(&first.text)
        {
            mended = Lexeme { text: near.to_owned(), ..(*first).clone() };
            let mut run = run.clone();
            run[0] = &mended;
            options = common.at(&run);
            if let Some(Term::Word(word)) = meant.first_mut() {
                near.clone_into(&mut word.text);
            }
        }
        let mut best: Option<(Want, usize)> = None;
        for (count, target) in options {
            // The synonym must end where a term ends.
            let end = run[count - 1].end;
            let used = found[at..]
                .iter()
                .position(|t| lexemes[t.range().end - 1].end == end)
                .map(|n| n + 1);
            let Some(used) = used else { continue };
            if best.as_ref().is_some_and(|(_, most)| *most > used) {
                continue;
            }
            let way = match target {
                SynonymTarget::Product(id) => match self.index.row(*id) {
                    Some(row) => Way {
                        needs: vec![Need::Product(row)],
                        quality: 1.0,
                        adjacent: false,
                        free: false,
                    },
                    None => continue,
                },
                SynonymTarget::Words(words) => {
                    let Some(needs) = self.needs_of(words) else { continue };
                    Way { needs, quality: 0.98, adjacent: false, free: true }
                }
            };
            match &mut best {
                Some((want, most)) if *most == used => want.ways.push(way),
                _ => {
                    let (mut want, _) = self.literal(&meant[..used]);
                    want.ways.push(way);
                    want.known = true;
                    want.guessed = false;
                    best = Some((want, used));
                }
            }
        }
        best
    }

    /// What the words of a synonym want; `None` where the catalogue lacks one of them.
    fn needs_of(&mut self, words: &str) -> Option<Vec<Need>> {
        let mut needs = Vec::new();
        for term in terms(&lex(&Chars::new(words)), |_| false) {
            needs.push(match term {
                Term::Word(word) => {
                    let meant = self.meant(&word);
                    if !meant.meanings.sure || meant.meanings.words.is_empty() {
                        return None;
                    }
                    Need::Word(meant)
                }
                Term::Size(size) => Need::Size(size),
            });
        }
        (!needs.is_empty()).then_some(needs)
    }

    /// What the common synonyms of one word want: «ножки» of «ножки регулируемые» are «опоры».
    pub(super) fn synonyms_of(&mut self, word: &Word) -> Vec<Way> {
        const MOST: usize = 4;
        let index = self.index;
        let lexemes = lex(&Chars::new(&word.text));
        let [lexeme] = lexemes.as_slice() else { return Vec::new() };
        let found = index.lexicon.at(&[lexeme]).into_iter().filter(|(count, _)| *count == 1);
        let words = found.filter_map(|(_, target)| match target {
            SynonymTarget::Words(words) => Some(words),
            SynonymTarget::Product(_) => None,
        });
        let needs = words.take(MOST).filter_map(|words| self.needs_of(words));
        needs.map(|needs| Way { free: true, ..Way::of(needs, 0.96) }).collect()
    }

    /// What the synonyms of a misspelt word mean: «кажзам» is «кожзам» is «искусственная кожа».
    pub(super) fn guessed_synonyms(&mut self, sought: &Sought) -> Vec<Way> {
        let index = self.index;
        let mut ways = Vec::new();
        for (word, quality) in sought.meanings.words.iter().take(8) {
            let surface = &index.vocabulary.get(*word).surface;
            let lexemes = lex(&Chars::new(surface));
            let run: Vec<&Lexeme> = lexemes.iter().collect();
            for (count, target) in index.lexicon.at(&run) {
                let SynonymTarget::Words(words) = target else { continue };
                if count != run.len() {
                    continue;
                }
                if let Some(needs) = self.needs_of(words) {
                    ways.push(Way { needs, quality: quality * 0.93, adjacent: false, free: true });
                }
            }
        }
        ways
    }
}
