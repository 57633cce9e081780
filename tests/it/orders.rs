//! An order from text to «Выполнена», as the buyer and the manager see it.

use insta::assert_snapshot;

use crate::support::desk::Desk;

#[tokio::test]
async fn a_list_becomes_an_order_that_a_manager_takes() {
    let desk = Desk::start().await;
    desk.says(
        "anna",
        "добрый день, саморез 4х25 жёлтый 4 тыс, молния рулон чёрная 2 рул, ткань велес 10 м",
    )
    .await;
    assert_snapshot!(desk.transcript("anna"), @"");
    desk.taps("anna", "Уточнить").await;
    assert_snapshot!(desk.transcript("anna"), @"");
    desk.says("anna", "т7").await;
    assert_snapshot!(desk.transcript("anna"), @"");
    desk.taps("anna", "Менеджеру").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Дата").await;
    desk.taps("anna", "Завтра").await;
    assert_snapshot!(desk.transcript("anna"), @"");
    desk.taps("anna", "Отправить").await;
    assert_snapshot!(desk.transcript("anna"), @"");
    assert_snapshot!(desk.transcript("maria"), @"");
    desk.taps("maria", "Принять").await;
    assert_snapshot!(desk.transcript("maria"), @"");
    assert_snapshot!(desk.transcript("anna"), @"");
}
