//! The manager's and the administrator's side of the chat, as conversations.

use std::time::Duration;

use insta::assert_snapshot;
use partner_m::config::Config;
use partner_m::domain::OrderStatus;
use partner_m::services::alerts::Alerts;
use partner_m::services::backup::Backups;

use crate::support::desk::Desk;

/// Анна sends an order of one certain line and one that a manager is to pick; its number is 1001.
async fn sent(desk: &Desk) {
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт, ткань велес серая 10 м").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    for persona in ["anna", "maria", "oleg", "boss"] {
        desk.transcript(persona);
    }
}

#[tokio::test]
async fn a_manager_finds_the_way_from_the_keyboard() {
    let desk = Desk::calm().await;
    desk.says("maria", "/start").await;
    desk.says("maria", "Новые").await;
    desk.says("maria", "Все заказы").await;
    desk.says("maria", "Поиск").await;
    desk.says("maria", "спанбонд").await;
    desk.says("maria", "Ещё").await;
    desk.taps("maria", "На смене ✓").await;
    desk.taps("maria", "Не на смене").await;
    desk.taps("maria", "Уведомления").await;
    desk.taps("maria", "☑ Утренняя сводка").await;
    assert_snapshot!(desk.transcript("maria"), @"
    > /start
    < Здравствуйте, Мария!
      (Новые) (Все заказы) (Вопросы) (Клиенты) (Поиск) (Ещё)
    < Номер заказа откроет заказ, название — найдёт товар.
      [Новые] [Все заказы] [Вопросы]
      [Клиенты] [Ещё] [Помощь]
    > Новые
    < Новых заявок нет.
    > Все заказы
    < Заказов пока нет.
    × сообщение удалено
    > Поиск
    < Напишите номер заказа, название или артикул товара, телефон или ИНН клиента.
    > спанбонд
    < По запросу «спанбонд»:
      00-4001 · Спанбонд 70 г/м2 белый 1,6 м · 3 120,00 ₽ · ост. 25
      00-4002 · Спанбонд 70 г/м2 черный 1,6 м · 3 150,00 ₽ · ост. 3
    > Ещё
    < Сегодня: 0 заказов
      За 7 дней: 0 заказов
      Доставки: сегодня 0, завтра 0
      [На смене ✓] [Уведомления]
      [Аккаунт] [Помощь]
    × сообщение удалено
    > [На смене ✓]
    ☐ Вы не на смене: новые заявки придут коллегам
    ✎ Сегодня: 0 заказов
      За 7 дней: 0 заказов
      Доставки: сегодня 0, завтра 0
      [Не на смене] [Уведомления]
      [Аккаунт] [Помощь]
    > [Не на смене]
    ☐ Вы на смене: новые заявки придут сюда
    ✎ Сегодня: 0 заказов
      За 7 дней: 0 заказов
      Доставки: сегодня 0, завтра 0
      [На смене ✓] [Уведомления]
      [Аккаунт] [Помощь]
    > [Уведомления]
    ✎ Уведомления
      Новые заявки приходят всегда, пока вы на смене. Остальное можно выключить.
      Тихие часы: выключены.
      [☑ Вопросы клиентов]
      [☑ Напоминания]
      [☑ Утренняя сводка]
      [Свои часы]
      [Назад]
    > [☑ Утренняя сводка]
    ✎ Уведомления
      Новые заявки приходят всегда, пока вы на смене. Остальное можно выключить.
      Тихие часы: выключены.
      [☑ Вопросы клиентов]
      [☑ Напоминания]
      [☐ Утренняя сводка]
      [Свои часы]
      [Назад]
    ");
}

#[tokio::test]
async fn of_two_managers_the_first_takes_the_order_and_both_see_who() {
    let desk = Desk::calm().await;
    desk.second_manager();
    sent(&desk).await;
    let accept = desk.button("oleg", "Принять");
    desk.taps("maria", "Принять").await;
    for _ in 0..5 {
        desk.presses("oleg", &accept).await;
    }
    desk.taps("maria", "Передать коллеге").await;
    desk.taps("maria", "Олег").await;
    assert_snapshot!(desk.transcript("maria"), @"
    > [Принять]
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      В работе: Мария, 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. «ткань велес серая 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    > [Передать коллеге]
    ✎ Кому передать заявку № 1001?
      [Администратор]
      [Олег]
      [К заказу]
    > [Олег]
    ☐ Заявка № 1001 передана: Олег
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      В работе: Олег, 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. «ткань велес серая 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    ");
    assert_snapshot!(desk.transcript("oleg"), @"
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      В работе: Мария, 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. «ткань велес серая 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    ☐ Заявка уже в работе: Мария
    ☐ Заявка уже в работе: Мария
    ☐ Заявка уже в работе: Мария
    ☐ Заявка уже в работе: Мария
    ☐ Заявка уже в работе: Мария
    < № 1001 · ООО «Диван-М» · Мария
      В работе: Мария → Олег
      [Ответить] [Заказ]
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      В работе: Олег, 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. «ткань велес серая 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    ");
    let taken = "select count(*) from order_events where text = 'Новая → Принята'";
    assert_eq!(desk.number(taken), 1);
}

#[tokio::test]
async fn an_order_is_rejected_in_words_that_the_manager_has_seen_first() {
    let desk = Desk::calm().await;
    sent(&desk).await;
    desk.taps("maria", "Отклонить").await;
    desk.taps("maria", "Нет товара").await;
    desk.taps("maria", "Назад").await;
    desk.taps("maria", "Своя причина").await;
    desk.says("maria", "Склад закрыт.").await;
    desk.says("maria", "Склад закрыт до понедельника, напишите нам тогда.").await;
    assert_eq!(desk.rows("select status from orders"), ["new"], "it is looked at first");
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
    > [Назад]
    ✎ Почему отклоняем заявку № 1001?
      [Нет товара]
      [Дубль]
      [Задолженность]
      [Не обслуживаем]
      [Своя причина]
      [Назад]
    > [Своя причина]
    ✎ Напишите причину: клиент прочитает её слово в слово.
      [Назад]
    > Склад закрыт.
    < Клиент прочитает:
      Заявка № 1001 отклонена. Склад закрыт.
      [Отправить] [Назад]
    × сообщение удалено
    > Склад закрыт до понедельника, напишите нам тогда.
    < Клиент прочитает:
      Заявка № 1001 отклонена. Склад закрыт до понедельника, напишите нам тогда.
      [Отправить] [Назад]
    × сообщение удалено
    > [Отправить]
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      Отклонена · Мария
      Склад закрыт до понедельника, напишите нам тогда.
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. «ткань велес серая 10 м»
      [Состав]
    ");
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Заявка № 1001 · Отклонена
      Склад закрыт до понедельника, напишите нам тогда.
      2 позиции, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть]
    < Заявка № 1001 отклонена. Склад закрыт до понедельника, напишите нам тогда.
      [Открыть]
    ");
}

#[tokio::test]
async fn the_day_is_moved_and_the_client_is_told() {
    let desk = Desk::calm().await;
    sent(&desk).await;
    desk.taps("maria", "Принять").await;
    desk.transcript("maria");
    desk.transcript("anna");
    desk.taps("maria", "Дата").await;
    desk.taps("maria", "чт 26.11").await;
    desk.taps("maria", "Дата").await;
    desk.says("maria", "в понедельник").await;
    assert_snapshot!(desk.transcript("maria"), @"
    > [Дата]
    ✎ № 1001, доставка: дата не важна. На какой день перенести? Можно написать: «в пятницу».
      [вт 24.11] [ср 25.11] [чт 26.11]
      [пт 27.11] [пн 30.11] [вт 01.12]
      [ср 02.12] [чт 03.12] [пт 04.12]
      [К заказу]
    > [чт 26.11]
    ✎ № 1001 · ООО «Диван-М» · чт 26.11
      В работе: Мария, 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. «ткань велес серая 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    > [Дата]
    ✎ № 1001, доставка: чт 26.11. На какой день перенести? Можно написать: «в пятницу».
      [вт 24.11] [ср 25.11] [чт 26.11]
      [пт 27.11] [пн 30.11] [вт 01.12]
      [ср 02.12] [чт 03.12] [пт 04.12]
      [К заказу]
    > в понедельник
    ✎ № 1001 · ООО «Диван-М» · пн 30.11
      В работе: Мария, 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. «ткань велес серая 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    < № 1001 · ООО «Диван-М» · пн 30.11
      В работе: Мария, 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. «ткань велес серая 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    × сообщение удалено
    ");
    assert_snapshot!(desk.transcript("anna"), @"
    < Заявка № 1001 · Мария
      Изменения в заявке:
      – доставка: чт 26.11 (было: дата не важна)
      [Ответить] [Открыть]
    ✎ Заявка № 1001 · Принята
      2 позиции, 3 400,00 ₽
      Доставка: чт 26.11, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть] [Отменить]
    < Заявка № 1001 · Мария
      Изменения в заявке:
      – доставка: пн 30.11 (было: чт 26.11)
      [Ответить] [Открыть]
    ✎ Заявка № 1001 · Принята
      2 позиции, 3 400,00 ₽
      Доставка: пн 30.11, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть] [Отменить]
    ");
}

#[tokio::test]
async fn a_replacement_is_proposed_and_the_client_answers_once() {
    let desk = Desk::calm().await;
    sent(&desk).await;
    desk.taps("maria", "Принять").await;
    desk.transcript("maria");
    desk.transcript("anna");
    desk.taps("maria", "Предложить замену").await;
    desk.taps("maria", "1. Саморез").await;
    desk.says("maria", "саморез 4х30 жёлтый").await;
    desk.taps("maria", "4х30").await;
    let (agree, decline) = (desk.button("anna", "Согласен"), desk.button("anna", "Не надо"));
    desk.taps("anna", "Обсудить").await;
    desk.says("anna", "А цинк такой же?").await;
    for _ in 0..5 {
        desk.presses("anna", &agree).await;
    }
    desk.presses("anna", &decline).await;
    assert_snapshot!(desk.transcript("maria"), @"
    > [Предложить замену]
    ✎ № 1001: для какой позиции предложить замену?
      [1. Саморез универсальный 4х25 желтый ци…]
      [2. ткань велес серая 10 м]
      [К заказу]
    > [1. Саморез]
    ✎ № 1001, позиция 1: вместо «Саморез универсальный 4х25 желтый цинк»
      Выберите, что предложить, или напишите, что искать. Клиент ответит кнопкой.
      • Саморез универсальный 4х25 белый цинк
      [Саморез …4х25 белый цинк · 0,88 ₽ · нет]
      [К заказу]
    > саморез 4х30 жёлтый
    < № 1001, позиция 1: вместо «Саморез универсальный 4х25 желтый цинк»
      Выберите, что предложить, или напишите, что искать. Клиент ответит кнопкой.
      • Саморез универсальный 4х30 желтый цинк
      [Саморез …4х30 желтый цинк · 0,92 ₽]
      [К заказу]
    × сообщение удалено
    > [4х30]
    ☐ Предложение отправлено клиенту
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      В работе: Мария, 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. «ткань велес серая 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    < № 1001 · ООО «Диван-М» · Анна Иванова
      А цинк такой же?
      [Ответить] [Заказ]
    < № 1001 · ООО «Диван-М» · Анна Иванова
      Позиция 1: замена согласована — Саморез универсальный 4х30 желтый цинк
      [Ответить] [Заказ]
    ✎ № 1001 · ООО «Диван-М» · дата не важна
      В работе: Мария, 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 680,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х30 желтый цинк — 4 000 шт · 0,92 ₽ · ост. 8 000
      👤 2. «ткань велес серая 10 м»
      [Подобрать 1]
      [Собирается] [Готова] [Отгружена]
      [Ждать клиента] [Отменить]
      [Написать] [Дата] [Документ]
      [Предложить замену] [Передать коллеге]
      [Состав]
    ");
    assert_snapshot!(desk.transcript("anna"), @"
    < Заявка № 1001, позиция 1
      Вместо «Саморез универсальный 4х25 желтый цинк» предлагаем «Саморез универсальный 4х30 желтый цинк», 0,92 ₽.
      [Согласен] [Не надо] [Обсудить]
    > [Обсудить]
    < Напишите менеджеру о заявке № 1001.
      [Отмена]
    > А цинк такой же?
    < Сообщение о заявке № 1001 передано. Отвечаем пн–пт 09:00–18:00.
    × сообщение удалено
    ✎ Заявка № 1001, позиция 1
      Замена согласована: «Саморез универсальный 4х30 желтый цинк».
    ");
    assert_eq!(desk.number("select product_id from order_lines where position = 1"), 2);
    assert_eq!(desk.number("select total_kopecks from orders"), 4_000 * 92);
}

#[tokio::test]
async fn words_are_not_remembered_where_the_manager_does_not_want_it() {
    let desk = Desk::calm().await;
    sent(&desk).await;
    desk.taps("maria", "Подобрать").await;
    desk.says("maria", "спанбонд белый").await;
    desk.taps("maria", "☑ Запомнить").await;
    desk.says("maria", "спанбонд белый").await;
    desk.taps("maria", "Спанбонд 70 г/м2 белый").await;
    assert_snapshot!(desk.transcript("maria"), @"
    > [Подобрать]
    ✎ № 1001, позиция 2: «ткань велес серая 10 м»
      Напишите, что искать в каталоге.
      [☑ Запомнить для ООО «Диван-М»]
      [К заказу]
    > спанбонд белый
    < № 1001, позиция 2: «ткань велес серая 10 м»
      Выберите товар или напишите, что искать.
      [Спанбонд 70 г/м2 белый 1,6 м · 3 120 ₽]
      [☑ Запомнить для ООО «Диван-М»]
      [К заказу]
    × сообщение удалено
    > [☑ Запомнить]
    ✎ № 1001, позиция 2: «ткань велес серая 10 м»
      Выберите товар или напишите, что искать.
      [Спанбонд 70 г/м2 белый 1,6 м · 3 120 ₽]
      [☐ Запомнить для ООО «Диван-М»]
      [К заказу]
    > спанбонд белый
    < № 1001, позиция 2: «ткань велес серая 10 м»
      Выберите товар или напишите, что искать.
      [Спанбонд 70 г/м2 белый 1,6 м · 3 120 ₽]
      [☐ Запомнить для ООО «Диван-М»]
      [К заказу]
    × сообщение удалено
    > [Спанбонд 70 г/м2 белый]
    ✎ 🆕 № 1001 · ООО «Диван-М» · дата не важна
      Новая · 14:05
      Анна Иванова, +7 900 000-00-01
      2 позиции, 3 400,00 ₽: ✅ 1 · 👤 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      👤 2. Спанбонд 70 г/м2 белый 1,6 м — 10 м · 3 120,00 ₽/рул · в чём считать? · ост. 25
      [Подобрать 1] [Принять без неё]
      [Отклонить] [Написать]
      [Состав]
    ✎ № 1001, позиция 2: Спанбонд 70 г/м2 белый 1,6 м
      «ткань велес серая 10 м»
      В «м» этот товар не считают. Напишите число с единицей: рул.
      [К заказу]
    ");
    assert_eq!(desk.number("select count(*) from learnt_phrases"), 0);
}

#[tokio::test]
async fn clients_are_found_by_name_number_and_phone() {
    let desk = Desk::calm().await;
    sent(&desk).await;
    desk.sql(
        "update organizations set inn = '7707083893', verified = 0 where name like '%Диван%';
         insert into balances (organization_id, debt_kopecks, overdue_kopecks, updated_at_ms)
         select id, 1250000, 50000, 0 from organizations where name like '%Диван%';
         insert into chats (key, person_id, blocked_at_ms)
         select 'tg:7', id, 1 from persons where phone = '+79000000001'",
    );
    desk.says("maria", "Клиенты").await;
    desk.says("maria", "8 900 000-00-01").await;
    desk.taps("maria", "Проверена").await;
    desk.taps("maria", "Заказы").await;
    desk.says("maria", "7707083893").await;
    desk.says("maria", "/clients такого нет").await;
    assert_snapshot!(desk.transcript("maria"), @"
    > Клиенты
    < Напишите название, имя, телефон или ИНН. Последние клиенты:
      [ООО «Диван-М» · ИНН 7707083893]
    > 8 900 000-00-01
    < ООО «Диван-М» · новый клиент, цен не видит
      ИНН 7707083893
      • Анна Иванова, владелец, +7 900 000-00-01, бот заблокирован
      За 90 дней: 1 заказ, 3 400,00 ₽. Последний 24.11.
      Долг: 12 500,00 ₽, просрочено 500,00 ₽
      [Заявка за клиента] [Заказы]
      [Проверена]
      [К клиентам]
    × сообщение удалено
    > [Проверена]
    ☐ Организация проверена: клиент видит свои цены
    ✎ ООО «Диван-М»
      ИНН 7707083893
      • Анна Иванова, владелец, +7 900 000-00-01, бот заблокирован
      За 90 дней: 1 заказ, 3 400,00 ₽. Последний 24.11.
      Долг: 12 500,00 ₽, просрочено 500,00 ₽
      [Заявка за клиента] [Заказы]
      [К клиентам]
    > [Заказы]
    ✎ Заказы · ООО «Диван-М»
      [№ 1001 · Новая · 24.11]
      [К клиенту]
    > 7707083893
    < ООО «Диван-М»
      ИНН 7707083893
      • Анна Иванова, владелец, +7 900 000-00-01, бот заблокирован
      За 90 дней: 1 заказ, 3 400,00 ₽. Последний 24.11.
      Долг: 12 500,00 ₽, просрочено 500,00 ₽
      [Заявка за клиента] [Заказы]
      [К клиентам]
    × сообщение удалено
    > /clients такого нет
    < «такого нет»: такого клиента не нашёл. Напишите иначе.
    × сообщение удалено
    ");
    assert_eq!(desk.number("select verified from organizations where inn = '7707083893'"), 1);
}

#[tokio::test]
async fn a_manager_orders_for_a_client_with_the_clients_words_and_the_client_is_told() {
    let desk = Desk::calm().await;
    desk.sql(
        "insert into learnt_phrases (organization_id, phrase, product_id, learnt_at_ms)
         select id, 'спан', 9, 0 from organizations where name like '%Диван%'",
    );
    desk.says("maria", "/as диван").await;
    desk.says("maria", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("maria", "Оформить").await;
    desk.taps("maria", "Отправить").await;
    assert_snapshot!(desk.transcript("maria"), @"
    > /as диван
    < Заявка за ООО «Диван-М»
      Вставьте список клиента: распознаю с его названиями и ценами.
      [Сброс]
    > саморез 4х25 жёлтый 4000 шт
    < Заявка за ООО «Диван-М»
      Черновик заявки · ООО «Диван-М»
      1 позиция: ✅ 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽
           «саморез 4х25 жёлтый 4000 шт»
      
      Сумма по прайсу: 3 400,00 ₽
      Цены и остатки на 24.11, 14:05
    < Заявка за ООО «Диван-М»
      Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
      [Сброс]
    > [Оформить]
    ✎ Заявка за ООО «Диван-М»
      Оформление: 1 позиция, 3 400,00 ₽
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      Комментарий: —
      [Отправить]
      [Дата] [Адрес] [Комментарий]
      [Назад]
      [Сброс]
    > [Отправить]
    < 🆕 № 1001 · ООО «Диван-М» · дата не важна
      Новая · 14:05
      Анна Иванова, +7 900 000-00-01
      1 позиция, 3 400,00 ₽: ✅ 1
      Адрес: г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽ · ост. 12 000
      [Принять]
      [Отклонить] [Написать]
      [Состав]
    < Заявка № 1001 за ООО «Диван-М» отправлена. Клиент получит сообщение.
      [Открыть] [Ещё одну]
    × сообщение удалено
    ");
    assert_snapshot!(desk.transcript("anna"), @"
    < Для вас оформлена заявка № 1001: 1 позиция, 3 400,00 ₽.
      [Открыть]
    ");
    let author = "select count(*) from orders o join persons a on a.id = o.author_id
        join persons p on p.id = o.placed_by where a.name = 'Анна Иванова' and p.name = 'Мария'";
    assert_eq!(desk.number(author), 1);
    // The manager is themself again: words are looked up, not ordered.
    desk.says("maria", "спанбонд").await;
    assert_eq!(desk.number("select count(*) from drafts where state = 'open'"), 0);
}

#[tokio::test]
async fn an_administrator_looks_through_a_clients_eyes_and_sends_nothing() {
    let desk = Desk::calm().await;
    desk.boss();
    sent(&desk).await;
    desk.says("boss", "/org диван").await;
    desk.says("boss", "Заказы").await;
    desk.taps("boss", "№ 1001").await;
    let cancel = desk.button("boss", "Отменить");
    desk.presses("boss", &cancel).await;
    desk.says("boss", "спанбонд 70 белый 2 рул").await;
    desk.taps("boss", "Оформить").await;
    desk.taps("boss", "Отправить").await;
    desk.taps("boss", "Сброс").await;
    assert_snapshot!(desk.transcript("boss"), @"
    > /org диван
    < Смотрю как ООО «Диван-М»
      Пришлите список товаров в любом виде или выберите:
      [Новая заявка] [Заказы · 1 в работе]
      [Повторить] [Каталог]
      [Вопросы] [Аккаунт]
      [Помощь]
      [Сброс]
    > Заказы
    < Смотрю как ООО «Диван-М»
      Заказы. Сверху — в работе.
      [№ 1001 · Отправлена · 24.11]
      [Сброс]
    > [№ 1001]
    < Смотрю как ООО «Диван-М»
      Заявка № 1001 · Отправлена
      2 позиции, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽
      👤 2. «ткань велес серая 10 м»
      [Вопрос] [Повторить] [Изменить]
      [Отменить]
      [К заказам]
      [Сброс]
    × сообщение удалено
    ☐ Смотрю глазами клиента: от его имени ничего не отправляю.
    > спанбонд 70 белый 2 рул
    < Смотрю как ООО «Диван-М»
      Черновик заявки · ООО «Диван-М»
      1 позиция: ✅ 1
      
      ✅ 1. Спанбонд 70 г/м2 белый 1,6 м — 2 рул · 3 120,00 ₽
           «спанбонд 70 белый 2 рул»
      
      Сумма по прайсу: 6 240,00 ₽
      Цены и остатки на 24.11, 14:05
    < Смотрю как ООО «Диван-М»
      Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
      [Сброс]
    > [Оформить]
    ✎ Смотрю как ООО «Диван-М»
      Оформление: 1 позиция, 6 240,00 ₽
      Доставка: дата не важна
      Адрес: г. Энгельс, ул. Полтавская, 12
      Комментарий: —
      [Отправить]
      [Дата] [Адрес] [Комментарий]
      [Назад]
      [Сброс]
    > [Отправить]
    ☐ Смотрю глазами клиента: от его имени ничего не отправляю.
    > [Сброс]
    ☐ Вы снова работаете от себя
    < Номер заказа откроет заказ, название — найдёт товар.
      [Новые · 1] [Все заказы] [Вопросы]
      [Клиенты] [Ещё] [Помощь]
    × сообщение удалено
    ");
    assert_eq!(desk.number("select count(*) from orders"), 1);
    desk.says("maria", "/org диван").await;
    assert!(!desk.transcript("maria").contains("Смотрю как"), "only administrators look so");
}

#[tokio::test]
async fn an_administrator_sees_the_state_and_starts_the_work() {
    let desk = Desk::calm().await;
    desk.boss();
    sent(&desk).await;
    desk.says("boss", "/llm_test").await;
    desk.models_answer().await;
    desk.says("boss", "/sync").await;
    desk.models_answer().await;
    desk.says("boss", "/backup").await;
    desk.models_answer().await;
    let told = desk.transcript("boss");
    let told = told.split(" сделана и проверена").collect::<Vec<_>>();
    assert_eq!(told.len(), 2, "{told:?}");
    desk.says("boss", "/admin").await;
    let shown = desk.transcript("boss");
    for part in [
        "Заказы: новых 1, в работе 0",
        "Бот: выключен: нет токена",
        "Модель: выключена",
        "Копия: 14:0",
        "[Обмен] [Копия] [Модель]",
    ] {
        assert!(shown.contains(part), "no «{part}» in {shown}");
    }
    desk.says("maria", "/admin").await;
    assert!(!desk.transcript("maria").contains("Версия"), "a manager is no administrator");
}

#[tokio::test]
async fn the_shift_is_reminded_after_fifteen_working_minutes_and_administrators_after_an_hour() {
    let desk = Desk::calm().await;
    desk.boss();
    desk.accounts.set_on_shift(partner_m::domain::PersonId(3), false).await.unwrap();
    sent(&desk).await;
    desk.wait(Duration::from_mins(14)).await;
    desk.tick().await;
    assert_eq!(desk.transcript("maria"), "");
    desk.wait(Duration::from_mins(1)).await;
    for _ in 0..3 {
        desk.tick().await;
    }
    assert_snapshot!(desk.transcript("maria"), @"
    < Заявка № 1001 · ООО «Диван-М» ждёт уже 15 мин. Её никто не взял.
      [Принять] [Открыть]
    ");
    assert_eq!(desk.transcript("boss"), "");
    desk.wait(Duration::from_mins(45)).await;
    desk.tick().await;
    assert_snapshot!(desk.transcript("boss"), @"
    < Заявка № 1001 · ООО «Диван-М» ждёт уже 1 ч. Её никто не взял.
      [Принять] [Открыть]
    ");
    assert_eq!(desk.transcript("maria"), "");
}

#[tokio::test]
async fn a_question_that_waits_is_reminded_of_once_and_not_after_the_answer() {
    let desk = Desk::calm().await;
    desk.boss();
    desk.says("anna", "Вопросы").await;
    desk.taps("anna", "Задать вопрос").await;
    desk.taps("anna", "Доставка").await;
    desk.says("anna", "Привезёте в субботу?").await;
    desk.transcript("maria");
    desk.wait(Duration::from_mins(30)).await;
    desk.tick().await;
    desk.tick().await;
    assert_snapshot!(desk.transcript("maria"), @"
    < Вопрос «Привезёте в субботу?» · ООО «Диван-М» ждёт ответа уже 30 мин.
      [Ответить] [Открыть]
    ");
    desk.taps("maria", "Ответить").await;
    desk.says("maria", "Да, до 14:00").await;
    desk.transcript("maria");
    desk.transcript("boss");
    desk.wait(Duration::from_hours(2)).await;
    desk.tick().await;
    assert_eq!(desk.transcript("boss"), "");
}

#[tokio::test]
async fn nights_do_not_count_and_the_morning_begins_with_a_summary() {
    let desk = Desk::calm().await;
    desk.wait(Duration::from_mins(230)).await;
    sent(&desk).await;
    desk.says("anna", "Вопросы").await;
    desk.taps("anna", "Задать вопрос").await;
    desk.taps("anna", "Цена").await;
    desk.says("anna", "Сколько стоит пенопласт?").await;
    desk.transcript("maria");
    desk.wait(Duration::from_hours(14)).await;
    desk.tick().await;
    assert_eq!(desk.transcript("maria"), "", "it is before nine");
    desk.wait(Duration::from_mins(70)).await;
    desk.tick().await;
    desk.tick().await;
    assert_snapshot!(desk.transcript("maria"), @"
    < Доброе утро, ср 25.11
      Новые заявки: 1
      Вопросы без ответа: 1
      Доставок сегодня нет
      Вчера: 1 заказ, 3 400,00 ₽
      [Новые] [Вопросы]
    ");
}

#[tokio::test]
async fn an_order_shipped_two_weeks_ago_is_done_by_itself() {
    let desk = Desk::calm().await;
    sent(&desk).await;
    desk.taps("maria", "Принять").await;
    desk.taps("maria", "Отгружена").await;
    desk.wait(Duration::from_hours(24 * 13)).await;
    desk.tick().await;
    assert_eq!(desk.number("select count(*) from orders where status = 'shipped'"), 1);
    desk.transcript("anna");
    desk.wait(Duration::from_hours(25)).await;
    desk.tick().await;
    assert_eq!(desk.number("select count(*) from orders where status = 'done'"), 1);
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Заявка № 1001 · Выполнена
      2 позиции, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть]
    ");
}

#[tokio::test]
async fn a_full_disk_is_told_to_administrators_once_an_hour_and_its_end_once() {
    let desk = Desk::calm().await;
    desk.boss();
    let alerts = |space| {
        let backups = Backups::new(desk.base.clone());
        Alerts::new(desk.base.clone(), backups, None, space)
    };
    let (full, roomy) = (alerts(|_| Ok((5, 100))), alerts(|_| Ok((50, 100))));
    roomy.tick().await.unwrap();
    for _ in 0..3 {
        full.tick().await.unwrap();
        desk.wait(Duration::from_mins(20)).await;
    }
    assert_snapshot!(desk.transcript("boss"), @"< На диске свободно 5 %. Освободите место.");
    full.tick().await.unwrap();
    roomy.tick().await.unwrap();
    roomy.tick().await.unwrap();
    desk.wait(Duration::from_secs(5)).await;
    assert_snapshot!(desk.transcript("boss"), @"
    < На диске свободно 5 %. Освободите место.
    < Место на диске: восстановлено.
    ");
    assert_eq!(desk.transcript("maria"), "", "a manager cannot help it");
}

#[tokio::test]
async fn changes_within_a_minute_are_one_message() {
    let desk = Desk::calm().await;
    sent(&desk).await;
    desk.taps("maria", "Принять").await;
    desk.taps("maria", "Готова").await;
    desk.taps("maria", "Отгружена").await;
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Заявка № 1001 · Принята
      2 позиции, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть] [Отменить]
    < Заявка № 1001 принята. Менеджер Мария. 1 позицию ещё подбираем.
      [Открыть]
    ✎ Заявка № 1001 · Готова
      2 позиции, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть]
    ✎ Заявка № 1001 · Отгружена
      2 позиции, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть]
    ");
    desk.wait(Duration::from_mins(1)).await;
    assert_snapshot!(desk.transcript("anna"), @"
    < Заявка № 1001 отгружена.
      [Открыть]
    ");
}

#[tokio::test]
async fn the_way_into_the_panel_signs_in_only_where_nobody_reads_along() {
    let mut config = Config::default();
    config.server.public_url = Some("https://zakaz.example".to_owned());
    config.telegram.managers_chat = Some(-100);
    let desk = Desk::with(config).await;
    sent(&desk).await;
    desk.wait(Duration::from_secs(30)).await;
    desk.taps("maria", "Открыть в панели").await;
    let shown = desk.transcript("maria");
    assert!(shown.contains("Ссылка в панель работает минуту и один раз.\n  [Открыть № 1001]"));
    assert_eq!(desk.number("select count(*) from one_time_links where kind = 'panel'"), 1);
    // In the managers' chat it is an address that asks for a password.
    assert!(desk.screen("tg:-100").contains("[Открыть в панели]"));
    desk.presses("tg:-100", "staff.panel:1").await;
    assert_eq!(desk.number("select count(*) from one_time_links"), 1);
}

#[tokio::test]
async fn a_client_who_blocked_the_bot_is_marked_on_the_card() {
    let desk = Desk::calm().await;
    sent(&desk).await;
    desk.sql("update chats set blocked_at_ms = 1 where key = 'web:anna'");
    desk.taps("maria", "Принять").await;
    let shown = desk.transcript("maria");
    let mark = "+7 900 000-00-01 · бот заблокирован, сообщения не дойдут";
    assert!(shown.contains(mark), "{shown}");
    // Who writes again is there again.
    desk.says("anna", "Заказы").await;
    desk.taps("maria", "Собирается").await;
    assert!(!desk.transcript("maria").contains("бот заблокирован"));
}

#[tokio::test]
async fn a_role_that_was_given_brings_its_keyboard() {
    let desk = Desk::calm().await;
    let by = partner_m::services::accounts::Actor::cli();
    let anna = partner_m::domain::PersonId(1);
    desk.accounts.set_role(&by, anna, partner_m::domain::Role::Manager).await.unwrap();
    desk.wait(Duration::from_secs(5)).await;
    desk.accounts.set_role(&by, anna, partner_m::domain::Role::Client).await.unwrap();
    desk.wait(Duration::from_secs(5)).await;
    assert_snapshot!(desk.transcript("anna"), @"
    < Ваша роль теперь — менеджер.
      (Новые) (Все заказы) (Вопросы) (Клиенты) (Поиск) (Ещё)
    < Роль сотрудника снята. Заявки можно отправлять как клиент.
      (Новая заявка) (Заказы) (Повторить) (Каталог) (Вопросы) (Аккаунт)
    ");
}

#[tokio::test]
async fn only_the_next_statuses_are_offered() {
    let desk = Desk::calm().await;
    sent(&desk).await;
    let order = partner_m::domain::OrderId(1);
    for next in [OrderStatus::Accepted, OrderStatus::Picking, OrderStatus::Ready] {
        let actor = partner_m::services::ordering::Actor {
            person: Some(partner_m::domain::PersonId(2)),
            channel: partner_m::domain::Channel::Panel,
        };
        desk.ordering.set_status(actor, order, None, next, "").await.unwrap();
    }
    desk.run().await;
    let screen = desk.screen("maria");
    assert!(screen.contains("[Отгружена] [Выполнена] [Отменить]"), "{screen}");
    desk.presses("maria", "staff.status:1:4:picking").await;
    let refused = desk.transcript("maria");
    assert!(refused.contains("☐"), "{refused}");
    assert_eq!(desk.number("select count(*) from orders where status = 'ready'"), 1);
}

#[tokio::test]
async fn in_the_managers_chat_only_the_one_who_was_asked_answers() {
    let mut config = Config::default();
    config.telegram.managers_chat = Some(-100);
    let desk = Desk::with(config).await;
    desk.second_manager();
    sent(&desk).await;
    desk.wait(Duration::from_secs(30)).await;
    let maria = crate::support::desk::web("maria");
    let oleg = crate::support::desk::web("oleg");
    desk.presses_in("tg:-100", &maria, "staff.write:1").await;
    desk.transcript("anna");
    desk.wait(Duration::from_secs(1)).await;
    desk.says_in("tg:-100", &oleg, "Коллеги, кто сегодня на складе?").await;
    desk.wait(Duration::from_secs(30)).await;
    assert_eq!(desk.transcript("anna"), "", "what managers say to each other stays with them");
    desk.says_in("tg:-100", &maria, "Привезём завтра").await;
    desk.wait(Duration::from_secs(30)).await;
    assert!(desk.transcript("anna").contains("Привезём завтра"));
}

#[tokio::test]
async fn what_was_changed_comes_with_the_news_that_the_order_is_accepted() {
    let desk = Desk::start().await;
    sent(&desk).await;
    desk.taps("maria", "Подобрать").await;
    desk.says("maria", "спанбонд белый").await;
    desk.taps("maria", "Спанбонд 70 г/м2 белый").await;
    desk.says("maria", "2 рул").await;
    desk.transcript("anna");
    desk.taps("maria", "Принять").await;
    let told = desk.transcript("anna");
    let news: Vec<&str> = told.lines().filter(|line| line.starts_with('<')).collect();
    assert_eq!(news, ["< Заявка № 1001 принята. Менеджер Мария."], "{told}");
    assert!(told.contains("Изменения в заявке:\n  – "), "{told}");
}
