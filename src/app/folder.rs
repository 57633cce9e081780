//! The data folder: made for us alone, held by one process, never on a network disk.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::thread::{self, CapabilitiesSecureBits, CapabilitySet};

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process holds it.
    #[error("папка данных {} занята другим процессом{}", path.display(), held_by(*.pid))]
    Held {
        /// The folder.
        path: PathBuf,
        /// The other process, where it said.
        pid: Option<u32>,
    },
    /// It is on a network file system, which `SQLite`'s shared memory does not work over.
    #[error("папка данных {} на сетевом диске ({kind})", path.display())]
    Network {
        /// The folder.
        path: PathBuf,
        /// The file system: `nfs4`, `cifs`.
        kind: String,
    },
    /// The file system refused.
    #[error("папка данных {}: {}", path.display(), crate::config::io_reason(source))]
    Io {
        /// The folder or a file in it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn held_by(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid\u{a0}{pid})"))
}

/// Makes the folder with mode 0700 if it is absent.
pub fn prepare(folder: &Path) -> Result<(), FolderError> {
    let io = |source| FolderError::Io { path: folder.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    if let Some(kind) = network_file_system(folder) {
        return Err(FolderError::Network { path: folder.to_owned(), kind });
    }
    Ok(())
}

/// The data folder, held until this is dropped.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the folder for this process.
    ///
    /// # Errors
    ///
    /// [`FolderError::Held`] while another process has it.
    pub fn take(folder: &Path) -> Result<Self, FolderError> {
        let path = folder.join("partner-m.lock");
        let io = |source| FolderError::Io { path: folder.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Whoever holds it may be just writing its number.
                let _ = file.read_to_string(&mut text);
                let pid = text.trim().parse().ok();
                return Err(FolderError::Held { path: folder.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

/// Whose the folder is and who we are, where these differ: user ids.
pub fn foreign_owner(folder: &Path) -> Option<(u32, u32, u32)> {
    let meta = std::fs::metadata(folder).ok()?;
    let ours = rustix::process::geteuid().as_raw();
    (meta.uid() != ours).then(|| (meta.uid(), meta.gid(), ours))
}

/// What is kept of root's powers by a program started again as another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing: for what serves strangers.
    Own,
    /// Files are read and written wherever root may; new ones are the other user's. For a command
    /// whose files lie where root typed it.
    Roots,
}

/// Starts this program again as another user; returns only when that does not work.
pub fn become_user(user: u32, group: u32, reach: Reach) -> io::Error {
    if reach == Reach::Roots && keep_reach().is_err() {
        tracing::debug!("файлы будут доступны только с правами владельца данных");
    }
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from(&name));
    Command::new(program).args(arguments).arg0(name).uid(user).gid(group).exec()
}

/// Carries one capability over a change of the user and the start that follows.
///
/// Source: `capabilities(7)` <https://man7.org/linux/man-pages/man7/capabilities.7.html>.
fn keep_reach() -> rustix::io::Result<()> {
    let reach = CapabilitySet::DAC_OVERRIDE;
    let bits = thread::capabilities_secure_bits()?;
    thread::set_capabilities_secure_bits(bits | CapabilitiesSecureBits::NO_SETUID_FIXUP)?;
    let mut sets = thread::capabilities(None)?;
    sets.inheritable |= reach;
    thread::set_capabilities(None, sets)?;
    thread::configure_capability_in_ambient_set(reach, true)
}

/// Files made from now on are for us alone.
pub fn close_to_others() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

fn network_file_system(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let kind = file_system_of(&mounts, &folder)?;
    let network = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "ncpfs"];
    let over_fuse = ["fuse.sshfs", "fuse.glusterfs", "fuse.cephfs", "fuse.rclone", "fuse.s3fs"];
    (network.contains(&kind) || over_fuse.contains(&kind)).then(|| kind.to_owned())
}

/// The type of the file system that holds the folder, by the text of `/proc/self/mountinfo`.
///
/// Source: `proc_pid_mountinfo(5)` <https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>.
fn file_system_of<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    let mut best = None;
    let mut depth = 0;
    for line in mounts.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let Some(point) = left.split(' ').nth(4) else { continue };
        let point = PathBuf::from(point.replace("\\040", " "));
        // Of equal mount points the later one is on top.
        if folder.starts_with(&point) && point.components().count() >= depth {
            depth = point.components().count();
            best = right.split(' ').next();
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_is_that_of_the_deepest_mount() {
        let mounts = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv rw - nfs4 files:/srv rw
31 30 0:41 / /srv/my\\040data rw - xfs /dev/sdb1 rw";
        let of = |path: &str| file_system_of(mounts, Path::new(path));
        assert_eq!(of("/var/lib/partner-m"), Some("ext4"));
        assert_eq!(of("/srv/partner-m"), Some("nfs4"));
        assert_eq!(of("/srv/my data/x"), Some("xfs"));
        assert_eq!(of("/srvx"), Some("ext4"));
    }

    #[test]
    fn a_held_folder_names_its_holder() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let held = DataLock::take(dir.path()).expect("free");
        let error = DataLock::take(dir.path()).expect_err("held");
        let ours = std::process::id();
        assert!(
            matches!(error, FolderError::Held { pid: Some(pid), .. } if pid == ours),
            "{error}"
        );
        drop(held);
        DataLock::take(dir.path()).expect("free again");
    }
}
