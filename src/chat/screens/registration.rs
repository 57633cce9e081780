//! S2: a contact becomes an account. One message edited through the steps.

use crate::chat::dialogue::{Candidate, OrgAnswer, Registration, RegistrationStep};
use crate::chat::{Action, Button, Screen};
use crate::formats::html::Html;
use crate::services::accounts::Invitation;

/// Working hours that are offered; the last place is «Другое».
pub const HOURS: [&str; 2] = ["09:00–18:00", "Круглосуточно"];

/// The step that waits for its answer, with a hint why the last answer did not do.
pub fn step(form: &Registration, hint: Option<&str>) -> Screen {
    let html = Html::new()
        .bold(format!("Шаг {} из {}", form.done + 1, form.steps().len()))
        .line()
        .push(question(form));
    let mut screen = Screen::new(with_hint(html, hint));
    match (form.step(), &form.candidate) {
        (RegistrationStep::Organization, Some(candidate)) => {
            screen = screen.row([
                Button::new("Да", Action::RegisterOrganization { organization: candidate.id }),
                Button::new("Нет, другая", Action::RegisterNewOrganization),
            ]);
        }
        (RegistrationStep::Organization, None) => {
            screen = screen.row([Button::new("Я частное лицо", Action::RegisterPrivate)]);
        }
        (RegistrationStep::Hours, _) if !form.own_hours => {
            let offered = HOURS.iter().zip(0_i64..);
            screen = screen.row(
                offered
                    .map(|(hours, choice)| Button::new(*hours, Action::RegisterHours { choice })),
            );
            let choice = i64::try_from(HOURS.len()).unwrap_or_default();
            screen = screen.row([Button::new("Другое", Action::RegisterHours { choice })]);
        }
        _ => {}
    }
    let mut last = Vec::new();
    if form.done > 0 {
        last.push(Button::new("Назад", Action::FormBack));
    }
    if may_skip(form.step()) {
        last.push(Button::new("Пропустить", Action::FormSkip));
    }
    last.push(Button::new("Отмена", Action::Cancel));
    screen.row(last)
}

/// Whether the step may be left without an answer.
pub fn may_skip(step: RegistrationStep) -> bool {
    use RegistrationStep::{Address, Email, Hours};
    matches!(step, Address | Hours | Email)
}

fn question(form: &Registration) -> String {
    match (form.step(), &form.candidate) {
        (RegistrationStep::Name, _) => "Фамилия, имя и отчество".to_owned(),
        (RegistrationStep::Organization, Some(candidate)) => {
            format!("{} — вы оттуда?", candidate_name(candidate))
        }
        (RegistrationStep::Organization, None) => "Организация: название или ИНН".to_owned(),
        (RegistrationStep::Address, _) => "Адрес доставки".to_owned(),
        (RegistrationStep::Hours, _) if form.own_hours => {
            "Напишите часы работы, например 08:00–17:00".to_owned()
        }
        (RegistrationStep::Hours, _) => "Часы работы".to_owned(),
        (RegistrationStep::Email, _) => "Эл. почта для документов".to_owned(),
        (RegistrationStep::Password, _) => format!("Придумайте пароль: {PASSWORD_RULE}"),
    }
}

/// What a password is for and what becomes of the message.
pub const PASSWORD_RULE: &str =
    "от 8 символов. Он понадобится для входа с другого Telegram. Сообщение с паролем я удалю.";

fn candidate_name(candidate: &Candidate) -> String {
    match &candidate.inn {
        Some(inn) => format!("{}, ИНН\u{a0}{inn}", candidate.name),
        None => candidate.name.clone(),
    }
}

/// A hint above everything else, set apart.
pub(super) fn with_hint(html: Html, hint: Option<&str>) -> Html {
    match hint {
        Some(hint) => Html::text(hint).line().line().append(&html),
        None => html,
    }
}

/// Someone whom 1C or an invitation names.
pub fn known(name: &str, organization: Option<&str>) -> Screen {
    let mut who = vec![name];
    who.extend(organization);
    who.retain(|part| !part.is_empty());
    Screen::text(format!("Нашёл вас: {}. Всё верно?", who.join(", "))).row([
        Button::new("Да", Action::RegisterYes),
        Button::new("Нет, это не я", Action::RegisterNo),
    ])
}

