//! «Эталоны»: texts with the lines that they are known to mean, run over again after every lesson
//! and every new catalogue. A file of them is what `eval` reads.

use std::collections::HashSet;

use rusqlite::Transaction;

use super::answer::{Answer, AnswerLine, Answers};
use super::score::{Case, Fault, Report, Tally};
use super::{Bench, BenchError, TEXT_MAX_CHARS};
use crate::domain::{OrganizationId, ProductId, Timestamp};
use crate::recognition::{Buyer, Decision, Synonym, SynonymTarget};
use crate::services::accounts::Actor;
use crate::services::journal::entry;
use crate::storage::golden::{self, CaseRow};
use crate::storage::words::{self, Unchecked};
use crate::storage::{StorageError, audit};

/// More texts than these are no set to be run while somebody waits.
const CASES_MAX: usize = 5_000;
/// The longest name, in characters.
const NAME_MAX: usize = 100;
/// Candidates that a question may be about.
const ASKED: usize = 5;

/// A run over every text, beside the one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub report: Report,
    /// What came of the one before.
    pub before: Option<Report>,
}

impl Run {
    /// What is wrong and was not in the run before; nothing where there was none.
    pub fn fresh(&self) -> Vec<&Fault> {
        let Some(before) = &self.before else { return Vec::new() };
        self.report.faults.iter().filter(|fault| !before.faults.contains(fault)).collect()
    }

    /// How much was wrong in the run before and is not any more.
    pub fn mended(&self) -> usize {
        let Some(before) = &self.before else { return 0 };
        before.faults.iter().filter(|fault| !self.report.faults.contains(fault)).count()
    }
}

/// What came of reading a file of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CasesImported {
    /// New ones.
    pub added: usize,
    /// Those that had the name of one that was there, and took its place.
    pub replaced: usize,
    /// Lines of the file that say nothing usable, and why, in Russian.
    pub refused: Vec<(usize, String)>,
}

/// What to do with what clients taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is right: it stays.
    Accept,
    /// It is wrong: the phrase never means the product, unless it is taught again.
    Refuse,
    /// Neither: as if it had never been learnt.
    Forget,
}

impl Verdict {
    fn action(self) -> &'static str {
        match self {
            Self::Accept => "phrase.accepted",
            Self::Refuse => "phrase.refused",
            Self::Forget => "phrase.forgotten",
        }
    }
}

impl Bench {
    /// Every text, by name.
    pub async fn cases(&self) -> Result<Vec<CaseRow>, StorageError> {
        self.base.db.read(golden::cases).await
    }

    /// The last run, or `None` where there was none.
    pub async fn last_run(&self) -> Result<Option<Run>, StorageError> {
        let mut runs = self.base.db.read(|conn| golden::runs(conn, 2)).await?.into_iter();
        let read = |report: &str| serde_json::from_str(report).ok();
        let Some((last, report)) = runs.next().and_then(|run| Some((run.at, read(&run.report)?)))
        else {
            return Ok(None);
        };
        let before = runs.next().and_then(|run| read(&run.report));
        Ok(Some(Run { at: last, report, before }))
    }

