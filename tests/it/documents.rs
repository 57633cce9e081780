//! What comes with an order besides its lines: files of the manager, whose orders are listed, the
//! day that can still be had.

use std::time::Duration;

use crate::support::desk::Desk;

#[tokio::test]
async fn a_managers_file_reaches_the_client_once_and_can_be_had_again() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 жёлтый 4000").await;
    desk.taps("anna", "Отправить").await;
    desk.taps("maria", "Принять").await;
    desk.transcript("maria");
    desk.transcript("anna");
    desk.taps("maria", "Документ").await;
    desk.says("maria", "сейчас найду").await;
    desk.sends_file("maria", "счёт 17.pdf", b"%PDF-1.4", "Оплатить до пятницы").await;
    // The next file is not meant for the order any more.
    desk.sends_file("maria", "прайс.pdf", b"%PDF-1.4", "").await;
    desk.taps("anna", "Открыть").await;
    desk.taps("anna", "Документы").await;
    insta::with_settings!(
        { snapshot_path => "transcripts", prepend_module_to_snapshot => false, omit_expression => true },
        {
            insta::assert_snapshot!("order_document", desk.transcript("anna"));
            insta::assert_snapshot!("order_document_manager", desk.transcript("maria"));
        }
    );
    let files = "select name || ' ' || chat_key from files order by id";
    let kept = ["счёт 17.pdf web:maria", "счёт 17.pdf web:anna", "прайс.pdf web:maria"];
    assert_eq!(desk.rows(files), kept);
}

#[tokio::test]
async fn ones_own_orders_are_told_from_those_of_the_organization() {
    let desk = Desk::start().await;
    desk.sql(
        "insert into persons (id, name, phone, phone_verified, created_at_ms)
             values (70, 'Петров Олег', '+79000000070', 1, 0);
         insert into members (organization_id, person_id, role, state, created_at_ms)
             select organization_id, 70, 'buyer', 'active', 0 from members where person_id = 1;",
    );
    desk.link("pavel", "+79000000070");
    for (persona, pieces) in [("anna", 1_000), ("pavel", 2_000)] {
        desk.says(persona, &format!("саморез 4х25 жёлтый {pieces}")).await;
        desk.taps(persona, "Отправить").await;
    }
    desk.says("anna", "/orders").await;
    let all = desk.screen("anna");
    assert!(all.contains("[№ 1001") && all.contains("[№ 1002") && all.contains("[Мои]"), "{all}");
    desk.taps("anna", "Мои").await;
    let mine = desk.screen("anna");
    assert!(
        mine.contains("[№ 1001") && !mine.contains("[№ 1002") && mine.contains("[Все]"),
        "{mine}"
    );
    desk.taps("anna", "Все").await;
    assert_eq!(desk.screen("anna"), all);
}

#[tokio::test]
async fn today_is_offered_until_the_company_closes() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 жёлтый 1000").await;
    for (later, offered) in [(Duration::ZERO, true), (Duration::from_hours(4), false)] {
        desk.wait(later).await; // 14:05, then 18:05 of a working day
        desk.taps("anna", "Оформить").await;
        desk.taps("anna", "Дата").await;
        let screen = desk.screen("anna");
        assert_eq!(screen.contains("[Сегодня]"), offered, "{screen}");
        assert!(screen.contains("[Завтра] [Послезавтра]"), "{screen}");
        desk.taps("anna", "Назад").await;
        desk.taps("anna", "Назад").await;
    }
}
