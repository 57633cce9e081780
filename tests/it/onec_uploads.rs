//! Files of the standard exchange between their upload and their import.

use std::time::Duration;

use crate::onec_server::Server;
use crate::onec_standard::{UT103_SAYS, assert_holds, expected};
use crate::support::ut103::{Ut103, fixture, one, server};

#[tokio::test]
async fn what_was_uploaded_and_not_asked_for_is_imported_later() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    for name in ["offers.xml", "import.xml"] {
        onec.upload("catalog", name, &fixture(&format!("ut103/{name}"))).await;
    }
    assert_eq!(server.exchange.import_forgotten(&server.tasks).await.expect("looks"), 0);
    server.base.clock.advance(Duration::from_mins(10));
    assert_eq!(server.exchange.import_forgotten(&server.tasks).await.expect("imports"), 2);
    assert_holds(&server, &expected()["products"], UT103_SAYS);
    assert_eq!(server.exchange.import_forgotten(&server.tasks).await.expect("looks"), 0);
}

#[tokio::test]
async fn a_new_beginning_forgets_what_was_staged() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    let bytes = fixture("ut103/import.xml");
    onec.upload("catalog", "import.xml", &bytes[..30_000]).await;
    let answer = onec.import("import.xml").await;
    assert!(
        answer.starts_with("failure\nimport.xml: ") && answer.contains("обрывается"),
        "{answer}"
    );
    assert_eq!(server.rows("select count(*) from products"), ["0"]);
    onec.init("catalog").await;
    onec.upload("catalog", "import.xml", &bytes).await;
    assert_eq!(onec.import("import.xml").await, "success");
    assert_eq!(server.rows("select count(*) from products"), ["27"]);
    let staged = std::fs::read_dir(server.folder.path().join("exchange")).expect("a folder");
    let staged = staged.filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|e| e == "spool"))
    });
    assert_eq!(staged.count(), 1, "only what this session holds");
}

fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("begun");
        std::io::Write::write_all(&mut zip, bytes).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

#[tokio::test]
async fn an_archive_whose_files_were_asked_for_by_name_is_not_imported_again() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    let bytes = archive(&[("import.xml", one("Первый")), ("__MACOSX/._import.xml", vec![0, 1])]);
    onec.upload("catalog", "all.zip", &bytes).await;
    assert_eq!(onec.import("import.xml").await, "success");
    newer_goods_stay(&server).await;
}

/// Another session brings newer goods: what was left before them is not put over them.
async fn newer_goods_stay(server: &Server) {
    let mut later = Ut103::new(server);
    later.checkauth("catalog").await;
    later.init("catalog").await;
    later.upload("catalog", "import.xml", &one("Второй")).await;
    assert_eq!(later.import("import.xml").await, "success");
    server.base.clock.advance(Duration::from_mins(11));
    assert_eq!(server.exchange.import_forgotten(&server.tasks).await.expect("looks"), 0);
    assert_eq!(server.rows("select title from products"), ["Второй"]);
}

#[tokio::test]
async fn what_a_session_that_died_left_is_not_put_over_newer_goods() {
    let server = server().await;
    let mut died = Ut103::new(&server);
    died.checkauth("catalog").await;
    died.init("catalog").await;
    died.upload("catalog", "import.xml", &one("Первый")).await;
    server.base.clock.advance(Duration::from_mins(1));
    newer_goods_stay(&server).await;
}

