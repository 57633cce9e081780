//! From /start to an account, as a person sees it.

use std::time::Duration;

use insta::assert_snapshot;
use partner_m::chat::{Event, EventKind};

use crate::support::desk;

/// A desk whose people take their time: a chat gets at most a message a second.
struct Desk(desk::Desk);

impl std::ops::Deref for Desk {
    type Target = desk::Desk;

    fn deref(&self) -> &desk::Desk {
        &self.0
    }
}

impl Desk {
    async fn start() -> Self {
        Self(desk::Desk::start().await)
    }

    async fn says(&self, persona: &str, text: &str) {
        self.0.says(persona, text).await;
        self.wait(Duration::from_secs(5)).await;
    }

    async fn taps(&self, persona: &str, label: &str) {
        self.0.taps(persona, label).await;
        self.wait(Duration::from_secs(5)).await;
    }

    async fn presses(&self, persona: &str, data: &str) {
        self.0.presses(persona, data).await;
        self.wait(Duration::from_secs(5)).await;
    }

    async fn shares(&self, persona: &str, phone: &str) {
        self.0.shares(persona, phone, true).await;
        self.wait(Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn a_stranger_registers_in_six_steps() {
    let desk = Desk::start().await;
    desk.says("tg:17", "/start").await;
    desk.shares("tg:17", "79211234567").await;
    desk.says("tg:17", "Петров Олег Ильич").await;
    desk.says("tg:17", "ООО «Кресло»").await;
    desk.taps("tg:17", "Пропустить").await;
    desk.taps("tg:17", "09:00–18:00").await;
    desk.says("tg:17", "не почта").await;
    desk.says("tg:17", "oleg@kreslo.ru").await;
    desk.says("tg:17", "12345678").await;
    desk.says("tg:17", "кресло на колёсах").await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    > /start
    < Здравствуйте! Это заказы «Партнёр-М».
      Напишите список как обычно — распознаю по каталогу, уточню непонятное и передам менеджеру.
      
      Чтобы видеть свои цены и отправлять заявки, подтвердите номер телефона.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    > 📱 79211234567
    < Шаг 1 из 6
      Фамилия, имя и отчество
      [Отмена]
    > Петров Олег Ильич
    < Шаг 2 из 6
      Организация: название или ИНН
      [Я частное лицо]
      [Назад] [Отмена]
    × сообщение удалено
    > ООО «Кресло»
    < Шаг 3 из 6
      Адрес доставки
      [Назад] [Пропустить] [Отмена]
    × сообщение удалено
    > [Пропустить]
    ✎ Шаг 4 из 6
      Часы работы
      [09:00–18:00] [Круглосуточно]
      [Другое]
      [Назад] [Пропустить] [Отмена]
    > [09:00–18:00]
    ✎ Шаг 5 из 6
      Эл. почта для документов
      [Назад] [Пропустить] [Отмена]
    > не почта
    < Не похоже на адрес почты. Пример: zakaz@divan.ru
      
      Шаг 5 из 6
      Эл. почта для документов
      [Назад] [Пропустить] [Отмена]
    × сообщение удалено
    > oleg@kreslo.ru
    < Шаг 6 из 6
      Придумайте пароль: от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.
      [Назад] [Отмена]
    × сообщение удалено
    > 12345678
    × сообщение удалено
    < Такой пароль легко угадать. Придумайте другой.
      
      Шаг 6 из 6
      Придумайте пароль: от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.
      [Назад] [Отмена]
    × сообщение удалено
    > кресло на колёсах
    × сообщение удалено
    < Готово, Олег. Пришлите первый список или откройте каталог.
      (Новая заявка) (Заказы) (Повторить) (Каталог) (Вопросы) (Аккаунт)
    ");
    let who = desk.accounts.who(&"tg:17".parse().unwrap()).await.unwrap();
    assert!(who.may_send() && !who.sees_prices());
    assert!(desk.message_count("tg:17") <= 3, "{}", desk.screen("tg:17"));
    let kept = desk.number(
        "select count(*) from inbox
         where payload like '%кресло на колёсах%' or payload like '%12345678%'",
    );
    assert_eq!(kept, 0, "no password stays in the inbox");
    let kept = desk.number("select count(*) from dialogues where state like '%колёсах%'");
    assert_eq!(kept, 0, "nor in the dialogue");
}

#[tokio::test]
async fn a_foreign_contact_and_a_typed_number_are_refused() {
    let desk = Desk::start().await;
    desk.0.shares("tg:17", "+79000000001", false).await;
    desk.says("tg:17", "+7 900 000-00-01").await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    > 📱 +79000000001
    < Это чужой контакт. Нажмите «📱 Подтвердить номер» — Telegram пришлёт ваш.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    > +7 900 000-00-01
    < Номер нужно подтвердить кнопкой, вручную не подойдёт.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    ");
    assert!(desk.accounts.who(&"tg:17".parse().unwrap()).await.unwrap().is_guest());
}

#[tokio::test]
async fn a_guests_list_waits_for_the_account_and_goes_on() {
    let desk = Desk::start().await;
    desk.says("tg:17", "саморез 4х25 жёлтый 4 тыс").await;
    desk.transcript("tg:17");
    desk.shares("tg:17", "79211234567").await;
    desk.says("tg:17", "Олег Петров").await;
    desk.taps("tg:17", "Я частное лицо").await;
    for _ in 0..3 {
        desk.taps("tg:17", "Пропустить").await;
    }
    desk.transcript("tg:17");
    desk.says("tg:17", "кресло на колёсах").await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    > кресло на колёсах
    × сообщение удалено
    < Готово, Олег. Вот ваш список.
      (Новая заявка) (Заказы) (Повторить) (Каталог) (Вопросы) (Аккаунт)
    < Черновик заявки · Частное лицо
      1 позиция: ✅ 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт
           «саморез 4х25 жёлтый 4 тыс»
      
      Сумма: цену подтвердит менеджер
      Остатки на 24.11, 14:05
    × сообщение удалено
    < Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: —
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    × сообщение удалено
    ");
}

#[tokio::test]
async fn one_steps_back_skips_and_leaves_the_form() {
    let desk = Desk::start().await;
    desk.shares("tg:17", "79211234567").await;
    desk.says("tg:17", "Олег Петров").await;
    desk.says("tg:17", "диван-м").await;
    desk.transcript("tg:17");
    desk.taps("tg:17", "Нет, другая").await;
    desk.taps("tg:17", "Назад").await;
    desk.says("tg:17", "644901").await;
    desk.taps("tg:17", "Назад").await;
    desk.taps("tg:17", "Отмена").await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    > [Нет, другая]
    ✎ Шаг 3 из 6
      Адрес доставки
      [Назад] [Пропустить] [Отмена]
    > [Назад]
    ✎ Шаг 2 из 6
      Организация: название или ИНН
      [Я частное лицо]
      [Назад] [Отмена]
    > 644901
    < В ИНН 10 или 12 цифр.
      
      Шаг 2 из 6
      Организация: название или ИНН
      [Я частное лицо]
      [Назад] [Отмена]
    × сообщение удалено
    > [Назад]
    ✎ Шаг 1 из 6
      Фамилия, имя и отчество
      [Отмена]
    > [Отмена]
    ☐ Ничего не меняю.
    ");
    assert!(desk.accounts.who(&"tg:17".parse().unwrap()).await.unwrap().is_guest());
}

#[tokio::test]
async fn who_says_to_be_of_a_known_organization_is_let_in_by_its_owner() {
    let desk = Desk::start().await;
    desk.shares("tg:17", "79211234567").await;
    desk.says("tg:17", "Петров Олег").await;
    desk.says("tg:17", "диван-м").await;
    desk.taps("tg:17", "Да").await;
    desk.taps("tg:17", "Пропустить").await;
    desk.transcript("tg:17");
    desk.says("tg:17", "кресло на колёсах").await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    > кресло на колёсах
    × сообщение удалено
    < Готово, Олег. Вас подтвердит ООО «Диван-М» — я сообщу. Список можно прислать уже сейчас.
      (Новая заявка) (Заказы) (Повторить) (Каталог) (Вопросы) (Аккаунт)
    ");
    desk.taps("anna", "Подтвердить").await;
    assert_snapshot!(desk.transcript("anna"), @"
    < Просит доступ
      Петров Олег, +7 921 123-45-67
      ООО «Диван-М»
      [Подтвердить] [Отклонить]
    > [Подтвердить]
    ☐ Доступ открыт
    ✎ Просит доступ
      Петров Олег, +7 921 123-45-67
      ООО «Диван-М»
      
      Доступ открыт.
    ");
    assert_snapshot!(desk.transcript("tg:17"), @"< ООО «Диван-М»: доступ подтверждён, роль — снабженец. Можно отправлять заявки.");
    desk.presses("anna", &desk_admit(&desk)).await;
    assert_snapshot!(desk.transcript("anna"), @"☐ Это вам недоступно или уже решено.");
}

fn desk_admit(desk: &Desk) -> String {
    let person = desk.number("select max(id) from persons");
    format!("member.admit:1:{person}")
}

#[tokio::test]
async fn a_person_known_from_1c_only_says_yes_and_sets_a_password() {
    let desk = Desk::start().await;
    desk.sql(
        "insert into persons (id, name, phone, created_at_ms)
         values (50, 'Сидорова Вера Павловна', '+79211234567', 0);
         insert into members (organization_id, person_id, role, state, created_at_ms)
         values (1, 50, 'buyer', 'active', 0);",
    );
    desk.shares("tg:17", "+7 921 123-45-67").await;
    desk.taps("tg:17", "Да").await;
    desk.says("tg:17", "длинный пароль").await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    > 📱 +7 921 123-45-67
    < Нашёл вас: Сидорова Вера Павловна, ООО «Диван-М». Всё верно?
      [Да] [Нет, это не я]
    > [Да]
    ✎ Придумайте пароль: от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.
      [Отмена]
    > длинный пароль
    × сообщение удалено
    < Готово, Вера. Пришлите первый список или откройте каталог.
      (Новая заявка) (Заказы) (Повторить) (Каталог) (Вопросы) (Аккаунт)
    ");
    let who = desk.accounts.who(&"tg:17".parse().unwrap()).await.unwrap();
    assert!(who.sees_prices());
}

#[tokio::test]
async fn a_second_telegram_signs_in_by_password_and_the_first_learns_of_it() {
    let desk = Desk::start().await;
    desk.shares("tg:1", "+79000000001").await;
    desk.transcript("tg:1");
    desk.says("tg:2", "Войти по паролю").await;
    desk.says("tg:2", "900 000 00").await;
    desk.says("tg:2", "8 900 000-00-01").await;
    desk.says("tg:2", "не тот пароль").await;
    desk.says("tg:2", "пароль для теста").await;
    assert_snapshot!(desk.transcript("tg:2"), @"
    > Войти по паролю
    < Вход по паролю. Напишите номер телефона.
      [Отмена]
    > 900 000 00
    < В номере телефона 8 цифр: нужно 11, например +7 921 123-45-67.
      
      Вход по паролю. Напишите номер телефона.
      [Отмена]
    × сообщение удалено
    > 8 900 000-00-01
    < Напишите пароль. Сообщение с ним я удалю.
      [Отмена]
    × сообщение удалено
    > не тот пароль
    × сообщение удалено
    < Неверный телефон или пароль.
      
      Напишите пароль. Сообщение с ним я удалю.
      [Другой номер] [Забыл пароль]
      [Отмена]
    × сообщение удалено
    > пароль для теста
    × сообщение удалено
    < Вход выполнен. Здравствуйте, Анна!
      (Новая заявка) (Заказы) (Повторить) (Каталог) (Вопросы) (Аккаунт)
    ");
    assert_snapshot!(desk.transcript("tg:1"), @"
    < В ваш аккаунт вошли с другого Telegram: tg:2, 14:05.
      [Это я]
      [Не я — закрыть доступ]
    ");
    desk.taps("tg:1", "закрыть доступ").await;
    assert_snapshot!(desk.transcript("tg:1"), @"
    > [закрыть доступ]
    < Доступ закрыт: другие Telegram и все сеансы отключены, пароль сброшен. Новый задайте в «Аккаунт» → «Безопасность».
    ");
    assert!(desk.accounts.who(&"tg:2".parse().unwrap()).await.unwrap().is_guest());
}

#[tokio::test]
async fn guessing_a_password_is_stopped() {
    let desk = Desk::start().await;
    desk.says("tg:2", "/login").await;
    desk.says("tg:2", "+79000000001").await;
    for n in 0..5 {
        desk.says("tg:2", &format!("догадка {n}")).await;
    }
    desk.transcript("tg:2");
    desk.says("tg:2", "пароль для теста").await;
    assert_snapshot!(desk.transcript("tg:2"), @"
    > пароль для теста
    × сообщение удалено
    < Слишком много попыток. Попробуйте через 15 мин или подтвердите номер.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    ");
    assert!(desk.accounts.who(&"tg:2".parse().unwrap()).await.unwrap().is_guest());
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_the_contact() {
    let desk = Desk::start().await;
    desk.says("tg:2", "Восстановить данные").await;
    desk.shares("tg:2", "+79000000001").await;
    desk.says("tg:2", "пароль1").await;
    desk.says("tg:2", "совсем новый пароль").await;
    assert_snapshot!(desk.transcript("tg:2"), @"
    > Восстановить данные
    < Подтвердите номер — и задайте новый пароль.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    > 📱 +79000000001
    < Придумайте новый пароль: от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.
      [Отмена]
    > пароль1
    × сообщение удалено
    < Пароль короче 8 символов.
      
      Придумайте новый пароль: от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.
      [Отмена]
    × сообщение удалено
    > совсем новый пароль
    × сообщение удалено
    < Пароль изменён. Вы вошли.
      (Новая заявка) (Заказы) (Повторить) (Каталог) (Вопросы) (Аккаунт)
    ");
    // Staff ask an administrator.
    desk.says("tg:3", "Восстановить данные").await;
    desk.transcript("tg:3");
    desk.shares("tg:3", "+79000000002").await;
    assert_snapshot!(desk.transcript("tg:3"), @"
    > 📱 +79000000002
    < Пароль этого аккаунта меняет администратор.
    ");
}

#[tokio::test]
async fn staff_on_a_new_telegram_need_contact_and_password() {
    let desk = Desk::start().await;
    desk.shares("tg:3", "+79000000002").await;
    desk.says("tg:3", "пароль для теста").await;
    assert_snapshot!(desk.transcript("tg:3"), @"
    > 📱 +79000000002
    < Это аккаунт сотрудника: для входа с нового Telegram нужен и пароль. Сообщение с ним я удалю.
      [Отмена]
    > пароль для теста
    × сообщение удалено
    < Вход выполнен. Здравствуйте, Мария!
      (Новые) (Все заказы) (Вопросы) (Клиенты) (Поиск) (Ещё)
    ");
}

#[tokio::test]
async fn a_request_for_access_goes_to_a_manager_and_back() {
    let desk = Desk::start().await;
    desk.says("tg:17", "Запросить доступ").await;
    desk.says("tg:17", "Олег").await;
    desk.says("tg:17", "Мебель-Юг").await;
    desk.says("tg:17", "позвоните мне").await;
    desk.says("tg:17", "89211234567").await;
    desk.taps("tg:17", "Без комментария").await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    > Запросить доступ
    < Запрос доступа · шаг 1 из 4
      Как вас зовут?
      [Отмена]
    > Олег
    < Запрос доступа · шаг 2 из 4
      Из какой вы организации?
      [Назад] [Отмена]
    × сообщение удалено
    > Мебель-Юг
    < Запрос доступа · шаг 3 из 4
      Номер телефона: на него откроем доступ
      [Назад] [Отмена]
    × сообщение удалено
    > позвоните мне
    < В номере телефона лишний символ «п».
      
      Запрос доступа · шаг 3 из 4
      Номер телефона: на него откроем доступ
      [Назад] [Отмена]
    × сообщение удалено
    > 89211234567
    < Запрос доступа · шаг 4 из 4
      Комментарий для менеджера
      [Назад] [Без комментария] [Отмена]
    × сообщение удалено
    > [Без комментария]
    < Заявка на доступ отправлена.
    × сообщение удалено
    ");
    desk.taps("maria", "Связать с организацией").await;
    desk.says("maria", "диван-м").await;
    desk.taps("maria", "Связать").await;
    assert_snapshot!(desk.transcript("maria"), @"
    < Просит доступ
      Олег, +7 921 123-45-67
      Мебель-Юг
      [Подтвердить] [Отклонить]
      [Связать с организацией]
    > [Связать с организацией]
    < Напишите название или ИНН организации.
      [Отмена]
    > диван-м
    < ООО «Диван-М». Связать?
      [Связать] [Отмена]
    × сообщение удалено
    > [Связать]
    ☐ Готово
    ✎ Просит доступ
      Олег, +7 921 123-45-67
      Мебель-Юг
      
      Доступ открыт.
    ");
    desk.shares("tg:17", "+79211234567").await;
    assert_snapshot!(desk.transcript("tg:17"), @"
    < Доступ открыт. Подтвердите номер — и можно заказывать.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    > 📱 +79211234567
    < Нашёл вас: Олег, ООО «Диван-М». Всё верно?
      [Да] [Нет, это не я]
    × сообщение удалено
    ");
}

#[tokio::test]
async fn an_owner_invites_by_link_and_changes_the_role() {
    let desk = Desk::start().await;
    desk.says("anna", "Аккаунт").await;
    desk.taps("anna", "Сотрудники").await;
    desk.taps("anna", "Пригласить").await;
    desk.taps("anna", "Наблюдатель").await;
    desk.taps("anna", "Ссылкой").await;
    let screen = desk.screen("anna");
    let token = screen.split("inv_").nth(1).unwrap();
    let token: String =
        token.chars().take_while(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
    assert_snapshot!(desk.transcript("anna").replace(&token, "{token}"), @"
    > Аккаунт
    < Анна Иванова
      +7 900 000-00-01 ✓
      ООО «Диван-М» — владелец
      Часы работы: 09:00–18:00
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Изменить]
      [Сотрудники] [Баланс] [Уведомления]
      [Безопасность] [Выйти]
    > [Сотрудники]
    ✎ Сотрудники · ООО «Диван-М»
      [Анна Иванова — владелец]
      [Пригласить] [Назад]
    > [Пригласить]
    ✎ Кого пригласить? Снабженец отправляет заявки, наблюдатель готовит их на согласование, владелец управляет сотрудниками.
      [Снабженец] [Наблюдатель] [Владелец]
      [Назад]
    > [Наблюдатель]
    ✎ Роль — наблюдатель. Как пригласить?
      [Ссылкой] [По телефону] [Назад]
    > [Ссылкой]
    ✎ Ссылка для одного человека, 7 дней: /start inv_{token}
      [Скопировать] [Назад]
    ");
    desk.says("tg:17", &format!("/start inv_{token}")).await;
    desk.shares("tg:17", "79211234567").await;
    desk.says("tg:17", "Олег Петров").await;
    desk.taps("tg:17", "Пропустить").await;
    desk.says("tg:17", "кресло на колёсах").await;
    assert_snapshot!(desk.transcript("tg:17").replace(&token, "{token}"), @"
    > /start inv_{token}
    < Анна Иванова приглашает вас в ООО «Диван-М», роль — наблюдатель. Подтвердите номер, и вы в организации.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    > 📱 79211234567
    < Шаг 1 из 3
      Фамилия, имя и отчество
      [Отмена]
    > Олег Петров
    < Шаг 2 из 3
      Эл. почта для документов
      [Назад] [Пропустить] [Отмена]
    × сообщение удалено
    > [Пропустить]
    ✎ Шаг 3 из 3
      Придумайте пароль: от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.
      [Назад] [Отмена]
    > кресло на колёсах
    × сообщение удалено
    < Готово, Олег. Пришлите первый список или откройте каталог.
      (Новая заявка) (Заказы) (Повторить) (Каталог) (Вопросы) (Аккаунт)
    ");
    desk.taps("anna", "Изменить роль").await;
    desk.taps("anna", "снабженец").await;
    assert_snapshot!(desk.transcript("anna"), @"
    < В организации новый участник: Олег Петров, наблюдатель.
      [Изменить роль] [Удалить]
    > [Изменить роль]
    ✎ Олег Петров
      +7 921 123-45-67
      Роль: наблюдатель
      [Сделать: владелец] [Сделать: снабженец]
      [Удалить]
      [Назад]
    > [снабженец]
    ✎ Олег Петров
      +7 921 123-45-67
      Роль: снабженец
      [Сделать: владелец] [Сделать: наблюдатель]
      [Удалить]
      [Назад]
    ");
    desk.says("tg:18", &format!("/start inv_{token}")).await;
    assert_snapshot!(desk.transcript("tg:18").replace(&token, "{token}"), @"
    > /start inv_{token}
    < Ссылка больше не действует. Попросите новую у владельца: Анна Иванова.
    < Здравствуйте! Это заказы «Партнёр-М».
      Напишите список как обычно — распознаю по каталогу, уточню непонятное и передам менеджеру.
      
      Чтобы видеть свои цены и отправлять заявки, подтвердите номер телефона.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    ");
    assert!(desk.accounts.who(&"tg:17".parse().unwrap()).await.unwrap().may_send());
}

#[tokio::test]
async fn the_account_card_shows_and_changes_what_is_ones_own() {
    let desk = Desk::start().await;
    desk.shares("tg:1", "+79000000001").await;
    desk.transcript("tg:1");
    desk.says("tg:1", "/account").await;
    desk.taps("tg:1", "Изменить").await;
    desk.taps("tg:1", "Эл. почта").await;
    desk.says("tg:1", "anna@divan-m.ru").await;
    desk.taps("tg:1", "Баланс").await;
    desk.taps("tg:1", "Назад").await;
    desk.taps("tg:1", "Безопасность").await;
    desk.taps("tg:1", "Сменить пароль").await;
    desk.says("tg:1", "не тот пароль").await;
    desk.says("tg:1", "пароль для теста").await;
    desk.says("tg:1", "коротко").await;
    desk.says("tg:1", "qwerty123").await;
    desk.says("tg:1", "совсем новый пароль").await;
    assert_snapshot!(desk.transcript("tg:1"), @"
    > /account
    < Анна Иванова
      +7 900 000-00-01 ✓
      ООО «Диван-М» — владелец
      Часы работы: 09:00–18:00
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Изменить]
      [Сотрудники] [Баланс] [Уведомления]
      [Безопасность] [Выйти]
    > [Изменить]
    ✎ Что изменить?
      [ФИО] [Эл. почта] [Часы работы]
      [Назад]
    > [Эл. почта]
    ✎ Эл. почта для документов
      [Отмена]
    > anna@divan-m.ru
    < Анна Иванова
      +7 900 000-00-01 ✓
      ООО «Диван-М» — владелец
      Часы работы: 09:00–18:00
      Эл. почта: anna@divan-m.ru
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Изменить]
      [Сотрудники] [Баланс] [Уведомления]
      [Безопасность] [Выйти]
    × сообщение удалено
    > [Баланс]
    ✎ Данные о расчётах из 1С пока не приходят.
      [Спросить менеджера] [Назад]
    > [Назад]
    ✎ Анна Иванова
      +7 900 000-00-01 ✓
      ООО «Диван-М» — владелец
      Часы работы: 09:00–18:00
      Эл. почта: anna@divan-m.ru
      Адрес: г. Энгельс, ул. Полтавская, 12
      [Изменить]
      [Сотрудники] [Баланс] [Уведомления]
      [Безопасность] [Выйти]
    > [Безопасность]
    ✎ Безопасность
      Вход выполнен:
      • tg:1, с 14:05 — этот
      • Анна Иванова, с 14:05
      [Отключить Анна Иванова]
      [Сменить пароль] [Удалить мои данные]
      [Назад]
    > [Сменить пароль]
    ✎ Напишите текущий пароль. Сообщение с ним я удалю.
      [Отмена]
    > не тот пароль
    × сообщение удалено
    < Пароль не подошёл.
      
      Напишите текущий пароль. Сообщение с ним я удалю.
      [Отмена]
    × сообщение удалено
    > пароль для теста
    × сообщение удалено
    < Придумайте новый пароль: от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.
      [Отмена]
    × сообщение удалено
    > коротко
    × сообщение удалено
    < Пароль короче 8 символов.
      
      Придумайте новый пароль: от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.
      [Отмена]
    × сообщение удалено
    > qwerty123
    × сообщение удалено
    < Такой пароль легко угадать. Придумайте другой.
      
      Придумайте новый пароль: от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.
      [Отмена]
    × сообщение удалено
    > совсем новый пароль
    × сообщение удалено
    < Пароль изменён.
    × сообщение удалено
    ");
    desk.says("tg:1", "Выйти").await;
    assert_snapshot!(desk.transcript("tg:1"), @"
    > Выйти
    < Вы вышли. Чтобы войти снова, подтвердите номер или введите пароль.
      (📱 Подтвердить номер) (Войти по паролю) (Каталог) (Запросить доступ)
    ");
}

#[tokio::test]
async fn a_button_with_foreign_ids_gives_nothing_away() {
    let desk = Desk::start().await;
    desk.shares("tg:17", "79211234567").await;
    desk.says("tg:17", "Олег Петров").await;
    desk.taps("tg:17", "Я частное лицо").await;
    for _ in 0..3 {
        desk.taps("tg:17", "Пропустить").await;
    }
    desk.says("tg:17", "кресло на колёсах").await;
    desk.transcript("tg:17");
    for data in [
        "member.list:1",
        "member.show:1:1",
        "member.admit:1:1",
        "member.role:1:1:viewer",
        "member.remove:1:1",
        "member.remove_yes:1:1",
        "member.invite:1",
        "member.invite_as:1:owner",
        "member.invite_link:1:owner",
        "member.invite_phone:1:owner",
        "account.switch:1",
        "security.close:1",
        "security.unlink:0",
        "security.unlink:5",
        "member.list:zzz",
    ] {
        desk.presses("tg:17", data).await;
        let said = desk.transcript("tg:17");
        assert_eq!(said, "☐ Это вам недоступно или уже решено.\n", "{data}");
    }
    for data in ["access.grant:1", "access.refuse:1", "access.link:1", "access.link_yes:1:1"] {
        desk.presses("tg:17", data).await;
        let said = desk.transcript("tg:17");
        assert_eq!(said, "☐ Это могут делать только менеджеры.\n", "{data}");
    }
}

#[tokio::test]
async fn nobody_signs_in_where_others_read_along() {
    let desk = Desk::start().await;
    for words in ["/login", "/start", "Аккаунт", "Восстановить данные", "Запросить доступ", "Выйти"]
    {
        let kind = EventKind::Text { text: words.to_owned(), message_id: 1, reply_to: None };
        let event = Event {
            key: format!("group:{words}"),
            chat: "tg:-100".parse().unwrap(),
            from: "tg:17".parse().unwrap(),
            from_name: "Олег".to_owned(),
            at: desk.base.clock.now(),
            kind,
            quoted: Vec::new(),
        };
        desk.accept(&event).await;
        desk.wait(Duration::from_secs(5)).await;
        let said = desk.transcript("tg:-100");
        assert_eq!(said, "< Это — в личном чате со мной.\n", "{words}");
    }
    assert!(desk.accounts.who(&"tg:-100".parse().unwrap()).await.unwrap().is_guest());
}

#[tokio::test]
async fn who_acts_for_nobody_says_for_whom_and_sends() {
    let desk = Desk::start().await;
    desk.sql(
        "insert into persons (id, name, phone, phone_verified, created_at_ms)
            values (91, 'Олег Петров', '+79000000091', 1, 0), (92, 'Пётр', '+79000000092', 1, 0);
         insert into chats (key, person_id) values ('web:oleg', 91), ('web:petr', 92);",
    );
    desk.says("oleg", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("oleg", "Оформить").await;
    desk.taps("oleg", "Отправить").await;
    desk.transcript("oleg");
    desk.taps("oleg", "Указать").await;
    desk.says("oleg", "123").await;
    desk.says("oleg", "ООО «Новая мебель»").await;
    desk.taps("oleg", "Отправить").await;
    assert_snapshot!(desk.transcript("oleg"), @"
    > [Указать]
    ✎ Организация: название или ИНН
      [Отмена]
    > 123
    < В ИНН 10 или 12 цифр.
      
      Напишите ещё раз.
      [Отмена]
    × сообщение удалено
    > ООО «Новая мебель»
    < Готово. Организация: ООО «Новая мебель».
    ✎ Черновик заявки · ООО «Новая мебель»
      1 позиция: ✅ 1
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт
           «саморез 4х25 жёлтый 4000 шт»
      
      Сумма: цену подтвердит менеджер
      Остатки на 24.11, 14:05
    ✎ Всё распознано, можно отправлять.
      Доставка: дата не важна
      Адрес: —
      [Отправить]
      [Оформить] [Позиции]
      [Добавить в заказ] [Всё менеджеру]
      [Очистить]
    > [Отправить]
    < Заявка № 1001 отправлена. Отвечаем пн–пт 09:00–18:00.
      [Открыть] [Изменить] [Отменить]
    ");
    desk.says("petr", "саморез 4х25 жёлтый 4000 шт").await;
    desk.taps("petr", "Оформить").await;
    desk.taps("petr", "Отправить").await;
    desk.taps("petr", "Я частное лицо").await;
    desk.taps("petr", "Отправить").await;
    let placed = "select g.name from orders o join organizations g on g.id = o.organization_id
        order by o.id";
    assert_eq!(desk.rows(placed), ["ООО «Новая мебель»", "Пётр, …0092"]);
}
