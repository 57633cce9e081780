//! 1C comes while others are at it.

use std::time::Duration;

use partner_m::storage::StorageError;

use crate::onec_server::{Server, TOKEN};

#[tokio::test]
async fn four_pushes_at_once_are_all_stored_and_double_nothing() {
    let server = Server::start().await;
    let body = |n: usize| {
        format!(
            r#"{{"categories":[{{"external_id":"k","title":"Крепёж"}}],
            "products":[{{"external_id":"E{n}","sku":"{n}","title":"Болт {n}","category_external_id":"k"}},
            {{"external_id":"E","sku":"0","title":"Гайка","category":"Метизы/Гайки"}}]}}"#
        )
    };
    let (a, b, c, d) = tokio::join!(
        server.push(body(1)),
        server.push(body(2)),
        server.push(body(3)),
        server.push(body(4))
    );
    for reply in [a, b, c, d] {
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json()["upserted"], 2, "{}", reply.text);
    }
    assert_eq!(server.rows("select count(*) from products"), ["5"]);
    let titles = server.rows("select title from categories order by title");
    assert_eq!(titles, ["Гайки", "Крепёж", "Метизы"]);
    assert_eq!(server.rows("select count(*) from exchanges"), ["4"]);
}

#[tokio::test]
async fn who_waits_too_long_is_told_when_to_come_again_and_nothing_is_stored() {
    let server = Server::start().await;
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let (taken, is_taken) = tokio::sync::oneshot::channel();
    let base = server.base.clone();
    // The writer is in other hands: the first push waits for it, the second one for the first.
    let writer = tokio::spawn(async move {
        let work = move |_: &rusqlite::Transaction<'_>| {
            let _ = taken.send(());
            let _ = held.recv();
            Ok::<_, StorageError>(())
        };
        base.db.write(work).await
    });
    is_taken.await.expect("the writer is held");
    let push = |sku: &'static str| {
        let request = server.client.post(server.url("/onec/catalog")).header("X-Token", TOKEN);
        let body = format!(r#"[{{"sku":"{sku}","title":"Болт"}}]"#);
        tokio::spawn(async move { request.body(body).send().await.expect("an answer") })
    };
    let mut pushes = vec![push("1"), push("2")];
    tokio::time::pause();
    // Moves the clock until one of them has had enough.
    let mut busy = None;
    for _ in 0..10_000 {
        tokio::time::advance(Duration::from_millis(50)).await;
        tokio::task::yield_now().await;
        if let Some(index) = pushes.iter().position(tokio::task::JoinHandle::is_finished) {
            busy = Some(pushes.remove(index).await.expect("no panic"));
            break;
        }
        std::thread::yield_now();
    }
    tokio::time::resume();
    let busy = busy.expect("one of the two gives up");
    assert_eq!(busy.status(), 503);
    assert_eq!(busy.headers()["retry-after"], "15");
    hold.send(()).expect("let go");
    writer.await.expect("no panic").expect("written");
    let other = pushes.remove(0).await.expect("no panic");
    assert_eq!(other.status(), 200);
    assert_eq!(server.rows("select count(*) from products"), ["1"], "the patient one");
    let reply = server.push(r#"[{"sku":"1","title":"Болт"},{"sku":"2","title":"Болт"}]"#).await;
    assert_eq!(reply.json()["upserted"], 2, "and then both");
}