    /// Keeps a text with the lines that it is understood to mean now.
    ///
    /// # Errors
    ///
    /// [`BenchError::Invalid`] without a name, or when the text orders nothing.
    pub async fn keep_case(&self, by: Actor, name: &str, text: &str) -> Result<(), BenchError> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || name.chars().count() > NAME_MAX {
            return Err(BenchError::Invalid("Назовите эталон: до 100\u{a0}знаков."));
        }
        let text: String = text.chars().take(TEXT_MAX_CHARS).collect();
        let answers = self.answers().await?;
        let asked = text.clone();
        let answer = blocking(move || answers.answer(&asked, false)).await?;
        if answer.lines.is_empty() {
            return Err(BenchError::Invalid("В тексте нет позиций: проверять будет нечего."));
        }
        let lines = serde_json::Value::from(answer.lines.iter().map(label).collect::<Vec<_>>());
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                golden::put(tx, &name, &text, &lines.to_string(), now)?;
                let change = (None, Some(name.as_str()));
                audit::record(tx, &entry(&by, now, "golden.kept", "golden", change))
            })
            .await?;
        Ok(())
    }

    /// Takes a text away; whether there was one.
    pub async fn remove_case(&self, by: Actor, id: i64) -> Result<bool, StorageError> {
        let now = self.base.clock.now();
        self.base
            .db
            .write(move |tx| {
                let Some(name) = golden::delete(tx, id)? else { return Ok(false) };
                let change = (Some(name.as_str()), None);
                audit::record(tx, &entry(&by, now, "golden.removed", "golden", change))?;
                Ok(true)
            })
            .await
    }

    /// Runs every text and keeps what came of it.
    ///
    /// # Errors
    ///
    /// [`BenchError::Invalid`] when there is no text.
    pub async fn run_cases(&self) -> Result<(), BenchError> {
        let rows = self.cases().await?;
        if rows.is_empty() {
            return Err(BenchError::Invalid("Эталонов нет: прогонять нечего."));
        }
        let answers = self.answers().await?;
        let report = blocking(move || {
            let cases: Vec<Case> = rows.iter().filter_map(case).collect();
            let mut tally = Tally::default();
            for case in &cases {
                tally.add(case, &answers.answer(&case.text, false));
            }
            tally.report(cases.len())
        });
        let report = serde_json::to_string(&report.await?)
            .map_err(|error| StorageError::Corrupt(error.to_string()))?;
        let now = self.base.clock.now();
        self.base.db.write(move |tx| golden::insert_run(tx, &report, now)).await?;
        Ok(())
    }

    /// The texts as a file: an object on each line, as `eval` reads them.
    pub async fn export_cases(&self) -> Result<Vec<u8>, StorageError> {
        let mut file = String::new();
        for row in self.cases().await? {
            let lines: serde_json::Value = serde_json::from_str(&row.lines).unwrap_or_default();
            let object = serde_json::json!({ "id": row.name, "text": row.text, "lines": lines });
            file.push_str(&object.to_string());
            file.push('\n');
        }
        Ok(file.into_bytes())
    }

    /// Keeps the texts of a file. Bad lines are refused one by one; the others are kept together.
    ///
    /// # Errors
    ///
    /// [`BenchError::Invalid`] when the file is no text, or has more than 5 000 of them.
    pub async fn import_cases(
        &self,
        by: Actor,
        file: Vec<u8>,
    ) -> Result<CasesImported, BenchError> {
        let text = String::from_utf8(file).map_err(|_| {
            BenchError::Invalid("Файл не в UTF-8: нужен текст, по объекту JSON на строке.")
        })?;
        let mut done = CasesImported::default();
        let mut kept = Vec::new();
        let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            match read(line) {
                Ok(case) => kept.push(case),
                Err(why) => done.refused.push((index + 1, why)),
            }
        }
        if kept.len() > CASES_MAX {
            return Err(BenchError::Invalid("В файле больше 5\u{a0}000 эталонов."));
        }
        let now = self.base.clock.now();
        let done = self
            .base
            .db
            .write(move |tx| {
                for (name, text, lines) in &kept {
                    let new = golden::put(tx, name, text, lines, now)?;
                    done.added += usize::from(new);
                    done.replaced += usize::from(!new);
                }
                let count = kept.len().to_string();
                let change = (None, Some(count.as_str()));
                audit::record(tx, &entry(&by, now, "golden.imported", "golden", change))?;
                Ok::<_, StorageError>(done)
            })
            .await?;
        Ok(done)
    }

    /// The names of the texts in which a synonym for all would change a product that is certain now.
    pub async fn changed_by(&self, words: &str, means: &str) -> Result<Vec<String>, BenchError> {
        let rows = self.cases().await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let target = SynonymTarget::Words(means.to_owned());
        let synonyms = vec![Synonym { words: words.to_owned(), target }];
        let buyer = Buyer { synonyms, ..Buyer::default() };
        let (now, then) = (self.answers().await?, self.answers().await?.with_buyer(buyer));
        blocking(move || {
            let changes = |row: &CaseRow| {
                let certain = |answer: Answer| -> HashSet<(String, String)> {
                    let lines = answer.lines.into_iter();
                    let lines = lines.filter(|line| line.status == Decision::Matched);
                    lines.filter_map(|line| Some((line.raw, line.sku?))).collect()
                };
                let then = certain(then.answer(&row.text, false));
                certain(now.answer(&row.text, false)).iter().any(|line| !then.contains(line))
            };
            rows.into_iter().filter(changes).map(|row| row.name).collect()
        })
        .await
    }

    /// A page of what clients' choices taught and staff have not looked at, and how much there is.
    pub async fn unchecked(
        &self,
        offset: u32,
        limit: u32,
    ) -> Result<(Vec<Unchecked>, u32), StorageError> {
        let read = move |conn: &rusqlite::Connection| {
            Ok((words::unchecked(conn, offset, limit)?, words::count_unchecked(conn)?))
        };
        self.base.db.read(read).await
    }

    /// Decides about what clients' choices taught; how much of it still waited.
    pub async fn check(
        &self,
        by: Actor,
        chosen: Vec<(OrganizationId, ProductId, String)>,
        verdict: Verdict,
    ) -> Result<usize, BenchError> {
        let now = self.base.clock.now();
        let done = self
            .base
            .db
            .write(move |tx| {
                let mut done = 0;
                for (organization, product, phrase) in &chosen {
                    if words::accept(tx, *organization, phrase, *product)? {
                        settle(tx, &by, *organization, phrase, *product, verdict, now)?;
                        done += 1;
                    }
                }
                Ok::<_, StorageError>(done)
            })
            .await?;
        self.changed().await?;
        Ok(done)
    }

    /// Decides about what a client's words were learnt to mean, looked at before or not; whether
    /// they were learnt at all.
    pub async fn settle_phrase(
        &self,
        by: Actor,
        organization: OrganizationId,
        product: ProductId,
        phrase: String,
        verdict: Verdict,
    ) -> Result<bool, BenchError> {
        let now = self.base.clock.now();
        let settled = self
            .base
            .db
            .write(move |tx| {
                let learnt = words::is_learnt(tx, organization, &phrase, product)?;
                if learnt {
                    settle(tx, &by, organization, &phrase, product, verdict, now)?;
                }
                Ok::<_, StorageError>(learnt)
            })
            .await?;
        self.changed().await?;
        Ok(settled)
    }

    /// Answers in nobody's words, by the index that the bot uses.
    async fn answers(&self) -> Result<Answers, BenchError> {
        let index = self.catalog.index().await?;
        let read = move |conn: &rusqlite::Connection| Answers::new(conn, index, Buyer::default());
        Ok(self.base.db.read(read).await?)
    }
}

