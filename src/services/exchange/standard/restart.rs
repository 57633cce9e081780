//! Uploads that nobody has asked to import yet, over a restart of the program.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::staging::{Note, Staged};
use super::super::{Exchange, Origin, Way, blocking};
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
        let (mut room, mut late) = (ROOM, Vec::new());
        let kept: Vec<(Note, Staged)> = found
            .into_iter()
            .filter_map(|(note, staged)| {
                if now.since(Timestamp::from_millis(note.at_ms)) >= KEPT || staged.size() > room {
                    staged.forget_note();
                    late.push(note);
                    return None;
                }
                room -= staged.size();
                Some((note, staged))
            })
            .collect();
        let count = kept.len();
        for (note, staged) in kept {
            self.take_up(note, staged, now);
        }
        for note in late {
            let why = format!("{}: слишком долго ждал импорта и не загружен", note.name.shown);
            let origin = Origin {
                address: note.address,
                sender: note.sender,
                session: note.session,
                ..Origin::new(Way::CommerceMl)
            };
            let noted = self.note_failure("catalog", &origin, now, &why).await;
            noted.map_err(io::Error::other)?;
        }
        Ok(count)
    }

    fn take_up(&self, note: Note, staged: Staged, now: Timestamp) {
        let mut sessions = lock(&self.standard.sessions);
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
        let file = File::new(note.name, staged, Timestamp::from_millis(note.at_ms));
        lock(&session.state).files.insert(file.name.key.clone(), file);
    }
}
