//! Uploads of other sessions under the same name. Each holds changes that its sender has forgotten
//! once they were taken, so none is dropped for a later one: they are imported in the order in which
//! they came.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::super::staging::{Name, Staged};
use super::super::{Exchange, blocking};
use super::{Imported, Session, lock};
use crate::domain::Timestamp;
use crate::domain::catalog::CatalogSource;
use crate::formats::commerceml::{CommerceMl, CommerceMlError, Content, content, read_documents};
use crate::formats::onec_json::Reopen;
use crate::storage::StorageError;
use crate::tasks::Tasks;

/// How long another session's piece on its way is waited for.
const PIECE: Duration = Duration::from_secs(30);
/// How long an import of another session is waited for.
const IMPORT: Duration = Duration::from_hours(1);

impl Exchange {
    /// Every session, each once, the earliest first.
    pub(super) fn sessions(&self) -> Vec<Arc<Session>> {
        let mut sessions: Vec<Arc<Session>> = {
            let all = lock(&self.standard.sessions);
            let once = all.iter().filter(|(key, session)| **key == session.id);
            once.map(|(_, session)| session.clone()).collect()
        };
        sessions.sort_by(|a, b| (a.began, &a.id).cmp(&(b.began, &b.id)));
        sessions
    }

    /// Imports what other sessions have brought whole under this name before `at`: after `session`'s
    /// own file it would be laid over newer goods.
    ///
    /// In a box: an import asks for it, and it asks for imports.
    pub(super) fn import_earlier<'a>(
        &'a self,
        session: &'a Session,
        name: &'a Name,
        at: Timestamp,
        tasks: &'a Tasks,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            for (other, name) in self.earlier(session, name, at) {
                match self.begin_if_whole(&other, &name, tasks).await {
                    Ok(true) => match self.import(&other, &name, tasks, IMPORT).await {
                        Ok(Imported::Done) => {}
                        Ok(_) => info!("более ранняя выгрузка другого сеанса не загружена"),
                        Err(error) => warn!("более ранняя выгрузка другого сеанса: {error}"),
                    },
                    Ok(false) => {}
                    Err(error) => warn!("более ранняя выгрузка другого сеанса: {error}"),
                }
            }
        })
    }

    /// The open files of other sessions that came under this name before `at`, in their order.
    fn earlier(&self, session: &Session, name: &Name, at: Timestamp) -> Vec<(Arc<Session>, Name)> {
        let mut earlier = Vec::new();
        for other in self.sessions().into_iter().filter(|other| other.id != session.id) {
            let state = lock(&other.state);
            let alike = state.files.values().filter(|file| {
                let before = (file.at, &other.id) < (at, &session.id);
                !file.closed && before && file.name.last() == name.last()
            });
            earlier.extend(alike.map(|file| (file.at, other.clone(), file.name.clone())));
        }
        earlier.sort_by(|(a, one, _), (b, other, _)| (a, &one.id).cmp(&(b, &other.id)));
        earlier.into_iter().map(|(_, other, name)| (other, name)).collect()
    }

    /// Begins the import of a file that has come to its end; whether it has. No piece of it may come
    /// meanwhile.
    async fn begin_if_whole(
        &self,
        session: &Arc<Session>,
        name: &Name,
        tasks: &Tasks,
    ) -> Result<bool, StorageError> {
        let Ok(_turn) = tokio::time::timeout(PIECE, session.upload.lock()).await else {
            return Ok(false);
        };
        let staged = {
            let state = lock(&session.state);
            let open = state.files.get(&name.key).filter(|file| !file.closed);
            open.map(|file| file.staged.clone())
        };
        let Some(staged) = staged else { return Ok(false) };
        if !blocking(move || is_whole(&staged)).await? {
            return Ok(false);
        }
        let step = format!("{}: загружен прежде такого же файла следующего сеанса", name.shown);
        session.step(self.base.clock.now(), step);
        self.import(session, name, tasks, Duration::ZERO).await?;
        Ok(true)
    }
}

/// Whether the end of a file has come: its pieces are not numbered.
fn is_whole(staged: &Staged) -> bool {
    let read = || -> Result<bool, CommerceMlError> {
        if staged.is_zip()? {
            return Ok(staged.is_whole_archive()?);
        }
        let mut text = staged.source()?;
        match content(text.reopen()?)? {
            Content::Catalog => {
                CommerceMl(text).read(&mut |_| ControlFlow::Continue(())).map(|_| true)
            }
            Content::Documents => read_documents(text.reopen()?).map(|_| true),
            Content::Other => Ok(false),
        }
    };
    read().unwrap_or(false)
}
