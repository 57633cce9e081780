//! A client whom nobody has verified yet: what they are not told of prices, and what a manager is
//! told of them.

use axum::http::StatusCode;
use partner_m::storage::StorageError;

use crate::support::desk::Desk;
use crate::support::panel::Panel;

/// Петров, a private person of the browser chat, whose number nobody vouches for.
async fn newcomer(desk: &Desk) {
    desk.says("maria", "/start").await;
    desk.says("guest", "саморез 4х25 желтый 4000\nнитки 70ЛЛ черные 10").await;
    desk.shares("guest", "+7 900 000-00-09", true).await;
    desk.says("guest", "Петров Олег").await;
    desk.taps("guest", "Я частное лицо").await;
    desk.taps("guest", "Пропустить").await;
    desk.taps("guest", "Пропустить").await;
    desk.taps("guest", "Пропустить").await;
    desk.says("guest", "кресло на колёсах").await;
}

#[tokio::test]
async fn who_sees_no_prices_sees_no_sum_of_them() {
    let desk = Desk::start().await;
    newcomer(&desk).await;
    desk.says("guest", "нитки 70ЛЛ белые 5").await;
    let draft = desk.screen("guest");
    assert!(draft.contains("Сумма: цену подтвердит менеджер"), "{draft}");
    desk.taps("guest", "Оформить").await;
    let checkout = desk.screen("guest");
    assert!(checkout.contains("Оформление: 3 позиции, цену подтвердит менеджер"), "{checkout}");
    desk.taps("guest", "Отправить").await;
    desk.taps("maria", "Отклонить").await;
    desk.taps("maria", "Дубль").await;
    desk.taps("maria", "Отправить").await;
    desk.taps("guest", "Открыть").await;
    let order = desk.screen("guest");
    assert!(order.contains("3 позиции, цену подтвердит менеджер"), "{order}");
    let talk = desk.transcript("guest");
    assert!(!talk.contains('₽'), "{talk}");
}

#[tokio::test]
async fn a_manager_is_told_that_the_client_is_new_and_how_to_reach_them() {
    let desk = Desk::start().await;
    newcomer(&desk).await;
    desk.taps("guest", "Отправить").await;
    let card = desk.screen("maria");
    let who = "Петров Олег, +7 900 000-00-09 (не подтверждён) · новый клиент";
    assert!(card.contains(who), "{card}");
    // Of a client who is known nothing is said.
    desk.says("anna", "нитки 70ЛЛ белые 5").await;
    desk.taps("anna", "Отправить").await;
    let card = desk.screen("maria");
    assert!(card.contains("Анна Иванова, +7 900 000-00-01\n"), "{card}");
}

#[tokio::test]
async fn the_panel_shows_a_number_that_is_only_claimed_as_such() {
    let panel = Panel::start().await;
    let unproven = "
        update persons set phone = null, phone_verified = 0, claimed_phone = '+79000000009'
        where id = 1;
        update organizations set verified = 0 where id = 1;";
    let write = |tx: &rusqlite::Transaction<'_>| Ok::<_, StorageError>(tx.execute_batch(unproven)?);
    panel.desk.base.db.write_blocking(write).unwrap();
    let maria = panel.sign_in_as("%2B79000000002").await;
    let order = panel.send("GET", "/admin/orders/1042", maria.clone(), "").await;
    assert_eq!(order.status, StatusCode::OK);
    let body = order.body.replace('\u{a0}', " ");
    assert!(body.contains("новый клиент") && body.contains("+7 900 000-00-09"), "{body}");
    assert!(body.contains("не подтверждён"), "{body}");
    for path in ["/admin/people", "/admin/people/1", "/admin/people?q=9000000009"] {
        let people = panel.send("GET", path, maria.clone(), "").await.body;
        let people = people.replace('\u{a0}', " ");
        assert!(people.contains("+7 900 000-00-09"), "{path}: {people}");
        assert!(people.contains("не подтверждён"), "{path}: {people}");
    }
}
