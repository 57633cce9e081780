//! The account in the chat: the balance, what a person is told of, what old labels lead to.

use std::time::Duration;

use insta::assert_snapshot;

use crate::support::desk::Desk;

#[tokio::test]
async fn the_balance_is_what_1c_told_or_an_honest_nothing() {
    let desk = Desk::calm().await;
    desk.says("anna", "Баланс").await;
    desk.sql(
        "insert into balances (organization_id, debt_kopecks, overdue_kopecks, limit_kopecks,
             terms, as_of_ms, updated_at_ms)
         values (1, 12545050, 1250000, 20000000, 'отсрочка 14 дней', 1795510800000, 0)",
    );
    desk.says("anna", "Баланс").await;
    desk.sql("update balances set debt_kopecks = 0, overdue_kopecks = 0, limit_kopecks = null, terms = ''");
    desk.says("anna", "Баланс").await;
    desk.sql("update organizations set verified = 0");
    desk.says("anna", "Баланс").await;
    desk.taps("anna", "Спросить менеджера").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > Баланс
    < Данные о расчётах из 1С пока не приходят.
      [Спросить менеджера] [Назад]
    > Баланс
    < Баланс на 12:00
      Долг: 125 450,50 ₽
      Просрочено: 12 500,00 ₽
      Лимит: 200 000,00 ₽, можно заказать ещё на 74 549,50 ₽
      Условия: отсрочка 14 дней
      [Спросить менеджера] [Назад]
    × сообщение удалено
    > Баланс
    < Баланс на 12:00
      Долга нет
      [Спросить менеджера] [Назад]
    × сообщение удалено
    > Баланс
    < Расчёты покажу, когда менеджер проверит организацию.
      [Спросить менеджера] [Назад]
    × сообщение удалено
    > [Спросить менеджера]
    ✎ Документы и оплата
      Напишите вопрос.
      [Отмена]
    ");
}

#[tokio::test]
async fn what_is_switched_off_is_only_seen_on_the_card() {
    let desk = Desk::calm().await;
    desk.says("anna", "/settings").await;
    desk.taps("anna", "☑ Статусы заявок").await;
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.transcript("anna");
    desk.taps("maria", "Принять").await;
    desk.taps("maria", "Написать").await;
    desk.says("maria", "Привезём в среду").await;
    assert_snapshot!(desk.transcript("anna"), @"
    ✎ Заявка № 1001 · Принята
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть] [Отменить]
    < Заявка № 1001 · Мария
      Привезём в среду
      [Ответить] [Открыть]
    ");
}

#[tokio::test]
async fn quiet_hours_hold_the_news_until_the_morning_and_let_the_urgent_in_without_sound() {
    let desk = Desk::calm().await;
    desk.sql("update chats set key = 'tg:17' where key = 'web:anna'");
    for order in ["саморез 4х25 жёлтый 4000 шт", "спанбонд 70 белый 2 рул"]
    {
        desk.says("tg:17", order).await;
        desk.taps("tg:17", "Оформить").await;
        desk.taps("tg:17", "Отправить").await;
    }
    desk.wait(Duration::from_hours(5)).await;
    desk.transcript("tg:17");
    desk.transcript("maria");
    for number in ["1001", "1002"] {
        desk.says("maria", number).await;
        desk.taps("maria", "Принять").await;
    }
    desk.taps("maria", "Написать").await;
    desk.says("maria", "Завтра с 9 можно забирать?").await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    ✎ Заявка № 1001 · Принята
      1 позиция, 3 400,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть] [Отменить]
    ✎ Заявка № 1002 · Принята
      1 позиция, 6 240,00 ₽
      Доставка: дата не важна, г. Энгельс, ул. Полтавская, 12
      Менеджер: Мария
      [Открыть] [Отменить]
    < Заявка № 1002 · Мария
      Завтра с 9 можно забирать?
      [Ответить] [Открыть]
    ");
    desk.wait(Duration::from_hours(14)).await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    < Пока было тихо
      • Заявка № 1001 принята. Менеджер Мария.
      • Заявка № 1002 принята. Менеджер Мария.
      [Заказы]
    ");
    desk.wait(Duration::from_hours(1)).await;
    assert_eq!(desk.transcript("tg:17"), "");
}

