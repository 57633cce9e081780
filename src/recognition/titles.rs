//! Titles as they are written, so that one that was copied whole is read whole, whatever commas,
//! brackets and packs are in it.

use super::lexer::Lexeme;

/// Fewer words and numbers than this are words of an order, not a title.
const LEAST: usize = 3;

/// The products by what their titles say, word by word.
#[derive(Debug, Default)]
pub(crate) struct Titles(Vec<(u64, u32)>);

impl Titles {
    /// Makes the lookup of pairs of a title's [`fingerprint`] and its product.
    pub(crate) fn new(mut pairs: Vec<(u64, u32)>) -> Self {
        pairs.sort_unstable();
        Self(pairs)
    }

    /// The longest beginning of a run that is a title: how many lexemes, and its products.
    pub(crate) fn begun(&self, lexemes: &[Lexeme]) -> Option<(usize, Vec<u32>)> {
        let mut sum = 0_u64;
        let mut count = 0;
        let mut best = None;
        for (at, lexeme) in lexemes.iter().enumerate() {
            if !(lexeme.is_word() || lexeme.is_number()) {
                continue;
            }
            sum = mixed(sum, lexeme);
            count += 1;
            let from = self.0.partition_point(|(hash, _)| *hash < sum);
            if count >= LEAST && self.0.get(from).is_some_and(|(hash, _)| *hash == sum) {
                best = Some((at + 1, from, sum));
            }
        }
        let (taken, from, sum) = best?;
        let rows = self.0[from..].iter().take_while(|(hash, _)| *hash == sum).map(|(_, row)| *row);
        Some((taken, rows.collect()))
    }
}

/// What tells one title from another: its words and numbers in their order.
pub(crate) fn fingerprint(lexemes: &[Lexeme]) -> u64 {
    lexemes.iter().filter(|l| l.is_word() || l.is_number()).fold(0, mixed)
}

fn mixed(sum: u64, lexeme: &Lexeme) -> u64 {
    let own = if lexeme.is_number() {
        lexeme.value.unsigned_abs()
    } else {
        lexeme.text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    (sum.rotate_left(7) ^ own).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
