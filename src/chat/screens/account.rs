//! The account: its card, organizations, people, chats.

use crate::chat::screen::Does;
use crate::chat::screens::menu;
use crate::chat::{Action, Button, Screen};
use crate::domain::{
    ChatKey, MemberState, Money, OrgKind, OrgRole, OrganizationId, Role, Timestamp, Zone, ru,
};
use crate::formats::html::Html;
use crate::services::accounts::{AccountDetails, Member, Membership, Who};
use crate::services::notifications::{Group, Quiet, Wishes};
use crate::storage::chats::ChatRow;
use crate::storage::purchases::Balance;

/// The account card.
pub fn card(who: &Who, details: &AccountDetails) -> Screen {
    let Some(person) = &who.person else { return Screen::default() };
    let mut html = Html::new().bold(&person.name);
    if let Some(phone) = &person.phone {
        let mark = if person.verified { " ✓" } else { " — не подтверждён" };
        html = html.line().push(format!("{phone}{mark}"));
    }
    if person.role.is_staff() {
        html = html.line().push(format!("Роль: {}", person.role.label()));
    }
    if let Some(membership) = &who.organization {
        html = html.line().push(organization_line(membership));
        if !membership.verified {
            html = html.line().push("Организация ещё не проверена: цены подтвердит менеджер.");
        }
    }
    let lines = [
        ("Менеджер", details.manager.as_deref().unwrap_or_default()),
        ("Цены", details.price_type.as_deref().unwrap_or_default()),
        ("Часы работы", &details.hours),
        ("Эл. почта", &person.email),
    ];
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        html = html.line().push(format!("{name}: {value}"));
    }
    for address in details.addresses.iter().take(3) {
        html = html.line().push(format!("Адрес: {address}"));
    }
    let mut first = vec![Button::new("Изменить", Action::AccountEdit)];
    if who.organizations.len() > 1 {
        first.push(Button::new("Организация ▾", Action::Organizations));
    }
    let mut second = Vec::new();
    if let Some(membership) = who.acting_for().filter(|m| m.kind == OrgKind::Company) {
        let organization = membership.organization;
        second.push(Button::new("Сотрудники", Action::Members { organization }));
    }
    if who.acting_for().is_some() {
        second.push(Button::new("Баланс", Action::Balance));
    }
    second.push(Button::new("Уведомления", Action::Notices));
    Screen::new(html)
        .row(first)
        .row(second)
        .row([Button::new("Безопасность", Action::Security), Button::new("Выйти", Action::SignOut)])
}

fn organization_line(membership: &Membership) -> String {
    let wait = match membership.state {
        MemberState::Active => "",
        _ => ", ждёт подтверждения",
    };
    match membership.kind {
        OrgKind::Company => {
            format!("{} — {}{wait}", membership.name, membership.role.label())
        }
        OrgKind::Person => format!("Частное лицо{wait}"),
    }
}

/// What can be changed about oneself.
pub fn edit(who: &Who) -> Screen {
    let mut rows = vec![
        Button::new("ФИО", Action::AccountName),
        Button::new("Эл. почта", Action::AccountEmail),
    ];
    if who.is_owner() {
        rows.push(Button::new("Часы работы", Action::AccountHours));
    }
    Screen::text("Что изменить?").row(rows).row([Button::new("Назад", Action::Account)])
}

/// One question of the account, with a hint why the last answer did not do.
pub fn ask(question: &str, hint: Option<&str>) -> Screen {
    Screen::new(super::registration::with_hint(Html::text(question), hint))
        .row([Button::new("Отмена", Action::Cancel)])
}

/// The person's organizations.
pub fn organizations(who: &Who) -> Screen {
    if who.organizations.is_empty() {
        return Screen::text("Вы пока ни в одной организации.")
            .row([Button::new("Назад", Action::Account)]);
    }
    let current = who.acting_for().map(|membership| membership.organization);
    let mut screen = Screen::text(match current {
        Some(_) => "За какую организацию работаете?",
        None => "Выберите организацию.",
    });
    for membership in &who.organizations {
        let organization = membership.organization;
        let mark = if Some(organization) == current { "● " } else { "" };
        let label = format!("{mark}{}", membership.label());
        let wait = if membership.is_active() { "" } else { " · ждёт" };
        let label = ru::ellipsis(&format!("{label}{wait}"), 40);
        screen = screen.row([Button::new(label, Action::SwitchOrganization { organization })]);
    }
    screen.row([Button::new("Назад", Action::Account)])
}

