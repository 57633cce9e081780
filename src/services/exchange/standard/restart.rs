//! Uploads that nobody has asked to import yet, over a restart of the program.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::staging::{Name, Staged};
use super::super::{Exchange, blocking};
use super::{File, Session, State, lock};
use crate::domain::Timestamp;

/// An upload that has waited longer is let go: 1C has sent newer goods since, or never will.
const KEPT: Duration = Duration::from_hours(24);
/// All uploads together that are taken up, in bytes; the newest first.
const ROOM: u64 = 4 * 1024 * 1024 * 1024;

impl Exchange {
    /// Takes up what was uploaded before the program was started; how many files. 1C goes on with
    /// its cookie; what it does not ask for is imported as ever.
    pub async fn take_up_uploads(&self) -> io::Result<usize> {
        let (folder, now) = (self.folder(), self.base.clock.now());
        let found = blocking(move || Staged::noted(&folder)).await;
        let mut found = found.map_err(io::Error::other)??;
        found.sort_by_key(|(note, _)| std::cmp::Reverse(note.at_ms));
        let (mut room, mut count) = (ROOM, 0);
        let mut sessions = lock(&self.standard.sessions);
        for (note, staged) in found {
            let at = Timestamp::from_millis(note.at_ms);
            if now.since(at) >= KEPT || staged.size() > room {
                staged.forget_note();
                continue;
            }
            room -= staged.size();
            count += 1;
            let session = sessions.entry(note.session.clone()).or_insert_with(|| {
                Arc::new(Session {
                    id: note.session,
                    began: Timestamp::from_millis(note.began_ms),
                    address: note.address,
                    sender: note.sender,
                    state: Mutex::new(State { used: now, ..State::default() }),
                    upload: tokio::sync::Mutex::default(),
                })
            });
            let file = File::new(note.name, staged, at);
            lock(&session.state).files.insert(file.name.key.clone(), file);
        }
        Ok(count)
    }

    /// What other sessions have brought under this name is older now: it is not taken up again.
    pub(super) fn outdate(&self, by: &Session, name: &Name) {
        for (key, session) in lock(&self.standard.sessions).iter() {
            if *key == session.id && session.id != by.id {
                let state = lock(&session.state);
                let alike = state.files.values().filter(|file| file.name.last() == name.last());
                alike.for_each(|file| file.staged.forget_note());
            }
        }
    }
}
