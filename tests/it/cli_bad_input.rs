//! What must not stop us is survived; what must stop us says in one line what to do.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use super::program::{Program, Running, free_port, run};

/// stderr without what differs from run to run.
fn plain(text: &str, program: &Program) -> String {
    let folder = program.folder().display().to_string();
    text.replace(&folder, "…").replace('\u{a0}', " ").trim().to_owned()
}

#[test]
fn a_second_process_on_the_same_data_is_refused_with_code_7() {
    let program = Program::new();
    let first = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    let second = program.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, 7, "{}", second.err);
    assert!(second.err.contains(&format!("pid\u{a0}{}", first.pid())), "{}", second.err);
    assert!(second.err.contains("что делать:"), "{}", second.err);
    assert_eq!(first.get("/health").0, 200, "the first one lives on");
    let (code, _) = first.stop();
    assert_eq!(code, Some(0));
}

#[test]
fn a_busy_port_is_told_with_the_next_one() {
    let program = Program::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = program.run(&["serve", "--listen", &address]);
    assert_eq!(said.code, 1);
    let port = taken.local_addr().expect("an address").port();
    let expected = format!("ошибка: порт {port} занят другой программой");
    assert!(said.err.contains(&expected), "{}", said.err);
    assert!(!program.data().join("partner-m.db").exists(), "nothing was begun");
}

#[test]
fn a_foreign_a_newer_and_a_damaged_database_stop_the_start_and_stay_as_they_are() {
    for (name, spoil, expected) in [
        (
            "foreign",
            "create table theirs (x); pragma user_version = 0",
            "ошибка: это база данных другой программы",
        ),
        ("newer", "pragma user_version = 99", "ошибка: база данных новее программы"),
    ] {
        let program = Program::new();
        std::fs::create_dir(program.data()).expect("made");
        let path = program.data().join("partner-m.db");
        if name == "newer" {
            let (code, _) = program.start(&["serve", "--listen", "127.0.0.1:0"]).stop();
            assert_eq!(code, Some(0));
        }
        rusqlite::Connection::open(&path).expect("opens").execute_batch(spoil).expect("spoilt");
        let before = std::fs::read(&path).expect("read");
        let said = program.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(said.code, 1, "{name}: {}", said.err);
        assert!(said.err.contains(expected), "{name}: {}", said.err);
        assert!(said.err.contains("что делать:"), "{name}: {}", said.err);
        assert!(std::fs::read(&path).expect("read") == before, "{name}: the file was changed");
    }
}

#[test]
fn damage_in_the_middle_of_the_file_is_noticed_after_a_crash() {
    let program = Program::new();
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    running.signal("KILL");
    running.wait();
    let path = program.data().join("partner-m.db");
    // What was still in the log goes into the file, so that only the damage differs.
    rusqlite::Connection::open(&path)
        .expect("opens")
        .query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
        .expect("checkpoint");
    let mut bytes = std::fs::read(&path).expect("read");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(b'x');
    std::fs::write(&path, &bytes).expect("written");
    let said = program.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("ошибка: файл базы данных повреждён"), "{}", said.err);
    assert!(said.err.contains("partner-m restore"), "{}", said.err);
}

#[test]
fn a_crash_is_noticed_and_a_clean_stop_is_not() {
    let program = Program::new();
    let running = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    running.signal("KILL");
    running.wait();
    let again = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(again.said.contains("остановилась не сама"), "{}", again.said);
    let (code, _) = again.stop();
    assert_eq!(code, Some(0));
    let clean = program.start(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!clean.said.contains("остановилась не сама"), "{}", clean.said);
    clean.stop();
}

/// Runs as nobody, when the tests run as root: root may write everywhere.
fn as_nobody(program: &Program, arguments: &[&str]) -> std::process::Command {
    let mut command = program.command(arguments);
    if rustix::process::geteuid().is_root() {
        // The binary must be within reach of a stranger.
        let copy = program.folder().join("partner-m");
        std::fs::copy(env!("CARGO_BIN_EXE_partner-m"), &copy).expect("copied");
        command = std::process::Command::new(copy);
        command.args(arguments).current_dir(program.folder()).env_clear();
        command.uid(65_534).gid(65_534);
    }
    command
}

fn mode(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("set");
}

