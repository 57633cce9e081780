//! An order from text to «Выполнена», as the buyer and the manager see it.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;

use partner_m::config::Config;
use tokio::sync::Notify;

use crate::support::desk::{Desk, START};
use crate::support::fake_openai::FakeOpenAi;

#[tokio::test]
async fn a_list_becomes_an_order_that_a_manager_takes() {
    let desk = Desk::start().await;
    desk.says(
        "anna",
        "добрый день, саморез 4х25 жёлтый 4 тыс, молния рулон чёрная 2 рул, ткань велес 10 м",
    )
    .await;
    assert_snapshot!(desk.transcript("anna"), @"
    > добрый день, саморез 4х25 жёлтый 4 тыс, молния рулон чёрная 2 рул, ткань велес 10 м
    < Черновик заявки · ООО «Диван-М»
      3 позиции: ✅ 1 · ❓ 1 · ❌ 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽
           «саморез 4х25 жёлтый 4 тыс»
      ❓ 2. молния рулон чёрная 2 рул
           2 варианта, уточним
      ❌ 3. ткань велес 10 м
           не нашёл в каталоге
      
      Сумма по прайсу: 3 400,00 ₽ без ❓ ❌
      Цены и остатки на 24.11, 14:05
    < Нужно уточнить 2 позиции.
      [Уточнить 2 позиции]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    ");
    desk.taps("anna", "Уточнить").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > [Уточнить]
    ✎ Позиция 2 из 3: «молния рулон чёрная 2 рул»
      Какая из них?
      • Молния рулонная Т5 черная 200 м
      • Молния рулонная Т7 черная 100 м
      […Т5 черная 200 м · 1 450 ₽]
      […Т7 черная 100 м · 1 990 ₽]
      [Нет в списке] [Менеджеру]
      [Пропустить] [К заявке]
    ");
    desk.says("anna", "т7").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > т7
    < Черновик заявки · ООО «Диван-М»
      3 позиции: ✅ 2 · ❌ 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽
           «саморез 4х25 жёлтый 4 тыс»
      ✅ 2. Молния рулонная Т7 черная 100 м — 2 рул · 1 990,00 ₽
           «молния рулон чёрная 2 рул»
      ❌ 3. ткань велес 10 м
           не нашёл в каталоге
      
      Сумма по прайсу: 7 380,00 ₽ без ❌
      Цены и остатки на 24.11, 14:05
    × сообщение удалено
    < Позиция 3 из 3: «ткань велес 10 м»
      Не нашёл в каталоге.
      [Написать иначе] [Менеджеру]
      [Убрать] [Пропустить]
    × сообщение удалено
    ");
    desk.taps("anna", "Менеджеру").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Дата").await;
    desk.taps("anna", "Завтра").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > [Менеджеру]
    ✎ Черновик заявки · ООО «Диван-М»
      3 позиции: ✅ 2 · 👤 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽
           «саморез 4х25 жёлтый 4 тыс»
      ✅ 2. Молния рулонная Т7 черная 100 м — 2 рул · 1 990,00 ₽
           «молния рулон чёрная 2 рул»
      👤 3. ткань велес 10 м
           подберёт менеджер
      
      Сумма по прайсу: 7 380,00 ₽ без 👤
      Цены и остатки на 24.11, 14:05
    ✎ Остальное распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    > [Оформить]
    ✎ Оформление: 3 позиции, 7 380,00 ₽
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      Комментарий: —
      1 позицию подберёт менеджер.
      [Отправить]
      [Дата] [Адрес] [Комментарий]
      [Назад]
    > [Дата]
    ✎ Когда доставить? Можно написать: «в пятницу».
      [Сегодня] [Завтра] [Послезавтра]
      [пт 27.11] [пн 30.11] [вт 01.12]
      [ср 02.12] [чт 03.12] [пт 04.12]
      [пн 07.12] [вт 08.12] [ср 09.12]
      [Самовывоз] [Не важно]
      [Назад]
    > [Завтра]
    ✎ Оформление: 3 позиции, 7 380,00 ₽
      Доставка: ср 25.11
      Адрес: г. Энгельс, ул. Полтавская, 12
      Комментарий: —
      1 позицию подберёт менеджер.
      [Отправить]
      [Дата] [Адрес] [Комментарий]
      [Назад]
    ");
    desk.taps("anna", "Отправить").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > [Отправить]
    < Заявка № 1001 отправлена. Отвечаем пн–пт 09:00–18:00.
      Запомнил 1 ваше название.
      [Открыть] [Изменить] [Отменить]
      [Не запоминать]
    ");
    assert_snapshot!(desk.transcript("maria"), @"
    < 🆕 № 1001 · ООО «Диван-М» · ср 25.11
      Новая · 14:05
      Анна Иванова, +7 900 000-00-01
      3 позиции, 7 380,00 ₽: ✅ 2 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      ✅ 2. Молния рулонная Т7 черная 100 м — 2 рул · 1 990,00 ₽ · ост. 12
      👤 3. «ткань велес 10 м»
      [Подобрать 1] [Принять без неё]
      [Отклонить] [Написать]
      [Состав]
    ");
    desk.taps("maria", "Принять").await;
    assert_snapshot!(desk.transcript("maria"), @"
    > [Принять]
    ✎ № 1001 · ООО «Диван-М» · ср 25.11
      В работе: Мария, 14:05
      Анна Иванова, +7 900 000-00-01
      3 позиции, 7 380,00 ₽: ✅ 2 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      ✅ 2. Молния рулонная Т7 черная 100 м — 2 рул · 1 990,00 ₽ · ост. 12
      👤 3. «ткань велес 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    ");
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Заявка № 1001 · Принята
      3 позиции, 7 380,00 ₽
      Доставка: ср 25.11, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть] [Отменить]
    < Заявка № 1001 принята. Доставка ср 25.11. Менеджер Мария. 1 позицию ещё подбираем.
      [Открыть]
    ");
}

/// Анна sends one screw order; its number is 1001.
async fn screws(desk: &Desk) {
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.transcript("anna");
    desk.transcript("maria");
}

#[tokio::test]
async fn the_same_send_five_times_makes_one_order() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("anna", "Оформить").await;
    let send = desk.button("anna", "Отправить");
    for _ in 0..5 {
        desk.presses("anna", &send).await;
    }
    assert_eq!(desk.number("select count(*) from orders"), 1);
    assert_eq!(desk.number("select value from counters where name = 'order_number'"), 1001);
    assert!(desk.transcript("anna").contains("☐ Заявка № 1001 уже отправлена"));
    assert_eq!(desk.message_count("anna"), 1, "the two cards became one");
}

#[tokio::test]
async fn an_event_that_is_handled_again_adds_nothing() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    // The process died after the draft was changed and before the event was marked as handled.
    desk.sql("update inbox set state = 'pending', handled_at_ms = null");
    desk.run().await;
    assert_eq!(desk.number("select count(*) from draft_lines"), 1);
}

