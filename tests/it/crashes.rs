//! What stops in the middle: a new database, a restore, a move; a disk that fills up. The data is
//! then what it was or what it was to be, and there is a way on.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::program::{Program, Running, post, run};

const DUMP: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/legacy/partner-m-2026-02-03.sql");

/// Starts a command and kills it after so long.
fn killed(program: &Program, arguments: &[&str], after: Duration) {
    let mut command = program.command(arguments);
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    std::thread::sleep(after);
    let _ = child.kill();
    child.wait().expect("ends");
}

/// Moments from the very start to when the work is over.
fn moments(longest: u64) -> impl Iterator<Item = Duration> {
    (0..12).map(move |step| Duration::from_millis(longest * step / 11))
}

fn contents(program: &Program) -> Value {
    let said = program.run(&["db", "check", "--json"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    serde_json::from_str::<Value>(&said.out).expect("JSON")["data"].clone()
}

#[test]
fn a_new_database_killed_at_any_moment_is_begun_again() {
    for after in moments(120) {
        let program = Program::new();
        killed(&program, &["init"], after);
        let again = program.run(&["init"]);
        assert_eq!(again.code, 0, "after {after:?}: {}", again.err);
        assert_eq!(contents(&program)["orders"], 0);
    }
}

#[test]
fn a_move_killed_at_any_moment_has_moved_nothing_or_all() {
    for after in moments(1_200) {
        let program = Program::new();
        assert_eq!(program.run(&["init"]).code, 0);
        killed(&program, &["import-legacy", DUMP], after);
        let orders = contents(&program)["orders"].as_i64().expect("a number");
        assert!([0, 60].contains(&orders), "after {after:?}: {orders}");
        let again = program.run(&["import-legacy", DUMP]);
        assert_eq!(again.code, 0, "{}", again.err);
        assert_eq!(contents(&program)["orders"], 60);
    }
}

#[test]
fn a_restore_killed_at_any_moment_leaves_the_old_or_the_new_whole() {
    for after in moments(400) {
        let program = Program::new();
        assert_eq!(program.run(&["init"]).code, 0);
        let made = program.run(&["backup", "--to", "empty.db"]);
        assert_eq!(made.code, 0, "{}", made.err);
        assert_eq!(program.run(&["import-legacy", DUMP]).code, 0);
        killed(&program, &["restore", "empty.db", "--yes"], after);
        let now = contents(&program);
        let held = (now["orders"].as_i64(), now["products"].as_i64());
        assert!([(Some(0), Some(0)), (Some(60), Some(400))].contains(&held), "{now}");
        let again = program.run(&["restore", "empty.db", "--yes"]);
        assert_eq!(again.code, 0, "{}", again.err);
        assert_eq!(contents(&program)["orders"], 0);
    }
}

#[test]
fn a_copy_of_a_newer_version_and_of_another_program_are_refused_by_name() {
    let program = Program::new();
    assert_eq!(program.run(&["init"]).code, 0);
    assert_eq!(program.run(&["backup", "--to", "copy.db"]).code, 0);
    let path = program.folder().join("copy.db");
    let sound = std::fs::read(&path).expect("read");
    // Where the header keeps user_version and application_id:
    // https://www.sqlite.org/fileformat.html#the_database_header
    for (at, what) in [(60, "новее программы"), (68, "база другой программы")]
    {
        let mut bytes = sound.clone();
        bytes[at..at + 4].copy_from_slice(&[0, 0, 0, 99]);
        std::fs::write(&path, bytes).expect("written");
        let refused = program.run(&["restore", "copy.db", "--yes"]);
        assert_eq!(refused.code, 1, "{}", refused.err);
        assert!(
            refused.err.contains(what) && refused.err.contains("что делать"),
            "{}",
            refused.err
        );
        assert!(!program.data().join("aside").exists());
        contents(&program);
    }
}

/// Whether this machine lets us mount a small disk that only our own process sees.
pub fn small_disks_work() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "x", "/tmp"]);
    let works = command.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !works {
        eprintln!("left out: a small disk needs user namespaces");
    }
    works
}