#[test]
fn a_read_only_folder_is_told() {
    let program = Program::new();
    let command = as_nobody(&program, &["serve", "--listen", "127.0.0.1:0"]);
    mode(program.folder(), 0o555);
    let said = run(command);
    mode(program.folder(), 0o755);
    assert_eq!(said.code, 1, "{}", said.err);
    insta::assert_snapshot!(plain(&said.err, &program), @r"
    ошибка: папка данных data: нет прав
    что делать: дайте права на папку тому, кто запускает программу, или укажите другую: --data ПАПКА
    ");
}

#[test]
fn a_stranger_to_the_data_folder_is_refused() {
    if !rustix::process::geteuid().is_root() {
        println!("not root: a folder cannot be given away");
        return;
    }
    let program = Program::new();
    mode(program.folder(), 0o755);
    std::fs::create_dir(program.data()).expect("made");
    let said = run(as_nobody(&program, &["serve", "--listen", "127.0.0.1:0"]));
    assert_eq!(said.code, 1, "{}", said.err);
    insta::assert_snapshot!(plain(&said.err, &program), @r"
    ошибка: папка данных data принадлежит пользователю 0, а программу запускает 65534
    что делать: запустите от её владельца (sudo -u) или укажите другую папку: --data ПАПКА
    ");
}

#[test]
fn root_becomes_the_owner_of_the_data() {
    if !rustix::process::geteuid().is_root() {
        println!("not root: nobody to become");
        return;
    }
    let program = Program::new();
    mode(program.folder(), 0o755);
    std::fs::create_dir(program.data()).expect("made");
    std::os::unix::fs::chown(program.data(), Some(65_534), Some(65_534)).expect("given");
    let command = as_nobody(&program, &["serve", "--listen", "127.0.0.1:0"]);
    let mut as_root = std::process::Command::new(command.get_program());
    as_root.args(command.get_args()).current_dir(program.folder()).env_clear();
    let running = Running::begin(as_root);
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid()));
    let status = status.expect("a process");
    assert!(status.contains("Uid:\t65534\t65534\t65534"), "{status}");
    let (code, _) = running.stop();
    assert_eq!(code, Some(0));
    let owner = std::os::unix::fs::MetadataExt::uid(
        &std::fs::metadata(program.data().join("partner-m.db")).expect("the database"),
    );
    assert_eq!(owner, 65_534);
}

#[test]
fn a_command_of_root_reaches_what_root_may_and_the_data_stay_their_owners() {
    if !rustix::process::geteuid().is_root() {
        println!("not root: nobody to become");
        return;
    }
    let dump = include_str!("../fixtures/legacy/partner-m-2026-02-03.sql");
    // A home of root: closed to others, with settings and a dump in it.
    let program = Program::new().with("dump.sql", dump).with("partner-m.toml", "");
    mode(program.folder(), 0o700);
    mode(&program.folder().join("dump.sql"), 0o600);
    mode(&program.folder().join("partner-m.toml"), 0o600);
    std::fs::create_dir(program.folder().join("disk")).expect("made");
    let place = tempfile::tempdir().expect("a folder");
    mode(place.path(), 0o755);
    let data = place.path().join("data");
    std::fs::create_dir(&data).expect("made");
    std::os::unix::fs::chown(&data, Some(65_534), Some(65_534)).expect("given");
    let data_flag = data.display().to_string();
    let binary = as_nobody(&program, &[]).get_program().to_owned();
    for arguments in [
        &["import-legacy", "dump.sql"][..],
        &["import-legacy", "dump.sql", "--dry-run"],
        &["backup", "--to", "disk"],
        &["order", "list"],
    ] {
        let mut command = std::process::Command::new(&binary);
        command.args(arguments).args(["--data", &data_flag]).current_dir(program.folder());
        let said = run(command);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
    }
    for entry in std::fs::read_dir(&data).expect("read") {
        let entry = entry.expect("read");
        let owner = std::os::unix::fs::MetadataExt::uid(&entry.metadata().expect("read"));
        assert_eq!(owner, 65_534, "{:?}", entry.path());
    }
}

#[test]
fn bad_settings_stop_the_start_with_code_3() {
    let program = Program::new().with("partner-m.toml", "[server]\nlisten = \"here\"\nport = 1\n");
    let said = program.run(&["serve"]);
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(plain(&said.err, &program), @r"
    ошибка: в настройках ошибок: 2
      partner-m.toml, строка 2: server.listen: нужен адрес с портом, например «127.0.0.1:8000»
      partner-m.toml, строка 3: нет настройки «server.port»
    что делать: исправьте и проверьте: partner-m check; все настройки описаны в partner-m.toml.example
    ");
    let said = program.run(&["serve", "--json"]);
    assert_eq!(said.code, 3);
    assert!(said.out.starts_with("{\"error\":{\"code\":\"settings\""), "{}", said.out);
    assert!(!program.data().exists(), "nothing was begun");
}

#[test]
fn a_stop_under_way_ends_in_good_order_and_leaves_everything_closed_to_others() {
    let program = Program::new();
    let port = free_port();
    let running = program.start(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    assert_eq!(running.address.port(), port);
    running.signal("HUP");
    assert_eq!(running.get("/health").0, 200, "SIGHUP does not kill");
    let (code, _) = running.stop();
    assert_eq!(code, Some(0));
    let bits = |path: &std::path::Path| {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    assert_eq!(bits(&program.data()), 0o700);
    for entry in std::fs::read_dir(program.data()).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert_eq!(bits(&path) & 0o077, 0, "{}", path.display());
    }
}
