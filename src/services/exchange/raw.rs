//! Raw files of exchanges: kept for a week, for support and for doing an exchange again.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Config;
use crate::domain::Timestamp;
use crate::storage::exchange_log::FileRow;

/// How long raw files are kept.
pub const KEPT: Duration = Duration::from_hours(7 * 24);
/// All raw files together take at most so many bytes; the oldest go first.
pub const ROOM: u64 = 2 * 1024 * 1024 * 1024;

/// Where raw files are.
pub fn folder(config: &Config) -> PathBuf {
    config.data_dir.join("exchange").join("raw")
}

/// Keeps a file: a second name of the same bytes, which costs nothing.
///
/// `name` is what the sender called it; it is only noted, never used as a path.
pub fn keep(
    config: &Config,
    file: &Path,
    name: &str,
    bytes: u64,
    now: Timestamp,
) -> io::Result<FileRow> {
    let folder = folder(config);
    std::fs::create_dir_all(&folder)?;
    let stored = format!("{:014}-{}", now.millis(), uuid::Uuid::new_v4().simple());
    let target = folder.join(&stored);
    if std::fs::hard_link(file, &target).is_err() {
        // Some file systems know no second names.
        std::fs::copy(file, &target)?;
    }
    Ok(FileRow { name: name.to_owned(), stored, bytes })
}

/// Removes raw files that are older than a week, and the oldest beyond the room; which ones.
pub fn sweep(config: &Config, now: Timestamp) -> io::Result<Vec<String>> {
    sweep_beyond(config, now, ROOM)
}

fn sweep_beyond(config: &Config, now: Timestamp, room: u64) -> io::Result<Vec<String>> {
    let folder = folder(config);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let millis = name.split('-').next().and_then(|text| text.parse::<i64>().ok());
        // A file of another name is not ours to remove.
        let Some(millis) = millis else { continue };
        files.push((Timestamp::from_millis(millis), entry.metadata()?.len(), name));
    }
    files.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| b.2.cmp(&a.2)));
    let (mut taken, mut removed) = (0_u64, Vec::new());
    for (index, (at, bytes, name)) in files.into_iter().enumerate() {
        taken = taken.saturating_add(bytes);
        // The newest stays, however big it is.
        if at < now.minus(KEPT) || (taken > room && index > 0) {
            std::fs::remove_file(folder.join(&name))?;
            removed.push(name);
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_and_no_more_than_the_room_are_kept() {
        let home = tempfile::tempdir().expect("a folder");
        let config = Config { data_dir: home.path().to_owned(), ..Config::default() };
        assert_eq!(sweep(&config, Timestamp::from_millis(0)).expect("no folder yet"), [""; 0]);
        let source = home.path().join("body");
        std::fs::write(&source, b"12345").expect("written");
        let day = |n: u64| Timestamp::from_millis(0).plus(Duration::from_hours(24 * n));
        let kept: Vec<FileRow> = [1, 2, 8, 9]
            .map(|n| keep(&config, &source, "import.xml", 5, day(n)).expect("kept"))
            .into();
        std::fs::remove_file(&source).expect("removed");
        assert_eq!(std::fs::read(folder(&config).join(&kept[0].stored)).expect("stays"), b"12345");
        assert_eq!(sweep(&config, day(9)).expect("swept"), [kept[0].stored.clone()]);
        let beyond = sweep_beyond(&config, day(9), 9).expect("swept");
        assert_eq!(beyond, [kept[2].stored.clone(), kept[1].stored.clone()]);
    }
}