/// Does to a phrase what was decided about it, and notes who did.
fn settle(
    tx: &Transaction<'_>,
    by: &Actor,
    organization: OrganizationId,
    phrase: &str,
    product: ProductId,
    verdict: Verdict,
    now: Timestamp,
) -> Result<(), StorageError> {
    match verdict {
        Verdict::Accept => {
            words::learn(tx, organization, phrase, product, None, now)?;
        }
        Verdict::Refuse => words::refuse(tx, organization, phrase, product, now)?,
        Verdict::Forget => words::forget(tx, organization, phrase, product)?,
    }
    let object = format!("organization:{}", organization.0);
    let what = format!("{phrase} → товар {product}");
    audit::record(tx, &entry(by, now, verdict.action(), &object, (None, Some(&what))))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BenchError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(|_| StorageError::Interrupted)?)
}

/// What was understood, as the label that holds it to that.
fn label(line: &AnswerLine) -> serde_json::Value {
    let mut label = serde_json::json!({
        "raw": line.raw, "sku": line.sku, "qty": line.qty, "unit": line.unit,
    });
    if line.status == Decision::Ambiguous {
        let fits: Vec<_> = line.candidates.iter().take(ASKED).collect();
        label["ambiguous"] = true.into();
        label["sku"] = serde_json::Value::Null;
        label["acceptable"] = serde_json::json!(fits);
    }
    label
}

fn case(row: &CaseRow) -> Option<Case> {
    let lines = serde_json::from_str(&row.lines).ok()?;
    Some(Case { id: row.name.clone().into(), text: row.text.clone(), lines })
}

/// A line of a file: its name, text and labels, or why it cannot be kept.
fn read(line: &str) -> Result<(String, String, String), String> {
    let object: serde_json::Value =
        serde_json::from_str(line).map_err(|error| format!("не JSON: {error}"))?;
    let case: Case = serde_json::from_value(object.clone())
        .map_err(|_| "нужен объект с id, text и lines".to_owned())?;
    let name = case.name();
    if name.trim().is_empty() || name.chars().count() > NAME_MAX {
        return Err("id пуст или длиннее 100\u{a0}знаков".to_owned());
    }
    if case.text.chars().count() > TEXT_MAX_CHARS {
        return Err("текст длиннее 20\u{a0}000\u{a0}знаков".to_owned());
    }
    Ok((name, case.text, object["lines"].to_string()))
}