/// The balance that nobody has told us of.
pub fn no_balance() -> Screen {
    Screen::text("Данные о расчётах из 1С пока не приходят.").row([
        Button::new("Спросить менеджера", Action::ThreadTopic { topic: 3 }),
        Button::new("Назад", Action::Account),
    ])
}

/// What the organization owes, as 1C told it.
pub fn balance(balance: &Balance, zone: &Zone, now: Timestamp) -> Screen {
    let mut html = Html::new().bold("Баланс");
    if let Some(at) = balance.as_of {
        html = html.push(format!(" на {}", zone.date_time(at, now)));
    }
    let zero = Money::ZERO;
    html = html.line().push(match balance.debt {
        Some(debt) if debt > zero => format!("Долг: {debt}"),
        Some(debt) if debt < zero => {
            format!("Переплата: {}", Money::from_kopecks(-debt.kopecks()))
        }
        Some(_) => "Долга нет".to_owned(),
        None => "Долг: нет данных".to_owned(),
    });
    if let Some(overdue) = balance.overdue.filter(|overdue| *overdue > zero) {
        html = html.line().push(format!("Просрочено: {overdue}"));
    }
    if let Some(limit) = balance.limit {
        html = html.line().push(format!("Лимит: {limit}"));
        if let Some(left) = balance.debt.map(|debt| limit.kopecks() - debt.kopecks()) {
            let left = Money::from_kopecks(left.max(0));
            html = html.push(format!(", можно заказать ещё на {left}"));
        }
    }
    if !balance.terms.is_empty() {
        html = html.line().push(format!("Условия: {}", balance.terms));
    }
    Screen::new(html).row([
        Button::new("Спросить менеджера", Action::ThreadTopic { topic: 3 }),
        Button::new("Назад", Action::Account),
    ])
}

/// The balance of an organization that is not vouched for yet.
pub fn hidden_balance() -> Screen {
    Screen::text("Расчёты покажу, когда менеджер проверит организацию.").row([
        Button::new("Спросить менеджера", Action::ThreadTopic { topic: 3 }),
        Button::new("Назад", Action::Account),
    ])
}

/// What the person is told of, and when.
pub fn notices(wishes: &Wishes, staff: bool) -> Screen {
    let mut html = Html::new().bold("Уведомления");
    html = html.line().push(if staff {
        "Новые заявки приходят всегда, пока вы на смене. Остальное можно выключить."
    } else {
        "Выключенное не приходит сообщением, но видно в заказах и вопросах."
    });
    let quiet = match wishes.quiet {
        Quiet::Auto if staff => Quiet::Off,
        quiet => quiet,
    };
    html = html.line().push(format!("Тихие часы: {}.", quiet.label()));
    if quiet != Quiet::Off {
        html = html.push(" Срочное приходит без звука, остальное — утром одним сообщением.");
    }
    let mut screen = Screen::new(html);
    for (group, index) in Group::of(staff).iter().zip(0_i64..) {
        let on = wishes.wants(*group);
        let mark = if on { "☑" } else { "☐" };
        let label = format!("{mark} {}", group.label());
        let action = Action::NoticeGroup { group: index, on: i64::from(!on) };
        screen = screen.row([Button::new(label, action)]);
    }
    let mut choices = Vec::new();
    if !staff && quiet != Quiet::Auto {
        choices.push(Button::new("По часам работы", Action::NoticeQuiet { choice: 0 }));
    }
    if quiet != Quiet::Off {
        choices.push(Button::new("Без тихих часов", Action::NoticeQuiet { choice: 1 }));
    }
    choices.push(Button::new("Свои часы", Action::NoticeQuiet { choice: 2 }));
    screen.row(choices).row([Button::new("Назад", Action::Account)])
}

/// Really ask for it?
pub fn delete_data() -> Screen {
    Screen::text(
        "Попросить администратора удалить ваши данные? Имя, телефон и переписка будут удалены; заказы останутся у организации, как требует закон.",
    )
    .row([
        Button::new("Попросить", Action::DeleteDataYes),
        Button::new("Назад", Action::Security),
    ])
}

/// It is asked for.
pub fn deletion_asked() -> Screen {
    Screen::text("Запрос передан администратору. С вами свяжутся по телефону.")
        .row([Button::new("Назад", Action::Security)])
}

