//! Imports of the standard exchange: they go on while 1C asks how far they are.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::super::staging::{Name, Staged, StagedText, StagingError};
use super::super::{ApplyReport, Exchange, ExchangeError, Origin, Progress, blocking, note, raw};
use super::{FILES, File, Session, lock};
use crate::domain::Timestamp;
use crate::formats::commerceml::{CommerceMl, CommerceMlError, Content, content, read_documents};
use crate::formats::onec_json::Reopen;
use crate::storage::StorageError;
use crate::tasks::Tasks;

/// What was uploaded and not asked for is imported after this: 11 can be told not to ask.
const QUIET: Duration = Duration::from_mins(10);
/// Orders of 10.3 that are not stored within this are refused: it sends them again then.
const STORED_WITHIN: Duration = Duration::from_secs(150);
/// How often a file waits for its turn behind other exchanges, half a minute each time.
const TURNS: usize = 20;

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It is in the database.
    Done,
    /// It goes on: so many records so far.
    GoesOn(usize),
    /// It came to nothing, and why.
    Failed(String),
}

impl Exchange {
    /// Imports a file that has been uploaded, and waits for it at most `patience`.
    pub async fn import(
        &self,
        session: &Arc<Session>,
        name: &Name,
        tasks: &Tasks,
        patience: Duration,
    ) -> Result<Imported, StorageError> {
        if lock(&session.state).key_of(name).is_none() {
            self.unpack(session).await;
        }
        let (key, mut job, progress) = {
            let mut state = lock(&session.state);
            let key = state.key_of(name).unwrap_or_default();
            let Some(file) = state.files.get_mut(&key) else {
                return Ok(if name.picture {
                    Imported::Done
                } else {
                    Imported::Failed(format!("Файл {} не найден: передайте его снова", name.shown))
                });
            };
            let job = match &file.job {
                Some(job) => job.clone(),
                None => {
                    let (done, job) = watch::channel(None);
                    file.job = Some(job.clone());
                    file.closed = true;
                    let (this, session, own) = (self.clone(), session.clone(), tasks.clone());
                    let (name, staged, at) = (file.name.clone(), file.staged.clone(), file.at);
                    let progress = file.progress.clone();
                    tasks.spawn_once("import", async move {
                        this.import_earlier(&session, &name, at, &own).await;
                        let result = this.work(&session, &name, staged.clone(), progress).await;
                        // A program that dies before this takes the file up again.
                        staged.forget_note();
                        let _ = done.send(Some(result));
                    });
                    job
                }
            };
            (key, job, file.progress.clone())
        };
        let waited = tokio::time::timeout(patience, job.wait_for(Option::is_some)).await;
        let result = match waited {
            Err(_) => {
                let count = progress.load(Ordering::Relaxed);
                return Ok(Imported::GoesOn(count));
            }
            Ok(Ok(result)) => result.clone().unwrap_or(Ok(())),
            // The work is gone without a word: it has panicked.
            Ok(Err(_)) => Err("Внутренняя ошибка, подробности в журнале Партнёр-М".to_owned()),
        };
        match result {
            Ok(()) => Ok(Imported::Done),
            Err(why) => {
                // Asked again, it is tried again.
                if let Some(file) = lock(&session.state).files.get_mut(&key) {
                    file.job = None;
                    file.progress = Progress::default();
                }
                Ok(Imported::Failed(why))
            }
        }
    }

    /// Does the import; why not, in Russian.
    async fn work(
        &self,
        session: &Arc<Session>,
        name: &Name,
        staged: Arc<Staged>,
        progress: Progress,
    ) -> Result<(), String> {
        let now = self.base.clock.now();
        session.step(now, format!("импорт {}", name.shown));
        let look = staged.clone();
        let looked = blocking(move || {
            if look.is_zip()? {
                return Ok(None);
            }
            let mut text = look.source()?;
            let content = content(text.reopen()?)?;
            Ok::<_, CommerceMlError>(Some((text, content)))
        })
        .await
        .map_err(|error| internal(&error))?;
        let mut origin = session.origin();
        origin.progress = Some(progress.clone());
        self.keep_raw(&mut origin, &staged, name, now).await;
        let (text, content) = match looked {
            Ok(Some(found)) => found,
            Ok(None) => {
                let done = Box::pin(self.archive(session, name, &staged, progress)).await;
                if let Err(why) = &done {
                    let noted = self.note_failure("catalog", &origin, now, why).await;
                    noted.map_err(|error| internal(&error))?;
                }
                return done;
            }
            Err(error) => {
                let noted = self.note_failure("catalog", &origin, now, &error.to_string()).await;
                noted.map_err(|error| internal(&error))?;
                return Err(format!("{}: {error}", name.shown));
            }
        };
        match content {
            Content::Catalog => self.apply_goods(name, text, origin).await,
            Content::Documents => self.read_orders(name, &text, origin).await,
            Content::Other => {
                let why = format!("{}: ни товаров, ни заказов, файл не использован", name.shown);
                session.step(now, why.clone());
                let report = ApplyReport { warnings: vec![why], ..ApplyReport::default() };
                let noted = self.base.db.write(move |tx| {
                    note(tx, "catalog", &origin, now, Duration::ZERO, &report).map(drop)
                });
                noted.await.map_err(|error| internal(&error))
            }
        }
    }