/// The only step of a person who is known.
pub fn known_password(hint: Option<&str>) -> Screen {
    let html = Html::text(format!("Придумайте пароль: {PASSWORD_RULE}"));
    Screen::new(with_hint(html, hint)).row([Button::new("Отмена", Action::Cancel)])
}

/// The account is there; `listed`: so is a list that waits to be sent.
pub fn done(name: &str, organization: Option<&OrgAnswer>, listed: bool) -> Screen {
    let name = given_name(name);
    let text = match organization {
        Some(OrgAnswer::Existing(candidate)) => format!(
            "Готово, {name}. Вас подтвердит {} — я сообщу. Список можно прислать уже сейчас.",
            candidate.name
        ),
        _ if listed => format!("Готово, {name}. Вот ваш список."),
        _ => format!("Готово, {name}. Пришлите первый список или откройте каталог."),
    };
    Screen::text(text)
}

/// An invitation that was followed.
pub fn invitation(invitation: &Invitation, guest: bool) -> Screen {
    let mut html = Html::new();
    if invitation.by.is_empty() {
        html = html.push("Вас приглашают в ");
    } else {
        html = html.push(format!("{} приглашает вас в ", invitation.by));
    }
    html = html.bold(&invitation.name).push(format!(", роль — {}.", invitation.role.label()));
    if guest {
        return Screen::new(html.push(" Подтвердите номер, и вы в организации."));
    }
    Screen::new(html).row([
        Button::new("Вступить", Action::InvitationAccept),
        Button::new("Не сейчас", Action::Cancel),
    ])
}

/// The name to address a person by: «Иванова Анна Петровна» and «Анна Иванова» are both «Анна».
pub fn given_name(full: &str) -> &str {
    const SURNAMES: &[&str] = &[
        "ов",
        "ев",
        "ёв",
        "ин",
        "ын",
        "ова",
        "ева",
        "ёва",
        "ина",
        "ына",
        "ский",
        "ская",
        "цкий",
        "цкая",
        "ко",
        "ук",
        "юк",
        "як",
        "ян",
        "дзе",
        "швили",
        "их",
        "ых",
        "ой",
        "ец",
    ];
    const GIVEN: &[&str] = &[
        "марина",
        "ирина",
        "галина",
        "полина",
        "кристина",
        "екатерина",
        "ангелина",
        "карина",
        "алина",
        "константин",
        "валентин",
        "валентина",
        "арина",
        "регина",
        "мартин",
        "августин",
    ];
    let words: Vec<&str> = full.split_whitespace().collect();
    let surname = |word: &str| {
        let lower = word.to_lowercase();
        let ends = SURNAMES.iter().any(|ending| lower.ends_with(ending));
        ends && lower.chars().count() > 4 && !GIVEN.contains(&lower.as_str())
    };
    match words[..] {
        [surname, name, patronymic, ..] if !is_patronymic(name) => {
            if is_patronymic(patronymic) {
                name
            } else {
                surname
            }
        }
        [first, second] if surname(first) && !surname(second) && !is_patronymic(second) => second,
        [first, ..] => first,
        [] => full,
    }
}

fn is_patronymic(word: &str) -> bool {
    let lower = word.to_lowercase();
    ["вич", "вна", "чна", "ьич", "мич"].iter().any(|ending| lower.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_addressed_by_their_given_name() {
        for full in [
            "Анна",
            "Анна Иванова",
            "Иванова Анна",
            "Иванова Анна Петровна",
            "Анна Петровна",
            "Анна Петровна Иванова",
        ] {
            assert_eq!(given_name(full), "Анна", "{full}");
        }
        assert_eq!(given_name("Ирина Шмидт"), "Ирина");
        assert_eq!(given_name("Петров Олег Ильич"), "Олег");
        assert_eq!(given_name(""), "");
    }

    #[test]
    fn who_joins_a_known_organization_is_not_asked_about_it() {
        let phone = "+79210000001".parse().expect("a phone");
        let mut form = Registration::new(phone, Some("token".to_owned()));
        form.done = 1;
        assert_eq!(
            step(&form, None).to_string(),
            "Шаг 2 из 3\nЭл. почта для документов\n[Назад] [Пропустить] [Отмена]"
        );
    }
}