#[tokio::test]
async fn one_name_in_two_folders_means_two_files() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    // Between each other, as a server of 1C on Linux sends them, and pictures too.
    let (first, second) = (one("Первый"), one("Второй"));
    let half = first.len() / 2;
    onec.upload("catalog", "a/import.xml", &first[..half]).await;
    onec.upload("catalog", "b\\import.xml", &second).await;
    onec.upload("catalog", "import_files/ab/x.jpg", b"one").await;
    onec.upload("catalog", "A/import.xml", &first[half..]).await;
    onec.upload("catalog", "import_files/cd/x.jpg", b"two").await;
    for (name, title) in [("b/import.xml", "Второй"), ("/a/import.xml", "Первый")] {
        assert_eq!(onec.import(name).await, "success", "{name}");
        assert_eq!(server.rows("select title from products"), [title]);
    }
    assert!(onec.import("import.xml").await.contains("не найден"), "which one is not known");
    // A name without its folder is enough where there is one such file.
    onec.init("catalog").await;
    onec.upload("catalog", "/tmp/v8_1A/import.xml", &one("Третий")).await;
    assert_eq!(onec.import("import.xml").await, "success");
    assert_eq!(server.rows("select title from products"), ["Третий"]);
    // Neither outdates the other where nobody asks for them.
    onec.init("catalog").await;
    onec.upload("catalog", "a/import.xml", &one("Четвёртый")).await;
    server.base.clock.advance(Duration::from_secs(1));
    onec.upload("catalog", "b/import.xml", &one("Пятый")).await;
    server.base.clock.advance(Duration::from_mins(11));
    assert_eq!(server.exchange.import_forgotten(&server.tasks).await.expect("imports"), 2);
    assert_eq!(server.rows("select title from products"), ["Пятый"]);
}

/// What waits on the disk for its import.
pub fn waiting(server: &Server) -> Vec<std::path::PathBuf> {
    let folder = std::fs::read_dir(server.base.config.data_dir.join("exchange")).expect("a folder");
    let paths = folder.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|e| e == "upload")).collect()
}

#[tokio::test]
async fn what_was_uploaded_and_not_asked_for_survives_a_restart() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    for name in ["offers.xml", "import.xml"] {
        onec.upload("catalog", name, &fixture(&format!("ut103/{name}"))).await;
    }
    // The program died in the middle of one more piece.
    let notes = waiting(&server);
    assert_eq!(notes.len(), 2);
    for note in &notes {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(note.with_extension("spool"))
            .expect("the upload");
        std::io::Write::write_all(&mut file, b"half a pie").expect("written");
    }
    let anew = Server::over(&server).await;
    assert_eq!(anew.exchange.take_up_uploads().await.expect("taken up"), 2);
    assert_eq!(anew.exchange.import_forgotten(&anew.tasks).await.expect("looks"), 0);
    server.base.clock.advance(Duration::from_mins(10));
    assert_eq!(anew.exchange.import_forgotten(&anew.tasks).await.expect("imports"), 2);
    assert_holds(&server, &expected()["products"], UT103_SAYS);
    assert_eq!(waiting(&server), Vec::<std::path::PathBuf>::new(), "once is enough");
    let again = Server::over(&server).await;
    assert_eq!(again.exchange.take_up_uploads().await.expect("nothing"), 0);
}

#[tokio::test]
async fn what_an_archive_had_and_was_not_asked_for_survives_a_restart() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    let files = ["import.xml", "offers.xml"].map(|name| (name, fixture(&format!("ut103/{name}"))));
    onec.upload("catalog", "all.zip", &archive(&files)).await;
    assert_eq!(onec.import("import.xml").await, "success");
    assert_eq!(waiting(&server).len(), 1, "the offers, and not the archive");
    let anew = Server::over(&server).await;
    assert_eq!(anew.exchange.take_up_uploads().await.expect("taken up"), 1);
    let onec = onec.at(&anew);
    assert_eq!(onec.import("offers.xml").await, "success");
    assert_holds(&server, &expected()["products"], UT103_SAYS);
    assert_eq!(waiting(&server), Vec::<std::path::PathBuf>::new(), "once is enough");
}

#[tokio::test]
async fn a_session_goes_on_with_its_cookie_after_a_restart_and_old_uploads_do_not() {
    let server = server().await;
    let mut died = Ut103::new(&server);
    died.checkauth("catalog").await;
    died.init("catalog").await;
    died.upload("catalog", "import.xml", &one("Первый")).await;
    died.upload("catalog", "goods.xml", &one("Нулевой")).await;
    server.base.clock.advance(Duration::from_mins(1));
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    onec.upload("catalog", "/tmp/1/import.xml", &one("Второй")).await;
    let anew = Server::over(&server).await;
    assert_eq!(anew.exchange.take_up_uploads().await.expect("taken up"), 3);
    let onec = onec.at(&anew);
    assert_eq!(onec.import("import.xml").await, "success");
    assert_eq!(server.rows("select title from products"), ["Второй"]);
    assert_eq!(died.at(&anew).import("import.xml").await, "success", "and is not laid over it");
    assert_eq!(server.rows("select title from products"), ["Второй"]);
    assert_eq!(waiting(&server).len(), 1);
    // A day later it is too late.
    server.base.clock.advance(Duration::from_hours(24));
    let late = Server::over(&server).await;
    assert_eq!(late.exchange.take_up_uploads().await.expect("nothing"), 0);
    assert_eq!(waiting(&server), Vec::<std::path::PathBuf>::new());
    assert_eq!(
        server.rows("select error from exchanges where error <> ''"),
        ["goods.xml: слишком долго ждал импорта и не загружен"],
        "but somebody can see it"
    );
}

