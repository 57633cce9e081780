//! Updating: the real script over the real program, with a `systemctl` that only this test has.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use partner_m::storage::{Db, migrations};

use super::program::{Program, Said, run};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/partner-m-update");

/// Keeps one service as systemd does: `start` waits for READY, here «готово за» in its words.
const SYSTEMCTL: &str = r#"#!/bin/bash
cd "$FAKE"
# What has ended may stay a zombie: nobody here waits for it.
alive() { [ -s pid ] && state=$(cut -d' ' -f3 "/proc/$(cat pid)/stat" 2>/dev/null) && [ "$state" != Z ]; }
case $1 in
  start)
    alive && exit 0
    : >log
    "$PARTNER_M_BIN" serve --listen 127.0.0.1:0 >log 2>&1 9>&- &
    echo $! >pid
    while alive; do
      if grep -q 'готово за' log; then date +%s%N >ready; exit 0; fi
      sleep 0.05
    done
    exit 1 ;;
  stop)
    if alive; then
      kill -TERM "$(cat pid)"
      while alive; do sleep 0.05; done
    fi
    rm -f pid ;;
  is-active) alive ;;
  show) cat ready 2>/dev/null || echo 0 ;;
  *) exit 1 ;;
esac
"#;

/// A machine with the program installed and running.
struct Machine {
    program: Program,
    /// The test's own copy of the program: a file that the script replaces.
    bin: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let program = Program::new();
        let bin = program.folder().join("bin/partner-m");
        std::fs::create_dir(program.folder().join("bin")).expect("made");
        std::fs::create_dir(program.folder().join("stubs")).expect("made");
        std::fs::hard_link(env!("CARGO_BIN_EXE_partner-m"), &bin)
            .or_else(|_| std::fs::copy(env!("CARGO_BIN_EXE_partner-m"), &bin).map(drop))
            .expect("installed");
        executable(&program.folder().join("stubs/systemctl"), SYSTEMCTL);
        assert_eq!(program.run(&["init"]).code, 0);
        let machine = Self { program, bin };
        assert_eq!(machine.systemctl("start"), 0);
        machine
    }

    fn env(&self, command: &mut Command) {
        let folder = self.program.folder();
        let path = format!(
            "{}:{}",
            folder.join("stubs").display(),
            std::env::var("PATH").unwrap_or_default()
        );
        command
            .current_dir(folder)
            .env("PATH", path)
            .env("FAKE", folder)
            .env("PARTNER_M_BIN", &self.bin)
            .env("PARTNER_M_UPDATE_STATE", folder.join("update"))
            .env("PARTNER_M_UPDATE_CONF", folder.join("update.conf"))
            .env("PARTNER_M_UPDATE_SETTLE", "1")
            .env("PARTNER_M_UPDATE_STAY", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
    }

    fn update(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(SCRIPT);
        command.args(arguments);
        self.env(&mut command);
        run(command)
    }

    fn systemctl(&self, verb: &str) -> i32 {
        let mut command = Command::new(self.program.folder().join("stubs/systemctl"));
        command.arg(verb);
        self.env(&mut command);
        run(command).code
    }

    /// Whether the program that was installed at first is in its place and works.
    fn is_as_it_was(&self) -> bool {
        let first = std::fs::metadata(env!("CARGO_BIN_EXE_partner-m")).expect("there").len();
        self.systemctl("is-active") == 0
            && std::fs::metadata(&self.bin).expect("there").len() == first
    }

    /// A program of a later version that serves like this: a script around the real one.
    fn later(&self, serve: &str) -> String {
        let path = self.program.folder().join("later");
        let real = env!("CARGO_BIN_EXE_partner-m");
        let script = format!(
            "#!/bin/bash\ncase $1 in\n  version) echo partner-m 9.9.9 ;;\n  serve)\n{serve}\n  ;;\n  *) exec {real} \"$@\" ;;\nesac\n"
        );
        executable(&path, &script);
        path.display().to_string()
    }

    fn schema(&self) -> i64 {
        let path = self.program.data().join("partner-m.db");
        // `look` refuses a newer one, as it should: the header says it too.
        let bytes = std::fs::read(path).expect("read");
        i64::from(u32::from_be_bytes(bytes[60..64].try_into().expect("four bytes")))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.systemctl("stop");
    }
}

fn executable(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("set");
}

/// Sets the schema's version as a migration of a later version would.
const MIGRATE: &str =
    r"printf '\000\000\000\143' | dd of=data/partner-m.db bs=1 seek=60 conv=notrunc 2>/dev/null";

