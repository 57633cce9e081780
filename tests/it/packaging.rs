//! Updating: the real script over the real program, with a `systemctl` that only this test has.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use partner_m::storage::{Db, migrations};

use super::crashes::small_disks_work;
use super::program::{Program, Said, run};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/partner-m-update");

/// Keeps one service as systemd does: `start` waits for READY, here «готово за» in its words, and
/// what falls is started again.
const SYSTEMCTL: &str = r#"#!/bin/bash
cd "$FAKE"
# What has ended may stay a zombie: nobody here waits for it.
lives() { [ -s "$1" ] && state=$(cut -d' ' -f3 "/proc/$(cat "$1")/stat" 2>/dev/null) && [ "$state" != Z ]; }
case $1 in
  start)
    lives keeper && exit 0
    rm -f stopping fell
    : >log
    (
      while [ ! -e stopping ]; do
        "$PARTNER_M_BIN" serve --listen 127.0.0.1:0 >>log 2>&1 &
        echo $! >pid
        wait
        touch fell
        sleep 0.1
      done
    ) 9>&- >/dev/null 2>&1 &
    echo $! >keeper
    while [ ! -e fell ]; do
      if grep -q 'готово за' log; then date +%s%N >ready; exit 0; fi
      sleep 0.05
    done
    exit 1 ;;
  stop)
    touch stopping
    while lives keeper; do
      kill -TERM "$(cat pid)" 2>/dev/null
      sleep 0.05
    done
    rm -f keeper pid ;;
  is-active) lives pid ;;
  show)
    case $2 in
      --property=MainPID) cat pid 2>/dev/null || echo 0 ;;
      *) cat ready 2>/dev/null || echo 0 ;;
    esac ;;
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

    /// Begins an update with this program and cuts the power once the program is in its place and
    /// tries to start.
    fn cut(&self, new: &str) {
        let mut command = Command::new(SCRIPT);
        command.arg(new).process_group(0).stderr(Stdio::null());
        self.env(&mut command);
        let mut script = command.spawn().expect("starts");
        let begun = Instant::now();
        while !self.said("начинаю") {
            assert!(begun.elapsed() < Duration::from_mins(1), "the program was not replaced");
            std::thread::sleep(Duration::from_millis(20));
        }
        let group = format!("-{}", script.id());
        let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
        assert!(killed.expect("kill runs").success());
        script.wait().expect("ends");
    }

    /// Whether the service has said so since it was started.
    fn said(&self, word: &str) -> bool {
        std::fs::read_to_string(self.program.folder().join("log"))
            .is_ok_and(|log| log.contains(word))
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
    assert_eq!(machine.schema(), 99, "nothing was done yet");

    // The way back that it names: with the copy made before.
    let copy = refused.err.split("--rollback ").nth(1).and_then(|rest| rest.split(',').next());
    let back = machine.update(&["--rollback", copy.expect("the copy's name")]);
    assert_eq!(back.code, 0, "{}", back.err);
    assert!(machine.is_as_it_was());
    assert_eq!(machine.schema(), migrations::latest());
}

#[test]
fn an_update_cut_half_way_has_a_way_forward_and_a_way_back() {
    let machine = Machine::new();
    // Each later program takes the place of the one before in the folder.
    let cut = || machine.cut(&machine.later("    echo начинаю; exec sleep 60"));
    cut();
    let back = machine.update(&["--rollback"]);
    assert_eq!(back.code, 0, "{}", back.err);
    assert!(machine.is_as_it_was());

    // What had been put in place never worked: it does not become the one to go back to.
    cut();
    let worse = machine.update(&[&machine.later("    exit 1")]);
    assert_eq!(worse.code, 1, "{}", worse.err);
    assert!(worse.err.contains("не закончено"), "{}", worse.err);
    assert!(worse.err.contains("возвращена версия"), "{}", worse.err);
    assert!(machine.is_as_it_was());

    cut();
    let real = env!("CARGO_BIN_EXE_partner-m");
    let forward = machine.update(&[&machine.later(&format!("exec {real} \"$@\""))]);
    assert_eq!(forward.code, 0, "{}", forward.err);
    assert_eq!(machine.systemctl("is-active"), 0);
    assert_eq!(machine.update(&["--rollback"]).code, 0);
    assert!(machine.is_as_it_was());
}

#[test]
fn a_full_disk_stops_the_update_and_the_service_works_on() {
    if !small_disks_work() {
        return;
    }
    let machine = Machine::new();
    std::fs::create_dir(machine.program.folder().join("update")).expect("made");
    let new = machine.later("    exit 1");
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=1m x update && exec \"$@\"";
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh", SCRIPT, &new]);
    machine.env(&mut command);
    let said = run(command);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("прежняя программа не сохранена"), "{}", said.err);
    assert!(said.err.contains("освободите место"), "{}", said.err);
    assert!(machine.is_as_it_was());
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