#[test]
fn a_full_disk_stops_a_copy_a_restore_and_a_move_and_spoils_nothing() {
    if !small_disks_work() {
        return;
    }
    let program = Program::new();
    assert_eq!(program.run(&["init"]).code, 0);
    assert_eq!(program.run(&["import-legacy", DUMP]).code, 0);
    assert_eq!(program.run(&["backup", "--to", "copy.db"]).code, 0);
    // Each on a disk of its own that is nearly full.
    let on_a_small_disk = |arguments: &[&str]| {
        const SCRIPT: &str = "
            mount -t tmpfs -o size=3m,mode=0700 x small && \"$0\" init --dir small --no-input >&2 &&
            { head -c 2200000 /dev/zero >small/ballast 2>/dev/null || true; } &&
            { \"$0\" \"$@\"; code=$?; rm small/ballast
              \"$0\" --data small/data db check --json; ls small small/data; exit $code; }";
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", SCRIPT]);
        command.arg(env!("CARGO_BIN_EXE_partner-m")).args(arguments);
        run(with_cwd(command, &program))
    };
    std::fs::create_dir(program.folder().join("small")).expect("made");
    for arguments in [
        &["--data", "small/data", "import-legacy", DUMP][..],
        &["--data", "small/data", "restore", "copy.db", "--yes"],
        &["--data", "data", "backup", "--to", "small"],
    ] {
        let said = on_a_small_disk(arguments);
        assert_eq!(said.code, 1, "{arguments:?}: {}{}", said.out, said.err);
        assert!(said.err.contains("нет места"), "{arguments:?}: {}", said.err);
        assert!(said.err.contains("что делать"), "{arguments:?}: {}", said.err);
        assert!(said.out.contains("\"orders\":0"), "{arguments:?}: {}", said.out);
        assert!(!said.out.contains(".tmp") && !said.out.contains("restoring"), "{}", said.out);
    }
    assert_eq!(contents(&program)["orders"], 60);
}

fn with_cwd(mut command: Command, program: &Program) -> Command {
    command.current_dir(program.folder()).stdin(Stdio::null());
    command
}

#[test]
fn a_full_disk_is_told_and_work_goes_on_when_there_is_room_again() {
    if !small_disks_work() {
        return;
    }
    let program = Program::new();
    std::fs::create_dir(program.data()).expect("made");
    let script = "mount -t tmpfs -o size=4m,mode=0700 x data && head -c 1500000 /dev/zero >data/ballast && exec \"$@\"";
    let real = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(real.get_program())
        .args(real.get_args())
        .current_dir(program.folder())
        .stdin(Stdio::null());
    let running = Running::begin(command);
    let push = |n: usize| {
        let items: Vec<String> = (0..400)
            .map(|i| {
                format!(
                    r#"{{"sku":"{n}-{i}","title":"Товар {n}-{i} с длинным названием","price":1}}"#
                )
            })
            .collect();
        post(running.address, "/onec/catalog", &format!("[{}]", items.join(",")))
    };
    let mut pushed = 0;
    let refused = loop {
        let (status, answer) = push(pushed);
        if status != 200 {
            break (status, answer);
        }
        pushed += 1;
        assert!(pushed < 200, "4 MiB are never full");
    };
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert!(refused.1.contains("No room left"), "{}", refused.1);
    assert_eq!(running.get("/admin/login").0, 200, "what needs no room goes on");

    std::fs::remove_file(format!(
        "/proc/{}/root{}/ballast",
        running.pid(),
        program.data().display()
    ))
    .expect("room again");
    assert_eq!(push(pushed).0, 200, "without a restart");
    assert_eq!(running.get("/health").0, 200);
    // The same file system, seen from inside.
    let mut check = Command::new("nsenter");
    check
        .args([
            "--target",
            &running.pid().to_string(),
            "--user",
            "--mount",
            "--preserve-credentials",
        ])
        .args(["sh", "-c", "cd \"$0\" && exec \"$@\""])
        .arg(program.folder())
        .arg(env!("CARGO_BIN_EXE_partner-m"))
        .args(["db", "check", "--json"]);
    let said = run(check);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let told: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(told["data"]["products"], (pushed + 1) * 400, "all of each push, and no other");
    let (code, _) = running.stop();
    assert_eq!(code, Some(0));
}
