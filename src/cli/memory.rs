//! Memory that is given back: a catalogue of a hundred thousand products takes some to be stored,
//! and a small server needs it again afterwards.

/// Begins the program anew, as the same process, with glibc's allocator told to keep one pool for
/// all threads and to give large blocks back at once. It reads these settings only when a process
/// begins: <https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html>.
///
/// Comes back where that is not needed, or not possible: then more memory is kept, and that is all.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn settle() {
    use std::os::unix::process::CommandExt as _;

    const SETTINGS: [(&str, &str); 3] = [
        ("MALLOC_ARENA_MAX", "1"),
        ("MALLOC_MMAP_THRESHOLD_", "131072"),
        ("MALLOC_TRIM_THRESHOLD_", "131072"),
    ];
    // The administrator's own settings are left alone; so are ours, the second time.
    if SETTINGS.iter().any(|(name, _)| std::env::var_os(name).is_some()) {
        return;
    }
    let mut arguments = std::env::args_os();
    let Some(name) = arguments.next() else { return };
    // The very program that runs, even if its file has just been replaced.
    let mut command = std::process::Command::new("/proc/self/exe");
    let _error = command.arg0(name).args(arguments).envs(SETTINGS).exec();
}

/// Other allocators give memory back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn settle() {}