    async fn apply_goods(
        &self,
        name: &Name,
        text: StagedText,
        origin: Origin,
    ) -> Result<(), String> {
        for _ in 0..TURNS {
            match self.apply(CommerceMl(text.clone()), origin.clone()).await {
                Ok(_) => return Ok(()),
                // 1C is told that it goes on: its file waits for its turn.
                Err(ExchangeError::Busy) => {}
                Err(ExchangeError::Source(error)) => {
                    return Err(format!("{}: {error}", name.shown));
                }
                Err(ExchangeError::Storage(error)) => return Err(internal(&error)),
            }
        }
        let why = "Идёт другой обмен, повторите позже";
        let noted = self.note_failure("catalog", &origin, self.base.clock.now(), why).await;
        noted.map_err(|error| internal(&error))?;
        Err(why.to_owned())
    }

    async fn read_orders(
        &self,
        name: &Name,
        text: &StagedText,
        origin: Origin,
    ) -> Result<(), String> {
        let now = self.base.clock.now();
        let mut text = text.clone();
        let read = blocking(move || read_documents(text.reopen()?));
        match read.await.map_err(|error| internal(&error))? {
            Ok(documents) => {
                let stored = self.order_documents(documents, origin).await;
                stored.map(drop).map_err(|error| internal(&error))
            }
            Err(error) => {
                let noted = self.note_failure("statuses", &origin, now, &error.to_string()).await;
                noted.map_err(|error| internal(&error))?;
                Err(format!("{}: {error}", name.shown))
            }
        }
    }

    /// Imports every file of an archive.
    async fn archive(
        &self,
        session: &Arc<Session>,
        name: &Name,
        staged: &Arc<Staged>,
        progress: Progress,
    ) -> Result<(), String> {
        let (archive, folder) = (staged.clone(), self.folder());
        let files = blocking(move || archive.unpack(&folder)).await;
        let files = match files.map_err(|error| internal(&error))? {
            Ok(files) => files,
            Err(error) => return Err(format!("{}: {error}", name.shown)),
        };
        for (name, staged) in files {
            if name.extension() != "xml" {
                continue;
            }
            let staged = Arc::new(staged);
            Box::pin(self.work(session, &name, staged, progress.clone())).await?;
        }
        Ok(())
    }

    /// 1C asks for a file by the name that it has inside an archive.
    async fn unpack(&self, session: &Arc<Session>) {
        let archives: Vec<Arc<Staged>> = {
            let mut state = lock(&session.state);
            let open = state.files.values_mut().filter(|file| !file.closed);
            // What is in it is imported by its own names: not once more as a whole.
            open.filter(|file| file.name.extension() == "zip")
                .map(|file| {
                    file.closed = true;
                    file.staged.clone()
                })
                .collect()
        };
        for archive in archives {
            let (folder, now) = (self.folder(), self.base.clock.now());
            let (packed, of) = (archive.clone(), session.clone());
            let files = blocking(move || {
                if !packed.is_zip()? {
                    return Ok(Vec::new());
                }
                let files = packed.unpack(&folder)?;
                // They outlive the program as the archive did: until they are asked for.
                for (name, staged) in &files {
                    if let Err(error) = staged.note(&of.note(name, now, staged.size())) {
                        warn!("файл обмена не переживёт перезапуска: {error}");
                    }
                }
                Ok::<_, StagingError>(files)
            });
            let files = files.await;
            archive.forget_note();
            match files {
                Ok(Ok(files)) => {
                    for (name, staged) in files {
                        let mut state = lock(&session.state);
                        if state.files.len() < FILES && !state.files.contains_key(&name.key) {
                            let key = name.key.clone();
                            state.files.insert(key, File::new(name, staged, now));
                        } else {
                            staged.forget_note();
                        }
                    }
                }
                Ok(Err(error)) => session.step(self.base.clock.now(), error.to_string()),
                Err(error) => warn!("архив не читается: {error}"),
            }
        }
    }