#[tokio::test]
async fn more_text_extends_the_draft_and_can_be_taken_back() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    desk.transcript("anna");
    desk.says("anna", "и ещё саморез 4х25 жёлтый 500, спанбонд 70 белый 2 рул").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > и ещё саморез 4х25 жёлтый 500, спанбонд 70 белый 2 рул
    < Черновик заявки · ООО «Диван-М»
      2 позиции: ✅ 2
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 500 шт · 0,85 ₽
           «саморез 4х25 жёлтый 4000 шт; и ещё саморез 4х25 жёлтый 500»
      ✅ 2. Спанбонд 70 г/м2 белый 1,6 м — 2 рул · 3 120,00 ₽
           «спанбонд 70 белый 2 рул»
      
      Сумма по прайсу: 10 065,00 ₽
      Цены и остатки на 24.11, 14:05
    × сообщение удалено
    < Добавил 1 позицию. Сложил с позицией 1: 4 000 + 500 шт.
      Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отменить добавление]
      [Разделить]
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    × сообщение удалено
    ");
    desk.taps("anna", "Отменить добавление").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > [Отменить добавление]
    ✎ Черновик заявки · ООО «Диван-М»
      1 позиция: ✅ 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽
           «саморез 4х25 жёлтый 4000 шт»
      
      Сумма по прайсу: 3 400,00 ₽
      Цены и остатки на 24.11, 14:05
    ✎ Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    ");
}