/// The person's role of staff has changed.
pub fn role_changed(role: Role) -> Screen {
    let text = match role {
        Role::Client => "Роль сотрудника снята. Заявки можно отправлять как клиент.".to_owned(),
        role => format!("Ваша роль теперь — {}.", role.label()),
    };
    Screen::text(text).keyboard(menu::role_keyboard(role))
}

/// The people of an organization.
pub fn members(membership: &Membership, people: &[Member], owner: bool) -> Screen {
    let organization = membership.organization;
    let html = Html::new().bold(format!("Сотрудники · {}", membership.name));
    let mut screen = Screen::new(html);
    for member in people {
        let wait = if member.state == MemberState::Pending { " · ждёт" } else { "" };
        let name = member_name(member);
        let label = ru::ellipsis(&format!("{name} — {}{wait}", member.role.label()), 40);
        let show = Action::MemberShow { organization, person: member.person };
        screen = screen.row([Button::new(label, show)]);
    }
    let mut last = Vec::new();
    if owner {
        last.push(Button::new("Пригласить", Action::Invite { organization }));
    }
    last.push(Button::new("Назад", Action::Account));
    screen.row(last)
}

/// The name, or the number of someone who has not come yet.
fn member_name(member: &Member) -> String {
    match (&member.phone, member.name.is_empty()) {
        (Some(phone), true) => phone.to_string(),
        (None, true) => "Без имени".to_owned(),
        _ => member.name.clone(),
    }
}

/// One of the people, with what an owner may do.
pub fn member(organization: OrganizationId, member: &Member, owner: bool, own: bool) -> Screen {
    let mut html = Html::new().bold(member_name(member));
    if let Some(phone) = member.phone.as_ref().filter(|_| owner || own) {
        html = html.line().push(phone);
    }
    html = html.line().push(format!("Роль: {}", member.role.label()));
    let person = member.person;
    let mut screen = Screen::new(html);
    if member.state == MemberState::Pending {
        screen = Screen::new(screen.html.line().push("Ждёт подтверждения."));
        if owner {
            screen = screen.row([
                Button::new("Подтвердить", Action::MemberAdmit { organization, person }),
                Button::new("Отклонить", Action::MemberRefuse { organization, person }),
            ]);
        }
    } else if owner {
        let others = [OrgRole::Owner, OrgRole::Buyer, OrgRole::Viewer];
        let others = others.into_iter().filter(|role| *role != member.role);
        screen = screen.row(others.map(|role| {
            let label = format!("Сделать: {}", role.label());
            Button::new(label, Action::MemberRole { organization, person, role })
        }));
    }
    if own {
        let leave = Action::MemberRemove { organization, person };
        screen = screen.row([Button::new("Выйти из организации", leave)]);
    } else if owner {
        screen =
            screen.row([Button::new("Удалить", Action::MemberRemove { organization, person })]);
    }
    screen.row([Button::new("Назад", Action::Members { organization })])
}

/// Asks before a member is taken out.
pub fn remove_member(organization: OrganizationId, member: &Member, own: bool) -> Screen {
    let person = member.person;
    let (text, yes) = if own {
        ("Выйти из организации? Вернуться можно по приглашению владельца.".to_owned(), "Выйти")
    } else {
        (format!("Удалить из организации: {}?", member_name(member)), "Удалить")
    };
    Screen::text(text).row([
        Button::new(yes, Action::MemberRemoveYes { organization, person }),
        Button::new("Назад", Action::MemberShow { organization, person }),
    ])
}

/// As what to invite.
pub fn invite(organization: OrganizationId) -> Screen {
    let label = |role: OrgRole| match role {
        OrgRole::Owner => "Владелец",
        OrgRole::Buyer => "Снабженец",
        OrgRole::Viewer => "Наблюдатель",
    };
    let roles = [OrgRole::Buyer, OrgRole::Viewer, OrgRole::Owner];
    Screen::text(
        "Кого пригласить? Снабженец отправляет заявки, наблюдатель готовит их на согласование, владелец управляет сотрудниками.",
    )
    .row(roles.map(|role| Button::new(label(role), Action::InviteAs { organization, role })))
    .row([Button::new("Назад", Action::Members { organization })])
}