    /// A file of orders may be processed as soon as it is whole: no `import` follows in 10.3.
    ///
    /// # Errors
    ///
    /// Why it came to nothing, in Russian.
    pub async fn orders_uploaded(
        &self,
        session: &Arc<Session>,
        name: &Name,
        tasks: &Tasks,
        patience: Duration,
    ) -> Result<(), String> {
        let staged = {
            let state = lock(&session.state);
            state.files.get(&name.key).map(|file| file.staged.clone())
        };
        let Some(staged) = staged else { return Ok(()) };
        let whole = blocking(move || {
            if staged.is_zip()? {
                return Ok(false);
            }
            let mut text = staged.source()?;
            if content(text.reopen()?)? != Content::Documents {
                return Ok(false);
            }
            read_documents(text.reopen()?)?;
            Ok::<_, CommerceMlError>(true)
        });
        match whole.await.map_err(|error| internal(&error))? {
            // The next piece may be on its way.
            Ok(false) | Err(CommerceMlError::Cut(_)) => Ok(()),
            // 10.3 asks for no import and forgets what it has been told is there: «success» is said
            // only of what is stored.
            Ok(true) | Err(_) => {
                let begun = self.base.clock.now();
                loop {
                    match self.import(session, name, tasks, patience).await {
                        Ok(Imported::Failed(why)) => return Err(why),
                        Ok(Imported::Done) => return Ok(()),
                        Ok(Imported::GoesOn(_)) => {}
                        Err(error) => return Err(internal(&error)),
                    }
                    if self.base.clock.now().since(begun) > STORED_WITHIN {
                        return Err("Заказы ещё не сохранены, повторите позже".to_owned());
                    }
                }
            }
        }
    }

    async fn keep_raw(
        &self,
        origin: &mut Origin,
        staged: &Arc<Staged>,
        name: &Name,
        now: Timestamp,
    ) {
        let (config, staged, shown) =
            (self.base.config.clone(), staged.clone(), name.shown.clone());
        let kept = blocking(move || raw::keep(&config, staged.path(), &shown, staged.size(), now));
        match kept.await {
            Ok(Ok(file)) => origin.files.push(file),
            Ok(Err(error)) => warn!("исходный файл не сохранён: {error}"),
            Err(error) => warn!("исходный файл не сохранён: {error}"),
        }
    }

    /// Imports what was uploaded a while ago and never asked for; how many files.
    pub async fn import_forgotten(&self, tasks: &Tasks) -> Result<usize, StorageError> {
        let now = self.base.clock.now();
        let mut count = 0;
        for session in self.sessions() {
            let mut names: Vec<Name> = {
                let state = lock(&session.state);
                if now.since(state.used) < QUIET {
                    continue;
                }
                let open = state.files.values().filter(|file| !file.closed);
                open.filter(|file| now.since(file.at) >= QUIET).map(|f| f.name.clone()).collect()
            };
            names.sort_by(|a, b| a.rank().cmp(&b.rank()));
            for name in names {
                session.step(now, format!("{}: 1С не попросила импорта, он начат сам", name.shown));
                let hour = Duration::from_hours(1);
                if let Imported::Failed(why) = self.import(&session, &name, tasks, hour).await? {
                    // Once is enough: what cannot be read now cannot be read later.
                    info!("незапрошенная выгрузка не загружена: {why}");
                    lock(&session.state).files.remove(&name.key);
                }
                count += 1;
            }
        }
        Ok(count)
    }
}

/// Our fault: 1C is told to come again, the log is told why.
fn internal(error: &StorageError) -> String {
    if error.is_full() {
        return "На диске Партнёр-М кончилось место".to_owned();
    }
    warn!("обмен не удался: {error}");
    "Внутренняя ошибка, повторите обмен; подробности в журнале Партнёр-М".to_owned()
}