#[tokio::test]
async fn a_second_order_in_the_same_words_asks_nothing() {
    let desk = Desk::start().await;
    desk.says("anna", "молния рулон чёрная 2 рул").await;
    desk.taps("anna", "Уточнить").await;
    desk.taps("anna", "Т5").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.transcript("anna");
    desk.says("anna", "молния рулон чёрная 3 рул").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > молния рулон чёрная 3 рул
    < Черновик заявки · ООО «Диван-М»
      1 позиция: ✅ 1
      
      ✅ 1. Молния рулонная Т5 черная 200 м — 3 рул · 1 450,00 ₽
           «молния рулон чёрная 3 рул»
      
      Сумма по прайсу: 4 350,00 ₽
      Цены и остатки на 24.11, 14:05
    < Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    ");
}

#[tokio::test]
async fn a_multiple_is_offered_and_never_forced() {
    let desk = Desk::start().await;
    desk.says("anna", "евровинт 7х50 700 шт").await;
    desk.taps("anna", "Уточнить").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > евровинт 7х50 700 шт
    < Черновик заявки · ООО «Диван-М»
      1 позиция: ❓ 1
      
      ❓ 1. Евровинт 7х50 цинк — 700 шт · 0,8125 ₽
           «евровинт 7х50 700 шт»
           кратно 500
      
      Цены и остатки на 24.11, 14:05
    < Нужно уточнить 1 позицию.
      [Уточнить 1 позицию]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    > [Уточнить]
    ✎ 1. Евровинт 7х50 цинк
      Продаётся по 500. Сделать 1 000?
      [1 000] [500]
      [Оставить, решит менеджер]
      [К заявке]
    ");
    desk.taps("anna", "Оставить").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > [Оставить]
    ✎ Черновик заявки · ООО «Диван-М»
      1 позиция: ✅ 1
      
      ✅ 1. Евровинт 7х50 цинк — 700 шт · 0,8125 ₽
           «евровинт 7х50 700 шт»
      
      Сумма по прайсу: 568,75 ₽
      Цены и остатки на 24.11, 14:05
    ✎ Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    ");
}

#[tokio::test]
async fn a_quantity_that_was_not_named_is_asked() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 жёлтый").await;
    desk.taps("anna", "Уточнить").await;
    desk.says("anna", "3 уп").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > саморез 4х25 жёлтый
    < Черновик заявки · ООО «Диван-М»
      1 позиция: ❓ 1
      
      ❓ 1. Саморез универсальный 4х25 желтый цинк · 0,85 ₽
           «саморез 4х25 жёлтый»
           сколько?
      
      Цены и остатки на 24.11, 14:05
    < Нужно уточнить 1 позицию.
      [Уточнить 1 позицию]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    > [Уточнить]
    ✎ Позиция 1 из 1: «саморез 4х25 жёлтый»
      Саморез универсальный 4х25 желтый цинк
      Сколько? Напишите число.
      [1 уп (1 000 шт)]
      [Убрать] [Менеджеру]
      [Пропустить] [К заявке]
    > 3 уп
    < Черновик заявки · ООО «Диван-М»
      1 позиция: ✅ 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 3 уп · 0,85 ₽/шт
           «саморез 4х25 жёлтый»
      
      Сумма по прайсу: 2 550,00 ₽
      Цены и остатки на 24.11, 14:05
    × сообщение удалено
    < Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    × сообщение удалено
    ");
}

