//! The way of an order through its statuses, whoever moves it.

use std::time::Duration;

use insta::assert_snapshot;

use partner_m::domain::{Channel, OrderId, OrderStatus, PersonId};
use partner_m::services::ordering::Actor;

use crate::support::desk::Desk;

/// Анна sends an order of so many screws; its id.
async fn screws(desk: &Desk, pieces: u32) -> OrderId {
    desk.says("anna", &format!("саморез 4х25 жёлтый {pieces}")).await;
    desk.taps("anna", "Отправить").await;
    desk.transcript("anna");
    OrderId(desk.number("select max(id) from orders"))
}

#[tokio::test]
async fn every_status_up_to_done_is_reached_and_the_quiet_ones_are_silent() {
    let desk = Desk::start().await;
    screws(&desk, 4_000).await;
    for step in ["Принять", "Собирается", "Готова", "Отгружена", "Выполнена"]
    {
        desk.taps("maria", step).await;
        desk.wait(Duration::from_mins(2)).await;
    }
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Заявка № 1001 · Принята
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть] [Отменить]
    < Заявка № 1001 принята. Менеджер Мария.
      [Открыть]
    ✎ Заявка № 1001 · Собирается
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть]
    ✎ Заявка № 1001 · Готова
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть]
    ✎ Заявка № 1001 · Отгружена
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть]
    < Заявка № 1001 отгружена.
      [Открыть]
    ✎ Заявка № 1001 · Выполнена
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть]
    ");
}

#[tokio::test]
async fn each_status_by_each_way_tells_the_client_and_the_timeline_the_same() {
    let desk = Desk::start().await;
    let maria = desk.number("select id from persons where phone = '+79000000002'");
    let mut ways = Vec::new();
    for (pieces, channel) in (1..).zip([Channel::Bot, Channel::Panel, Channel::Onec]) {
        let order = screws(&desk, pieces * 1_000).await;
        let number = desk.number("select max(number) from orders");
        let manager = Actor { person: Some(PersonId(maria)), channel: Channel::Bot };
        desk.ordering.assign(manager.clone(), order, None, manager.person).await.unwrap();
        let person = manager.person.filter(|_| channel != Channel::Onec);
        for next in ["accepted", "picking", "ready", "shipped", "done"] {
            let next: OrderStatus = next.parse().unwrap();
            let actor = Actor { person, channel };
            desk.ordering.set_status(actor, order, None, next, "").await.unwrap();
            desk.wait(Duration::from_mins(2)).await;
        }
        let told = desk.transcript("anna").replace(&format!("№ {number}"), "№ N");
        let told: Vec<_> = told.lines().filter(|line| !line.contains(" позиция, ")).collect();
        let timeline = desk.rows(&format!(
            "select text from order_events where order_id = {order} and kind = 'status' order by id"
        ));
        assert_eq!(timeline.len(), 6, "{timeline:#?}");
        ways.push((told.join("\n"), timeline));
    }
    assert!(ways[0].0.contains("принята. Менеджер Мария."), "{}", ways[0].0);
    assert_eq!(ways[0], ways[1], "the bot and the panel");
    assert_eq!(ways[0], ways[2], "the bot and 1C");
}
