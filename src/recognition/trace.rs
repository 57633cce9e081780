//! Why a line was decided so: one sentence for people, and the stages behind it.

use super::rank::Want;
use super::types::{Decision, Question, Stage, Trace};
use crate::domain::ru;

/// What the sentence is made of.
#[expect(clippy::struct_excessive_bools, reason = "grounds of a decision, one each")]
pub(crate) struct Grounds<'a> {
    pub(crate) decision: Decision,
    pub(crate) wants: &'a [Want],
    pub(crate) fit: usize,
    pub(crate) meant: usize,
    pub(crate) question: Option<&'a Question>,
    pub(crate) learnt: bool,
    pub(crate) by_article: bool,
    pub(crate) guessed: bool,
    pub(crate) stretched: bool,
}

impl Grounds<'_> {
    /// The sentence.
    fn why(&self) -> String {
        match self.decision {
            Decision::Matched if self.learnt => {
                "✅: этими словами организация уже заказывала этот товар".to_owned()
            }
            Decision::Matched if self.by_article => "✅: товар назван по артикулу".to_owned(),
            Decision::Matched => {
                let mut why = String::from("✅: всё сказанное подходит одному товару");
                if self.fit > self.meant {
                    why = format!(
                        "✅: из подходящих ({}) остальные отличаются тем, чего не называли",
                        self.fit
                    );
                }
                if self.guessed {
                    why.push_str(", слово с опечаткой прочитано по каталогу");
                }
                if self.stretched {
                    why.push_str(", размер пересчитан в единицы каталога");
                }
                why
            }
            Decision::Ambiguous => {
                let count = u64::try_from(self.meant).unwrap_or(u64::MAX);
                let what =
                    ru::count(count, ["товар подходит", "товара подходят", "товаров подходят"]);
                match self.question {
                    Some(q) if !q.attribute.is_empty() => {
                        format!("❓: {what} одинаково, отличаются: {}", q.attribute)
                    }
                    _ => format!("❓: {what} одинаково"),
                }
            }
            Decision::Unmatched => {
                let unknown: Vec<String> = self
                    .wants
                    .iter()
                    .filter(|w| !w.known)
                    .map(|w| format!("«{}»", w.text))
                    .collect();
                if unknown.is_empty() {
                    "❌: нет товара, которому подходит всё сказанное".to_owned()
                } else {
                    format!("❌: в каталоге не встречается: {}", unknown.join(", "))
                }
            }
        }
    }

    /// The whole trace.
    pub(crate) fn trace(&self, stages: Vec<Stage>) -> Trace {
        let text = |w: &Want| if w.without { format!("без {}", w.text) } else { w.text.clone() };
        Trace {
            why: self.why(),
            normalized: self.wants.iter().map(text).collect::<Vec<_>>().join(" "),
            attributes: self
                .wants
                .iter()
                .map(|w| {
                    let kind = if w.numeric {
                        "размер или номер"
                    } else if w.known {
                        "слово"
                    } else {
                        "незнакомое слово"
                    };
                    let inherited =
                        if w.inherited { " (из прошлой позиции)" } else { "" };
                    format!("{kind} {}{inherited}", text(w))
                })
                .collect(),
            stages,
        }
    }
}