/// By link or by phone.
pub fn invite_as(organization: OrganizationId, role: OrgRole) -> Screen {
    Screen::text(format!("Роль — {}. Как пригласить?", role.label())).row([
        Button::new("Ссылкой", Action::InviteLink { organization, role }),
        Button::new("По телефону", Action::InvitePhone { organization, role }),
        Button::new("Назад", Action::Invite { organization }),
    ])
}

/// The link for one person.
pub fn invite_link(organization: OrganizationId, link: &str) -> Screen {
    let html = Html::text("Ссылка для одного человека, 7\u{a0}дней: ").code(link);
    let copy =
        Button { label: "Скопировать".to_owned(), does: Does::Copy(link.to_owned()) };
    Screen::new(html).row([copy, Button::new("Назад", Action::Members { organization })])
}

/// Someone asks to be let in, as owners and staff see it.
pub fn join_asked(
    membership: &Membership,
    name: &str,
    phone: Option<&str>,
    person: crate::domain::PersonId,
) -> Screen {
    let organization = membership.organization;
    let who = match phone {
        Some(phone) => format!("{name}, {phone}"),
        None => name.to_owned(),
    };
    let html = Html::new().bold("Просит доступ").line().push(who).line().push(&membership.name);
    match membership.state {
        MemberState::Pending => Screen::new(html).row([
            Button::new("Подтвердить", Action::MemberAdmit { organization, person }),
            Button::new("Отклонить", Action::MemberRefuse { organization, person }),
        ]),
        MemberState::Active => Screen::new(html.line().line().push("Доступ открыт.")),
        MemberState::Left => Screen::new(html.line().line().push("Отказано.")),
    }
}

/// What came of asking to be let in, for the person.
pub fn join_decided(membership: &Membership) -> Screen {
    match membership.state {
        MemberState::Active => Screen::text(format!(
            "{}: доступ подтверждён, роль — {}. Можно отправлять заявки.",
            membership.label(),
            membership.role.label()
        )),
        _ => Screen::text(format!(
            "{}: в доступе отказано. Уточните у владельца организации или у менеджера.",
            membership.label()
        )),
    }
}

/// A new member, as owners see it.
pub fn joined(membership: &Membership, member: &Member) -> Screen {
    let (organization, person) = (membership.organization, member.person);
    Screen::text(format!(
        "В организации новый участник: {}, {}.",
        member_name(member),
        member.role.label()
    ))
    .row([
        Button::new("Изменить роль", Action::MemberShow { organization, person }),
        Button::new("Удалить", Action::MemberRemove { organization, person }),
    ])
}

/// Linked chats and the password.
pub fn security(chats: &[ChatRow], here: &ChatKey, zone: &Zone, now: Timestamp) -> Screen {
    let mut html = Html::new().bold("Безопасность").line().push("Вход выполнен:");
    let mut screen = Screen::default();
    for (row, chat) in chats.iter().zip(0_i64..) {
        let since = row.linked_at.map(|at| zone.date_time(at, now)).unwrap_or_default();
        let own = if row.key == *here { " — этот" } else { "" };
        html = html.line().push(format!("• {}, с {since}{own}", chat_name(row)));
        if row.key != *here {
            let label = ru::ellipsis(&format!("Отключить {}", chat_name(row)), 40);
            screen = screen.row([Button::new(label, Action::SecurityUnlink { chat })]);
        }
    }
    screen.html = html;
    screen
        .row([
            Button::new("Сменить пароль", Action::PasswordChange),
            Button::new("Удалить мои данные", Action::DeleteData),
        ])
        .row([Button::new("Назад", Action::Account)])
}

/// The wire's name of a chat.
pub fn chat_name(row: &ChatRow) -> &str {
    match (&row.key, row.title.is_empty()) {
        (_, false) => &row.title,
        (ChatKey::Telegram(_), true) => "Telegram",
        (ChatKey::Web(_), true) => "браузер",
    }
}

/// A sign-in from another chat, for the chats that were there before.
pub fn new_sign_in(person: crate::domain::PersonId, name: &str, at: &str) -> Screen {
    Screen::text(format!("В ваш аккаунт вошли с другого Telegram: {name}, {at}.")).row([
        Button::new("Это я", Action::SecurityMine),
        Button::new("Не я — закрыть доступ", Action::SecurityClose { person }),
    ])
}

/// The chat is a guest's again.
pub fn signed_out() -> Screen {
    Screen::text("Вы вышли. Чтобы войти снова, подтвердите номер или введите пароль.")
        .keyboard(menu::guest_keyboard())
}