#[tokio::test]
async fn a_buyer_cancels_and_takes_it_back() {
    let desk = Desk::start().await;
    screws(&desk).await;
    desk.taps("anna", "Отменить").await;
    desk.taps("anna", "Передумали").await;
    desk.taps("anna", "Вернуть").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > [Отменить]
    < Отменить заявку № 1001? Выберите причину.
      [Передумали] [Ошибка в заявке]
      [Долго ждать] [Другая причина]
      [Оставить]
    > [Передумали]
    ✎ Заявка № 1001 отменена.
      [Вернуть]
    ✎ Заявка № 1001 · Отменена
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      [Открыть]
    > [Вернуть]
    ✎ Заявка № 1001 снова в силе.
    ✎ Заявка № 1001 · Отправлена
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      [Открыть] [Изменить] [Отменить]
    ");
    assert_snapshot!(desk.transcript("maria"), @"
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      Отменена · 14:05
      Анна Иванова, +7 900 000-00-01
      1 позиция, 3 400,00 ₽: ✅ 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      [Состав]
    ✎ 🆕 № 1001 · ООО «Диван-М» · дата не важна
      Новая · 14:05
      Анна Иванова, +7 900 000-00-01
      1 позиция, 3 400,00 ₽: ✅ 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      [Принять]
      [Отклонить] [Написать]
      [Состав]
    ");
}

#[tokio::test]
async fn a_buyer_changes_an_order_that_nobody_has_taken() {
    let desk = Desk::start().await;
    screws(&desk).await;
    desk.taps("anna", "Изменить").await;
    desk.says("anna", "спанбонд 70 белый 2 рул").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Сохранить").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > [Изменить]
    < Изменение заявки
      1 позиция: ✅ 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽
           «саморез 4х25 жёлтый 4000 шт»
      
      Сумма по прайсу: 3 400,00 ₽
      Цены и остатки на 24.11, 14:05
    < Поменяйте позиции и сохраните: номер останется.
      Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Сохранить]
      [Оформить] [Позиции]
      [Всё менеджеру]
      [Очистить]
    > спанбонд 70 белый 2 рул
    < Изменение заявки
      2 позиции: ✅ 2
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽
           «саморез 4х25 жёлтый 4000 шт»
      ✅ 2. Спанбонд 70 г/м2 белый 1,6 м — 2 рул · 3 120,00 ₽
           «спанбонд 70 белый 2 рул»
      
      Сумма по прайсу: 9 640,00 ₽
      Цены и остатки на 24.11, 14:05
    × сообщение удалено
    < Добавил 1 позицию.
      Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отменить добавление]
      [Сохранить]
      [Оформить] [Позиции]
      [Всё менеджеру]
      [Очистить]
    × сообщение удалено
    > [Оформить]
    ✎ Оформление: 2 позиции, 9 640,00 ₽
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      Комментарий: —
      [Сохранить]
      [Дата] [Адрес] [Комментарий]
      [Назад]
    > [Сохранить]
    ☐ Заявка № 1001 изменена
    < Заявка № 1001 · Отправлена
      2 позиции, 9 640,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      [Открыть] [Изменить] [Отменить]
    × сообщение удалено
    ");
    assert_snapshot!(desk.transcript("maria"), @"
    ✎ 🆕 № 1001 · ООО «Диван-М» · дата не важна
      Новая · 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 9 640,00 ₽: ✅ 2
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      ✅ 2. Спанбонд 70 г/м2 белый 1,6 м — 2 рул · 3 120,00 ₽ · ост. 25
      [Принять]
      [Отклонить] [Написать]
      [Состав]
    ");
    assert_eq!(desk.number("select count(*) from orders"), 1);
    assert_eq!(desk.number("select count(*) from order_lines"), 2);
}

#[tokio::test]
async fn a_manager_rejects_with_a_reason_that_the_client_reads() {
    let desk = Desk::start().await;
    screws(&desk).await;
    desk.taps("maria", "Отклонить").await;
    desk.taps("maria", "Нет товара").await;
    desk.taps("maria", "Отправить").await;
    assert_snapshot!(desk.transcript("maria"), @"
    > [Отклонить]
    ✎ Почему отклоняем заявку № 1001?
      [Нет товара]
      [Дубль]
      [Задолженность]
      [Не обслуживаем]
      [Своя причина]
      [Назад]
    > [Нет товара]
    ✎ Клиент прочитает:
      Заявка № 1001 отклонена. К сожалению, этих товаров сейчас нет.
      [Отправить] [Назад]
    > [Отправить]
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      Отклонена · Мария
      К сожалению, этих товаров сейчас нет.
      Анна Иванова, +7 900 000-00-01
      1 позиция, 3 400,00 ₽: ✅ 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      [Состав]
    ");
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Заявка № 1001 · Отклонена
      К сожалению, этих товаров сейчас нет.
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть]
    < Заявка № 1001 отклонена. К сожалению, этих товаров сейчас нет.
      [Открыть]
    ");
}