/// Changes that name one product.
fn changes(id: &str) -> Vec<u8> {
    let text = String::from_utf8(one(id)).expect("text");
    text.replace("<Ид>a</Ид>", &format!("<Ид>{id}</Ид>")).into_bytes()
}

/// A session that brings changes under one name, and whose sender has forgotten them since.
async fn brings<'s>(server: &'s Server, id: &str) -> Ut103<'s> {
    let mut onec = Ut103::new(server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    onec.upload("catalog", "import0_1.xml", &changes(id)).await;
    server.base.clock.advance(Duration::from_secs(20));
    onec
}

#[tokio::test]
async fn changes_of_two_sessions_under_one_name_are_both_imported() {
    let server = server().await;
    brings(&server, "stale-1").await;
    brings(&server, "stale-2").await;
    server.base.clock.advance(Duration::from_mins(10));
    assert_eq!(server.exchange.import_forgotten(&server.tasks).await.expect("imports"), 2);
    let titles = "select title from products order by id";
    assert_eq!(server.rows(titles), ["stale-1", "stale-2"]);
    // And what a session died with is there before the next one's goods, which are asked for.
    brings(&server, "stale-3").await;
    let onec = brings(&server, "stale-4").await;
    assert_eq!(onec.import("import0_1.xml").await, "success");
    assert_eq!(server.rows(titles), ["stale-1", "stale-2", "stale-3", "stale-4"]);
}

#[tokio::test]
async fn changes_of_two_sessions_under_one_name_survive_a_restart() {
    let server = server().await;
    let (first, second) = (brings(&server, "stale-1").await, brings(&server, "stale-2").await);
    let anew = Server::over(&server).await;
    assert_eq!(anew.exchange.take_up_uploads().await.expect("taken up"), 2);
    let (first, second) = (first.at(&anew), second.at(&anew));
    assert_eq!(second.import("import0_1.xml").await, "success");
    assert_eq!(first.import("import0_1.xml").await, "success");
    assert_eq!(server.rows("select title from products order by id"), ["stale-1", "stale-2"]);
}

#[tokio::test]
async fn a_file_half_of_which_has_come_is_not_taken_from_its_session() {
    let server = server().await;
    let mut slow = Ut103::new(&server);
    slow.checkauth("catalog").await;
    slow.init("catalog").await;
    let bytes = changes("slow");
    let half = bytes.len() / 2;
    slow.upload("catalog", "import0_1.xml", &bytes[..half]).await;
    let quick = brings(&server, "quick").await;
    assert_eq!(quick.import("import0_1.xml").await, "success");
    slow.upload("catalog", "import0_1.xml", &bytes[half..]).await;
    assert_eq!(slow.import("import0_1.xml").await, "success");
    assert_eq!(server.rows("select title from products order by id"), ["quick", "slow"]);
    assert_eq!(server.rows("select error from exchanges where error <> ''"), [""; 0]);
}

#[tokio::test]
async fn names_in_the_code_page_of_windows_stay_apart() {
    let server = server().await;
    let mut onec = Ut103::new(&server);
    onec.checkauth("catalog").await;
    onec.init("catalog").await;
    // «товары.xml» and «остатк.xml»
    let names = ["%F2%EE%E2%E0%F0%FB.xml", "%EE%F1%F2%E0%F2%EA.xml"];
    for (name, bytes) in names.iter().zip([one("Первый"), one("Второй")]) {
        onec.upload("catalog", name, &bytes).await;
    }
    for (name, title) in names.iter().zip(["Первый", "Второй"]) {
        assert_eq!(onec.import(name).await, "success");
        assert_eq!(server.rows("select title from products"), [title]);
    }
}