#[tokio::test]
async fn a_person_sets_their_own_quiet_hours_and_asks_to_be_forgotten() {
    let desk = Desk::calm().await;
    desk.boss();
    desk.says("anna", "Аккаунт").await;
    desk.taps("anna", "Уведомления").await;
    desk.taps("anna", "Свои часы").await;
    desk.says("anna", "ночью").await;
    desk.says("anna", "21-8").await;
    desk.taps("anna", "По часам работы").await;
    desk.taps("anna", "Назад").await;
    desk.taps("anna", "Безопасность").await;
    desk.taps("anna", "Удалить мои данные").await;
    let ask = desk.button("anna", "Попросить");
    for _ in 0..5 {
        desk.presses("anna", &ask).await;
    }
    assert_snapshot!(desk.transcript("anna"), @"
    > Аккаунт
    < Анна Иванова
      +7 900 000-00-01 ✓
      ООО «Диван-М» — владелец
      Часы работы: 09:00–18:00
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Изменить]
      [Сотрудники] [Баланс] [Уведомления]
      [Безопасность] [Выйти]
    > [Уведомления]
    ✎ Уведомления
      Выключенное не приходит сообщением, но видно в заказах и вопросах.
      Тихие часы: вне рабочих часов организации. Срочное приходит без звука, остальное — утром одним сообщением.
      [☑ Статусы заявок]
      [☑ Сообщения менеджера]
      [☑ Сотрудники]
      [Без тихих часов] [Свои часы]
      [Назад]
    > [Свои часы]
    ✎ Когда не беспокоить? Например: 21:00–08:00.
      [Отмена]
    > ночью
    < Не понял часы. Пример: 21:00–08:00
      
      Напишите ещё раз.
      [Отмена]
    × сообщение удалено
    > 21-8
    < Уведомления
      Выключенное не приходит сообщением, но видно в заказах и вопросах.
      Тихие часы: с 21:00 до 08:00. Срочное приходит без звука, остальное — утром одним сообщением.
      [☑ Статусы заявок]
      [☑ Сообщения менеджера]
      [☑ Сотрудники]
      [По часам работы] [Без тихих часов] [Свои часы]
      [Назад]
    × сообщение удалено
    > [По часам работы]
    ✎ Уведомления
      Выключенное не приходит сообщением, но видно в заказах и вопросах.
      Тихие часы: вне рабочих часов организации. Срочное приходит без звука, остальное — утром одним сообщением.
      [☑ Статусы заявок]
      [☑ Сообщения менеджера]
      [☑ Сотрудники]
      [Без тихих часов] [Свои часы]
      [Назад]
    > [Назад]
    ✎ Анна Иванова
      +7 900 000-00-01 ✓
      ООО «Диван-М» — владелец
      Часы работы: 09:00–18:00
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Изменить]
      [Сотрудники] [Баланс] [Уведомления]
      [Безопасность] [Выйти]
    > [Безопасность]
    ✎ Безопасность
      Вход выполнен:
      • Анна Иванова, с 14:05 — этот
      [Сменить пароль] [Удалить мои данные]
      [Назад]
    > [Удалить мои данные]
    ✎ Попросить администратора удалить ваши данные? Имя, телефон и переписка будут удалены; заказы останутся у организации, как требует закон.
      [Попросить] [Назад]
    ✎ Запрос передан администратору. С вами свяжутся по телефону.
      [Назад]
    ");
    assert_snapshot!(desk.transcript("boss"), @"< Анна Иванова, +7 900 000-00-01 просит удалить свои данные. Свяжитесь с человеком и закройте доступ в панели, раздел «Клиенты» → «Люди».");
    assert_eq!(desk.number("select count(*) from audit where action = 'person.deletion_asked'"), 1);
}

/// Every label of the former program and what it must lead to, for a guest and for a client.
const OLD_LABELS: &[(&str, &str, &str)] = &[
    ("Отправить заявку", "Пришлите список", "Пришлите список"),
    ("Создать новую заявку", "Пришлите список", "Пришлите список"),
    ("Мои вопросы", "подтвердите номер телефона", "Вопросы · ООО «Диван-М»"),
    ("Баланс", "подтвердите номер телефона", "Данные о расчётах из 1С пока не приходят."),
    ("Пригласить работника", "подтвердите номер телефона", "Кого пригласить?"),
    ("Регистрация", "Нажмите «📱 Подтвердить номер»", "Анна Иванова"),
    ("Вход", "Напишите номер телефона", "Анна Иванова"),
    ("Восстановить данные", "Подтвердить номер", "Подтвердить номер"),
    ("Запросить доступ", "Как вас зовут", "Анна Иванова"),
    ("Добавить в заказ", "Напишите, что добавить", "Напишите, что добавить"),
    ("Сменить организацию", "подтвердите номер телефона", "За какую организацию работаете?"),
    ("Выйти", "подтвердите номер телефона", "Вы вышли."),
];

#[tokio::test]
async fn every_label_of_the_former_program_leads_somewhere_useful() {
    for (label, guest, client) in OLD_LABELS {
        let desk = Desk::calm().await;
        for (persona, expected) in [("guest", guest), ("anna", client)] {
            for dressed in [(*label).to_owned(), format!("  📦 {}", label.to_uppercase())] {
                desk.says(persona, &dressed).await;
                let shown = desk.transcript(persona);
                let known = shown.contains(expected)
                    || (*label == "Выйти" && shown.contains("подтвердите номер телефона"));
                assert!(known, "«{dressed}» of {persona}, not «{expected}»:\n{shown}");
            }
        }
    }
}

#[tokio::test]
async fn a_link_to_what_is_anothers_gives_nothing_away() {
    let desk = Desk::calm().await;
    desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("anna", "Оформить").await;
    desk.taps("anna", "Отправить").await;
    desk.transcript("anna");
    desk.says("anna", "/start o_1").await;
    assert!(desk.transcript("anna").contains("Заявка № 1001"));
    desk.sql(
        "insert into persons (name, phone, phone_verified, created_at_ms)
         values ('Чужой', '+79000000009', 1, 0);
         insert into organizations (kind, name, verified, created_at_ms)
         values ('company', 'ООО «Чужое»', 1, 0);
         insert into members (organization_id, person_id, role, state, created_at_ms)
         select g.id, p.id, 'owner', 'active', 0 from organizations g, persons p
         where g.name = 'ООО «Чужое»' and p.name = 'Чужой'",
    );
    desk.link("stranger", "+79000000009");
    for payload in ["o_1", "o_999"] {
        desk.says("stranger", &format!("/start {payload}")).await;
        let shown = desk.transcript("stranger");
        assert!(shown.contains("Этот заказ вам недоступен."), "{shown}");
        assert!(!shown.contains("1001"), "{shown}");
    }
}