#[test]
fn a_good_program_takes_the_place_of_the_old_one_after_a_copy() {
    let machine = Machine::new();
    let real = env!("CARGO_BIN_EXE_partner-m");
    let new = machine.later(&format!("exec {real} \"$@\""));
    let said = machine.update(&[&new]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("9.9.9 работает"), "{}", said.err);
    assert_eq!(machine.systemctl("is-active"), 0);
    let copies = machine.program.run(&["backup", "list", "--json"]).out;
    assert!(copies.contains("-manual"), "{copies}");

    let back = machine.update(&["--rollback"]);
    assert_eq!(back.code, 0, "{}", back.err);
    assert!(machine.is_as_it_was());
}

#[test]
fn a_program_that_never_gets_ready_gives_its_place_back() {
    let machine = Machine::new();
    let said = machine.update(&[&machine.later("    echo не вышло; exit 1")]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("возвращена версия"), "{}", said.err);
    assert!(!said.err.contains("база возвращена"), "the data was not touched: {}", said.err);
    assert!(machine.is_as_it_was());
}

#[test]
fn a_program_that_migrates_and_never_gets_ready_gives_the_data_back_too() {
    let machine = Machine::new();
    let said = machine.update(&[&machine.later(&format!("    {MIGRATE}; exit 1"))]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("база возвращена"), "{}", said.err);
    assert!(machine.is_as_it_was());
    assert_eq!(machine.schema(), migrations::latest());
}

#[test]
fn after_ready_only_the_program_goes_back_and_only_if_it_understands_the_data() {
    let machine = Machine::new();
    let falls = machine.later("    echo 'готово за 1 мс'; sleep 0.3; exit 1");
    let said = machine.update(&[&falls]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("возвращена версия"), "{}", said.err);
    assert!(machine.is_as_it_was());

    let migrates =
        machine.later(&format!("    {MIGRATE}; echo 'готово за 1 мс'; sleep 0.3; exit 1"));
    let said = machine.update(&[&migrates]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("оставлена новая"), "{}", said.err);
    assert_eq!(machine.schema(), 99, "orders may have come after READY: the data stays");
    let refused = machine.update(&["--rollback"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("не понимает базу"), "{}", refused.err);
}

#[test]
fn what_does_not_run_is_refused_before_anything_stops() {
    let machine = Machine::new();
    let broken = machine.program.folder().join("broken");
    std::fs::write(&broken, "не программа").expect("written");
    for argument in ["broken", "absent", "absent.deb"] {
        let said = machine.update(&[argument]);
        assert_eq!(said.code, 1, "{argument}: {}", said.err);
        assert!(machine.is_as_it_was(), "{argument}");
    }
    let nowhere = machine.update(&[]);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.err.contains("SOURCE"), "{}", nowhere.err);
    assert_eq!(machine.update(&["--wrong"]).code, 2);
}

#[test]
fn a_copy_that_fails_stops_the_update() {
    let machine = Machine::new();
    machine.systemctl("stop");
    let backups = machine.program.data().join("backups");
    let _ = std::fs::remove_dir_all(&backups);
    std::fs::write(&backups, "a file in the way").expect("written");
    let said = machine.update(&[&machine.later("    exit 1")]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("копия не сделана"), "{}", said.err);
    assert!(machine.is_as_it_was());
}

#[test]
fn without_an_argument_it_pulls_and_builds_what_is_configured() {
    let machine = Machine::new();
    let folder = machine.program.folder();
    let git = |arguments: &[&str], at: &str| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=x", "-c", "user.email=x@x", "-C", at]).args(arguments);
        command.current_dir(folder);
        let said = run(command);
        assert_eq!(said.code, 0, "{}", said.err);
    };
    std::fs::create_dir(folder.join("origin")).expect("made");
    git(&["init", "-q"], "origin");
    std::fs::write(folder.join("origin/README"), "1").expect("written");
    git(&["add", "."], "origin");
    git(&["commit", "-qm", "1"], "origin");
    git(&["clone", "-q", "origin", "source"], ".");
    std::fs::write(folder.join("origin/README"), "2").expect("written");
    git(&["commit", "-qam", "2"], "origin");
    // A build that takes no time.
    let real = env!("CARGO_BIN_EXE_partner-m");
    executable(
        &folder.join("stubs/cargo"),
        &format!("#!/bin/sh\nmkdir -p target/release\ncp {real} target/release/partner-m\n"),
    );
    std::fs::write(
        folder.join(".bash_profile"),
        format!("PATH={}:$PATH\n", folder.join("stubs").display()),
    )
    .expect("written");
    std::fs::write(
        folder.join("update.conf"),
        format!("SOURCE={}\nexport HOME={}\n", folder.join("source").display(), folder.display()),
    )
    .expect("written");
    let said = machine.update(&[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(std::fs::read_to_string(folder.join("source/README")).expect("read"), "2");
    let again = machine.update(&[]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("новых изменений нет"), "{}", again.err);
    assert_eq!(machine.systemctl("is-active"), 0);
    let look = Db::look(&machine.program.data().join("partner-m.db"), migrations::current);
    assert_eq!(look.expect("sound"), migrations::latest());
}
