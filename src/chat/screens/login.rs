//! S3–S5: sign-in by password, recovery, a request for access.

use std::time::Duration;

use super::registration::{PASSWORD_RULE, with_hint};
use crate::chat::dialogue::AccessForm;
use crate::chat::screens::menu;
use crate::chat::{Action, Button, Screen};
use crate::formats::html::Html;
use crate::services::accounts::AccessRequest;

/// Whatever was wrong.
pub const WRONG: &str = "Неверный телефон или пароль.";

/// Sign-in: the number.
pub fn phone(hint: Option<&str>) -> Screen {
    let html = Html::text("Вход по паролю. Напишите номер телефона.");
    Screen::new(with_hint(html, hint)).row([Button::new("Отмена", Action::Cancel)])
}

/// Sign-in: the password.
pub fn password(hint: Option<&str>) -> Screen {
    let html = Html::text("Напишите пароль. Сообщение с ним я удалю.");
    let screen = Screen::new(with_hint(html, hint));
    let mut row = Vec::new();
    if hint.is_some() {
        row.push(Button::new("Другой номер", Action::LoginStart));
        row.push(Button::new("Забыл пароль", Action::Recover));
    }
    screen.row(row).row([Button::new("Отмена", Action::Cancel)])
}

/// Staff who proved their number on a new chat.
pub fn staff_password() -> Screen {
    Screen::text(
        "Это аккаунт сотрудника: для входа с нового Telegram нужен и пароль. Сообщение с ним я удалю.",
    )
    .row([Button::new("Отмена", Action::Cancel)])
}

/// Too many failures.
pub fn too_many(wait: Duration) -> String {
    let minutes = wait.as_secs().div_ceil(60).max(1);
    format!("Слишком много попыток. Попробуйте через {minutes}\u{a0}мин или подтвердите номер.")
}

/// Staff who know the password, on a chat that has not proven the number.
pub fn contact_needed() -> Screen {
    Screen::text("Это аккаунт сотрудника. Подтвердите ещё и номер: нажмите «📱 Подтвердить номер».")
        .keyboard(menu::guest_keyboard())
}

/// Recovery: the contact is waited for.
pub fn recover_contact() -> Screen {
    Screen::text("Подтвердите номер — и задайте новый пароль.").keyboard(menu::guest_keyboard())
}

/// A new password.
pub fn new_password(hint: Option<&str>) -> Screen {
    let html = Html::text(format!("Придумайте новый пароль: {PASSWORD_RULE}"));
    Screen::new(with_hint(html, hint)).row([Button::new("Отмена", Action::Cancel)])
}

/// A request for access: the next question.
pub fn access(form: &AccessForm, hint: Option<&str>) -> Screen {
    let (number, question) = if form.name.is_none() {
        (1, "Как вас зовут?")
    } else if form.organization.is_none() {
        (2, "Из какой вы организации?")
    } else if form.phone.is_none() {
        (3, "Номер телефона: на него откроем доступ")
    } else {
        (4, "Комментарий для менеджера")
    };
    let html =
        Html::new().bold(format!("Запрос доступа · шаг {number} из 4")).line().push(question);
    let mut row = Vec::new();
    if number > 1 {
        row.push(Button::new("Назад", Action::FormBack));
    }
    if number == 4 {
        row.push(Button::new("Без комментария", Action::FormSkip));
    }
    row.push(Button::new("Отмена", Action::Cancel));
    Screen::new(with_hint(html, hint)).row(row)
}

/// The request is with the managers.
pub fn access_sent(sla: Option<&str>) -> Screen {
    let sla = sla.map(|sla| format!(" Обычно отвечаем за {sla}.")).unwrap_or_default();
    Screen::text(format!("Заявка на доступ отправлена.{sla}"))
}

/// A request for access, as staff see it.
pub fn access_card(request: &AccessRequest) -> Screen {
    let mut html = Html::new()
        .bold("Просит доступ")
        .line()
        .push(format!("{}, {}", request.name, phone_text(&request.phone)))
        .line()
        .push(&request.organization);
    if !request.comment.is_empty() {
        html = html.line().push(format!("Комментарий: {}", request.comment));
    }
    match request.granted {
        Some(true) => return Screen::new(html.line().line().push("Доступ открыт.")),
        Some(false) => return Screen::new(html.line().line().push("Отказано.")),
        None => {}
    }
    let request = request.id;
    Screen::new(html)
        .row([
            Button::new("Подтвердить", Action::AccessGrant { request }),
            Button::new("Отклонить", Action::AccessRefuse { request }),
        ])
        .row([Button::new("Связать с организацией", Action::AccessLink { request })])
}

fn phone_text(phone: &str) -> String {
    phone.parse::<crate::domain::Phone>().map_or_else(|_| phone.to_owned(), |p| p.to_string())
}

/// What came of a request, for the guest.
pub fn access_decided(granted: bool, company_phone: Option<&str>) -> Screen {
    if granted {
        return Screen::text("Доступ открыт. Подтвердите номер — и можно заказывать.")
            .keyboard(menu::guest_keyboard());
    }
    let call = company_phone.map(|phone| format!(" Позвоните: {phone}.")).unwrap_or_default();
    Screen::text(format!("Открыть доступ не получилось.{call}"))
}