#[tokio::test]
async fn a_manager_picks_what_was_not_found_and_the_words_are_learnt() {
    let desk = Desk::start().await;
    desk.says("anna", "жёлтенькие на двадцать пять 2 уп").await;
    desk.taps("anna", "Всё менеджеру").await;
    desk.taps("anna", "Передать").await;
    desk.taps("anna", "Отправить").await;
    desk.transcript("maria");
    desk.taps("maria", "Подобрать").await;
    desk.says("maria", "саморез 4х25 желтый").await;
    desk.taps("maria", "Саморез").await;
    assert_snapshot!(desk.transcript("maria"), @"
    > [Подобрать]
    ✎ № 1001, позиция 1: «жёлтенькие на двадцать пять 2 уп»
      Выберите товар или напишите, что искать.
      • Саморез универсальный 4х25 желтый цинк
      [Саморез …4х25 желтый цинк · 0,85 ₽]
      [☑ Запомнить для ООО «Диван-М»]
      [К заказу]
    > саморез 4х25 желтый
    < № 1001, позиция 1: «жёлтенькие на двадцать пять 2 уп»
      Выберите товар или напишите, что искать.
      • Саморез универсальный 4х25 желтый цинк
      [Саморез …4х25 желтый цинк · 0,85 ₽]
      [☑ Запомнить для ООО «Диван-М»]
      [К заказу]
    × сообщение удалено
    > [Саморез]
    ✎ 🆕 № 1001 · ООО «Диван-М» · дата не важна
      Новая · 14:05
      Анна Иванова, +7 900 000-00-01
      1 позиция, 1 700,00 ₽: ✅ 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 2 уп · 0,85 ₽/шт · ост. 12 000
      [Принять]
      [Отклонить] [Написать]
      [Состав]
    ");
    assert_eq!(desk.number("select product_id from order_lines"), 1);
    assert_eq!(desk.number("select count(*) from learnt_phrases"), 1);
}

#[tokio::test]
async fn the_two_sides_write_to_each_other() {
    let desk = Desk::start().await;
    screws(&desk).await;
    desk.taps("maria", "Принять").await;
    desk.taps("maria", "Написать").await;
    desk.says("maria", "Привезём завтра до обеда, удобно?").await;
    desk.taps("anna", "Ответить").await;
    desk.says("anna", "Да, спасибо").await;
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Заявка № 1001 · Принята
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть] [Отменить]
    < Заявка № 1001 принята. Менеджер Мария.
      [Открыть]
    < Заявка № 1001 · Мария
      Привезём завтра до обеда, удобно?
      [Ответить] [Открыть]
    > [Ответить]
    < Напишите менеджеру о заявке № 1001.
      [Отмена]
    > Да, спасибо
    < Сообщение о заявке № 1001 передано. Отвечаем пн–пт 09:00–18:00.
    × сообщение удалено
    ");
    assert_snapshot!(desk.transcript("maria"), @"
    > [Принять]
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      В работе: Мария, 14:05
      Анна Иванова, +7 900 000-00-01
      1 позиция, 3 400,00 ₽: ✅ 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    > [Написать]
    < Пишите: сообщение получит Анна Иванова (заявка № 1001).
      [Отмена]
    > Привезём завтра до обеда, удобно?
    < Сообщение по заявке № 1001 отправлено.
    × сообщение удалено
    < № 1001 · ООО «Диван-М» · Анна Иванова
      Да, спасибо
      [Ответить] [Заказ]
    ");
}

#[tokio::test]
async fn a_moved_price_is_shown_before_the_order_is_sent() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("anna", "Оформить").await;
    desk.transcript("anna");
    desk.sql("update prices set amount_kopecks = 95 where product_id = 1");
    desk.taps("anna", "Отправить").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > [Отправить]
    ✎ Черновик заявки · ООО «Диван-М»
      1 позиция: ✅ 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,95 ₽
           «саморез 4х25 жёлтый 4000 шт»
      
      Сумма по прайсу: 3 800,00 ₽
      Цены и остатки на 24.11, 14:05
    ✎ Пока вы собирали, изменилось:
      1. Саморез универсальный 4х25 желтый цинк: было 0,85 ₽, стало 0,95 ₽
      [Отправить с новыми] [Назад]
    ");
    assert_eq!(desk.number("select count(*) from orders"), 0);
    desk.taps("anna", "Отправить с новыми").await;
    assert_eq!(desk.number("select total_kopecks from orders"), 380_000);
}

#[tokio::test]
async fn a_foreign_order_and_a_foreign_line_give_nothing_away() {
    let desk = Desk::start().await;
    screws(&desk).await;
    desk.says("anna", "спанбонд 70 белый 2 рул").await;
    for data in [
        "order.show:1",
        "order.cancel_yes:1:1:0",
        "order.repeat:1",
        "line.remove:2:2",
        "staff.accept:1:1",
    ] {
        desk.presses("guest", data).await;
    }
    assert_snapshot!(desk.transcript("guest"), @"
    ☐ Эта заявка вам недоступна.
    ☐ Эта заявка вам недоступна.
    ☐ Эта заявка вам недоступна.
    ☐ Карточка обновилась, проверьте
    < Здравствуйте! Это заказы «Партнёр-М».
      Напишите список как обычно — распознаю по каталогу, уточню непонятное и передам менеджеру.
      
      Чтобы видеть свои цены и отправлять заявки, подтвердите номер телефона.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    ☐ Это могут делать только менеджеры.
    ");
    assert_eq!(desk.number("select count(*) from draft_lines where draft_id = 2"), 1);
    assert_eq!(desk.number("select count(*) from orders where status = 'new'"), 1);
}

#[tokio::test]
async fn an_unknown_and_a_stale_button_show_a_fresh_card() {
    let desk = Desk::start().await;
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    let stale = desk.button("anna", "Очистить");
    desk.says("anna", "спанбонд 70 белый 2 рул").await;
    desk.transcript("anna");
    desk.presses("anna", &stale).await;
    desk.presses("anna", "basket.old:1").await;
    assert_snapshot!(desk.transcript("anna"), @"
    ☐ Карточка обновилась, проверьте
    ✎ Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    ☐ Кнопка устарела, показываю свежую карточку
    < Пришлите список товаров в любом виде или выберите:
      [Черновик заявки] [Заказы]
      [Повторить] [Каталог]
      [Вопросы] [Аккаунт]
      [Помощь]
    ");
}

#[tokio::test]
async fn rubbish_is_answered_in_words() {
    let desk = Desk::start().await;
    for text in ["привет", "???", "asdkjh 12 qwe", "когда будет поролон?", "👍", "/нечто", "0"]
    {
        desk.says("anna", text).await;
    }
    assert_snapshot!(desk.transcript("anna"), @"
    > привет
    < Пришлите список товаров в любом виде или выберите:
      [Новая заявка] [Заказы]
      [Повторить] [Каталог]
      [Вопросы] [Аккаунт]
      [Помощь]
    > ???
    < На это ответит менеджер. Передать вопрос?
      [Спросить менеджера]
      [Не надо]
    > asdkjh 12 qwe
    < Не нашёл этих товаров. Напишите артикул или размер, либо передайте список менеджеру.
      [Менеджеру] [Каталог]
    × сообщение удалено
    > когда будет поролон?
    < На это ответит менеджер. Передать вопрос?
      [Спросить менеджера]
      [Не надо]
    × сообщение удалено
    > 👍
    < Пришлите список товаров в любом виде или выберите:
      [Новая заявка] [Заказы]
      [Повторить] [Каталог]
      [Вопросы] [Аккаунт]
      [Помощь]
    × сообщение удалено
    > /нечто
    < Пришлите список товаров в любом виде или выберите:
      [Новая заявка] [Заказы]
      [Повторить] [Каталог]
      [Вопросы] [Аккаунт]
      [Помощь]
    × сообщение удалено
    > 0
    < Не нашёл этих товаров. Напишите артикул или размер, либо передайте список менеджеру.
      [Менеджеру] [Каталог]
    × сообщение удалено
    ");
}

#[tokio::test]
async fn a_model_proposes_after_the_first_card_and_decides_nothing() {
    let fake = FakeOpenAi::start().await;
    let gate = Arc::new(Notify::new());
    fake.state().answer = r#"[{"line":1,"title":"Спанбонд 70 белый"}]"#.into();
    fake.state().gate = Some(gate.clone());
    let defaults = Config::default();
    let llm = partner_m::config::Llm { openai: fake.settings(), ..defaults.llm.clone() };
    let desk = Desk::with(Config { llm, ..defaults }).await;
    desk.says("anna", "укрывашка садовая 2 рул").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > укрывашка садовая 2 рул
    < Черновик заявки · ООО «Диван-М»
      1 позиция: ❌ 1
      
      ❌ 1. укрывашка садовая 2 рул
           не нашёл в каталоге
      
      Цены и остатки на 24.11, 14:05
    < Нужно уточнить 1 позицию.
      [Уточнить 1 позицию]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    ");
    gate.notify_one();
    desk.models_answer().await;
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Черновик заявки · ООО «Диван-М»
      1 позиция: ❓ 1
      
      ❓ 1. укрывашка садовая 2 рул
           1 вариант, уточним
      
      Цены и остатки на 24.11, 14:05
    ");
    assert_eq!(fake.state().questions.len(), 1);
}

#[tokio::test]
async fn a_viewers_order_goes_to_an_owner_first() {
    let desk = Desk::start().await;
    desk.sql(
        "update members set role = 'viewer' where person_id = 1;
        insert into persons (id, name, phone, phone_verified, created_at_ms)
            values (90, 'Олег Петров', '+79000000090', 1, 0);
        insert into members (organization_id, person_id, role, state, created_at_ms)
            values (1, 90, 'owner', 'active', 0);
        insert into chats (key, person_id) values ('web:oleg', 90);",
    );
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("anna", "Оформить").await;
    desk.transcript("anna");
    desk.taps("anna", "На согласование").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > [На согласование]
    < Заявка № 1001 ждёт согласования владельца.
      [Открыть] [Изменить] [Отменить]
    ");
    assert_eq!(desk.transcript("maria"), "", "staff are told nothing yet");
    desk.taps("oleg", "Отправить").await;
    assert_snapshot!(desk.transcript("oleg"), @"
    < Анна Иванова просит согласовать заявку № 1001: 1 позиция, 3 400,00 ₽. Доставка: дата не важна.
      [Отправить] [Состав] [Вернуть]
    > [Отправить]
    ✎ Заявка № 1001 согласована и отправлена.
    ");
    assert!(desk.transcript("anna").contains("Заявка № 1001 согласована и отправлена."));
    assert!(desk.transcript("maria").contains("🆕 № 1001"));
    // What an owner has sent a viewer does not change, and what is cancelled goes to an owner again.
    desk.taps("anna", "Открыть").await;
    desk.taps("anna", "Изменить").await;
    assert!(desk.transcript("anna").contains("Уже поздно"));
    desk.transcript("maria");
    desk.says("anna", "спанбонд 70 белый 2 рул").await;
    desk.taps("anna", "На согласование").await;
    desk.taps("anna", "Отменить").await;
    desk.taps("anna", "Долго ждать").await;
    desk.taps("anna", "Вернуть").await;
    assert_eq!(desk.rows("select status from orders where number = 1002"), ["approval"]);
    assert_eq!(desk.transcript("maria"), "", "staff have never seen it");
    desk.transcript("anna");
    desk.taps("oleg", "Вернуть").await;
    desk.taps("oleg", "Назад").await;
    desk.taps("oleg", "Вернуть").await;
    desk.transcript("oleg");
    desk.says("oleg", "Нужен чёрный, а не белый").await;
    assert_snapshot!(desk.transcript("oleg"), @"
    > Нужен чёрный, а не белый
    ✎ Заявка № 1002 возвращена, Анна Иванова узнает.
    ");
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Заявка № 1002 · Черновик
      Нужен чёрный, а не белый
      1 позиция, 6 240,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      [Открыть] [Изменить] [Отменить]
    < Заявку № 1002 вернули: «Нужен чёрный, а не белый».
      [Изменить] [Открыть]
    ");
    assert_eq!(desk.rows("select status from orders where number = 1002"), ["draft"]);
    // Put right, it is asked for again, under its number.
    desk.taps("anna", "Изменить").await;
    desk.says("anna", "спанбонд 70 чёрный 2 рул").await;
    desk.taps("anna", "На согласование").await;
    assert_eq!(desk.rows("select status from orders where number = 1002"), ["approval"]);
    assert_eq!(desk.transcript("maria"), "", "staff have never seen it");
    desk.transcript("oleg");
    desk.taps("oleg", "Вернуть").await;
    desk.taps("oleg", "Вернуть без слов").await;
    desk.transcript("anna");
    desk.taps("anna", "Открыть").await;
    desk.taps("anna", "Отменить").await;
    desk.taps("anna", "Передумали").await;
    assert_eq!(desk.rows("select status from orders where number = 1002"), ["cancelled"]);
    assert_eq!(desk.transcript("maria"), "", "staff have never seen it");
}

#[tokio::test]
async fn a_viewers_order_goes_to_a_manager_where_no_owner_can_be_reached() {
    let desk = Desk::start().await;
    desk.sql("update members set role = 'viewer' where person_id = 1");
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "На согласование").await;
    assert!(desk.transcript("maria").contains("На согласовании"));
    desk.taps("maria", "Вернуть клиенту").await;
    assert!(desk.transcript("anna").contains("Заявку № 1001 вернули."));
    assert_eq!(desk.rows("select status from orders"), ["draft"]);
}

#[tokio::test]
async fn a_manager_hears_when_the_order_in_hand_is_cancelled() {
    let desk = Desk::start().await;
    screws(&desk).await;
    desk.taps("maria", "Принять").await;
    // Off shift: new orders go to others, this one is still in hand.
    desk.sql("update persons set on_shift = 0 where id = 2");
    desk.transcript("maria");
    desk.transcript("anna");
    desk.taps("anna", "Отменить").await;
    desk.taps("anna", "Долго ждать").await;
    assert_snapshot!(desk.transcript("maria"), @"
    < № 1001 · ООО «Диван-М» · Анна Иванова
      Заявка отменена клиентом: долго ждать
      [Ответить] [Заказ]
    ");
}

#[tokio::test]
async fn a_long_order_is_read_page_by_page() {
    let desk = Desk::start().await;
    let list: Vec<String> = (1..=34).map(|n| format!("ткань велес {n} м")).collect();
    desk.says("anna", &list.join("\n")).await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.taps("anna", "Открыть").await;
    assert!(desk.transcript("anna").contains("[‹] [1/3 ›]"));
    desk.taps("anna", "1/3 ›").await;
    desk.taps("anna", "2/3 ›").await;
    let shown = desk.transcript("anna");
    assert!(shown.contains("31. «ткань велес 31 м»") && shown.contains("34. «"), "{shown}");
    desk.taps("maria", "Состав").await;
    desk.taps("maria", "‹").await;
    let shown = desk.transcript("maria");
    assert!(shown.contains("👤 15. «") && shown.contains("👤 34. «"), "{shown}");
}

#[tokio::test]
async fn prices_and_stock_are_of_the_last_load_and_old_ones_are_said_to_be() {
    let desk = Desk::start().await;
    desk.wait(Duration::from_hours(2)).await;
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    let shown = desk.transcript("anna");
    assert!(shown.contains("Цены и остатки на 24.11, 14:05"), "{shown}");
    desk.wait(Duration::from_hours(23)).await;
    desk.says("anna", "спанбонд 70 белый 2 рул").await;
    let shown = desk.transcript("anna");
    assert!(shown.contains("Остатки на 24.11 — уточним при приёмке"), "{shown}");
    // A load that changed nothing makes them new again; one that failed does not.
    for (hour, error) in [(24, ""), (25, "файл оборван")] {
        desk.sql(&format!(
            "insert into exchanges (at_ms, duration_ms, way, kind, error)
             values ({}, 1000, 'commerceml', 'catalog', '{error}')",
            START.millis() + hour * 3_600_000
        ));
    }
    desk.says("anna", "спанбонд 70 черный 1 рул").await;
    let shown = desk.transcript("anna");
    assert!(shown.contains("Цены и остатки на 25.11, 14:05"), "{shown}");
}

#[tokio::test]
async fn what_failed_is_tried_again_or_given_to_a_manager() {
    let desk = Desk::start().await;
    desk.sql("alter table draft_lines rename to lost_lines");
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    desk.wait(Duration::from_secs(5)).await;
    assert_snapshot!(desk.transcript("anna"), @"
    > саморез 4х25 жёлтый 4000 шт
    < Не получилось, уже разбираемся. Заявка сохранена. Код 1
      [Повторить] [Менеджеру]
    ");
    desk.taps("anna", "Менеджеру").await;
    assert!(desk.transcript("maria").contains("саморез 4х25 жёлтый 4000 шт"));
    desk.sql("alter table lost_lines rename to draft_lines");
    desk.transcript("anna");
    desk.taps("anna", "Повторить").await;
    desk.wait(Duration::from_secs(5)).await;
    let shown = desk.transcript("anna");
    assert!(shown.contains("Саморез универсальный 4х25 желтый цинк — 4 000 шт"), "{shown}");
    desk.taps("anna", "Повторить").await;
    desk.wait(Duration::from_secs(5)).await;
    assert!(desk.transcript("anna").contains("Уже сделано"));
    // Nobody else's.
    desk.presses("boris", "event.retry:1").await;
    desk.presses("boris", "event.hand:1").await;
    assert!(!desk.transcript("boris").contains("саморез"));
}
