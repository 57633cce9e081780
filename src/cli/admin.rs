//! `partner-m admin`: accounts of the company's own people.

use std::io::Read;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::json;

use super::terminal::{Terminal, table};
use super::{Exit, Failure, Global, Outcome, open_existing, runtime};
use crate::app::App;
use crate::domain::{Phone, Role};
use crate::services::accounts::{AccountError, Actor, NewStaff, StaffMember};

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Завести сотрудника; пароль спрашивается или берётся со стандартного ввода
    #[command(before_help = "Примеры:
  partner-m admin create --phone '+7 921 123-45-67' --name 'Анна Иванова'
  partner-m admin create --phone 89211234567 --name Мария --role manager
  pass show partner-m | partner-m admin create --phone 89211234567 --name Анна --password-stdin")]
    Create(NewAccount),
    /// Показать сотрудников
    #[command(before_help = "Примеры:
  partner-m admin list
  partner-m admin list --json
  partner-m admin list --data /var/lib/partner-m")]
    List,
    /// Сменить пароль; все входы этого человека закончатся
    #[command(before_help = "Примеры:
  partner-m admin passwd 89211234567
  pass show partner-m | partner-m admin passwd 89211234567 --password-stdin
  partner-m admin passwd '+7 921 123-45-67' --data /var/lib/partner-m")]
    Passwd {
        /// Телефон сотрудника
        #[arg(value_name = "ТЕЛЕФОН")]
        phone: Phone,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Сменить роль: admin, manager или client
    #[command(before_help = "Примеры:
  partner-m admin role 89211234567 manager
  partner-m admin role 89211234567 admin
  partner-m admin role 89211234567 client")]
    Role {
        /// Телефон сотрудника
        #[arg(value_name = "ТЕЛЕФОН")]
        phone: Phone,
        /// Роль
        #[arg(value_name = "РОЛЬ")]
        role: RoleName,
    },
    /// Закрыть доступ или открыть снова
    #[command(before_help = "Примеры:
  partner-m admin block 89211234567
  partner-m admin block 89211234567 --off
  partner-m admin block '+7 921 123-45-67' --json")]
    Block {
        /// Телефон сотрудника
        #[arg(value_name = "ТЕЛЕФОН")]
        phone: Phone,
        /// Открыть доступ снова
        #[arg(long)]
        off: bool,
    },
}

/// Who is to get an account.
#[derive(Debug, Args)]
pub struct NewAccount {
    /// Телефон
    #[arg(long, value_name = "ТЕЛЕФОН")]
    phone: Phone,
    /// Имя, как его увидят коллеги
    #[arg(long, value_name = "ИМЯ")]
    name: String,
    /// Роль: admin или manager (по умолчанию admin)
    #[arg(long, value_name = "РОЛЬ", default_value = "admin")]
    role: RoleName,
    #[command(flatten)]
    password: PasswordSource,
}

/// Where a password comes from. Never from an argument: those are seen in `ps`.
#[derive(Debug, Clone, Copy, Args)]
pub struct PasswordSource {
    /// Прочитать пароль со стандартного ввода
    #[arg(long)]
    pub password_stdin: bool,
}

/// A role as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Everything.
    Admin,
    /// Orders and questions.
    Manager,
    /// No staff any more.
    Client,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::Manager => Self::Manager,
            RoleName::Client => Self::Client,
        }
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a list")]
struct Row {
    id: i64,
    name: String,
    phone: Option<String>,
    role: &'static str,
    from_settings: bool,
    blocked: bool,
    on_shift: bool,
    has_password: bool,
    chats: usize,
    seen_at: Option<String>,
}

/// Does it.
pub fn run(global: &Global, command: AdminCommand, terminal: &Terminal) -> Outcome {
    let (app, _) = open_existing(global)?;
    let runtime = runtime()?;
    match command {
        AdminCommand::Create(new) => {
            let password = password(new.password, terminal)?;
            let made =
                create(&app, &runtime, new.phone.clone(), new.name, new.role.into(), password)?;
            let role = Role::from(new.role).label();
            terminal.data(&json!({ "id": made }), || format!("{role} заведён: {}\n", new.phone));
        }
        AdminCommand::List => {
            let staff = runtime.block_on(app.accounts.staff())?;
            let rows: Vec<_> = staff.into_iter().map(|member| row(member, &app)).collect();
            terminal.data(&rows, || human(&rows));
        }
        AdminCommand::Passwd { phone, password: source } => {
            let person = find(&app, &runtime, &phone)?;
            let password = password(source, terminal)?;
            let cli = Actor::cli();
            let done = app.accounts.set_password(&cli, person.id, &password);
            runtime.block_on(done)?;
            terminal.data(&json!({ "id": person.id.0 }), || "пароль сменён\n".to_owned());
        }
        AdminCommand::Role { phone, role } => {
            let person = find(&app, &runtime, &phone)?;
            let role = Role::from(role);
            runtime.block_on(app.accounts.set_role(&Actor::cli(), person.id, role))?;
            let settings = "роль этого телефона задана в настройках (access.*_phones) и остаётся";
            if person.from_settings {
                terminal.say(settings);
            }
            let data = json!({ "id": person.id.0, "role": role.as_str() });
            terminal.data(&data, || format!("{}: {}\n", person.name, role.label()));
        }
        AdminCommand::Block { phone, off } => {
            let person = find(&app, &runtime, &phone)?;
            runtime.block_on(app.accounts.set_blocked(&Actor::cli(), person.id, !off))?;
            let data = json!({ "id": person.id.0, "blocked": !off });
            let word = if off { "доступ открыт" } else { "доступ закрыт" };
            terminal.data(&data, || format!("{}: {word}\n", person.name));
        }
    }
    Ok(Exit::Done)
}

/// Makes an account; its number.
pub fn create(
    app: &App,
    runtime: &tokio::runtime::Runtime,
    phone: Phone,
    name: String,
    role: Role,
    password: String,
) -> Result<i64, Failure> {
    let new = NewStaff { phone, name, role, password };
    Ok(runtime.block_on(app.accounts.create_staff(&Actor::cli(), new))?.0)
}

fn find(
    app: &App,
    runtime: &tokio::runtime::Runtime,
    phone: &Phone,
) -> Result<StaffMember, Failure> {
    let staff = runtime.block_on(app.accounts.staff())?;
    staff.into_iter().find(|member| member.phone.as_ref() == Some(phone)).ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            "сотрудника с таким телефоном нет",
            "посмотрите partner-m admin list; нового заведёт partner-m admin create",
        )
    })
}

fn row(member: StaffMember, app: &App) -> Row {
    Row {
        id: member.id.0,
        name: member.name,
        phone: member.phone.map(|phone| phone.as_str().to_owned()),
        role: member.role.as_str(),
        from_settings: member.from_settings,
        blocked: member.blocked,
        on_shift: member.on_shift,
        has_password: member.has_password,
        chats: member.chats,
        seen_at: member.seen_at.map(|at| app.base.zone.rfc3339(at)),
    }
}

fn human(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "сотрудников нет; первого заведёт partner-m admin create\n".to_owned();
    }
    let mut lines =
        vec![["телефон", "имя", "роль", "состояние", "был"].map(str::to_owned).to_vec()];
    for row in rows {
        let phone = row.phone.as_ref().and_then(|phone| phone.parse::<Phone>().ok());
        let role = row.role.parse::<Role>().map_or(row.role, Role::label);
        let state = match row {
            Row { blocked: true, .. } => "доступ закрыт",
            Row { has_password: false, chats: 0, .. } => "ещё не входил",
            Row { from_settings: true, .. } => "роль из настроек",
            _ => "",
        };
        lines.push(vec![
            phone.map(|phone| phone.to_string()).unwrap_or_default(),
            row.name.clone(),
            role.to_owned(),
            state.to_owned(),
            row.seen_at.clone().unwrap_or_default(),
        ]);
    }
    table(&lines)
}

/// Asks for a new password twice, or reads it from stdin.
pub fn password(source: PasswordSource, terminal: &Terminal) -> Result<String, Failure> {
    if source.password_stdin {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|error| {
            Failure::new(
                Exit::Failed,
                format!("пароль не читается: {error}"),
                "передайте его в UTF-8",
            )
        })?;
        // The line break that `echo` adds is no part of it.
        let end = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(end);
        return Ok(text);
    }
    if !terminal.may_ask() {
        return Err(Failure::new(
            Exit::Usage,
            "пароль спросить некого: ввод не с терминала",
            "передайте его через --password-stdin",
        ));
    }
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Failed, format!("пароль не читается: {error}"), "введите его ещё раз")
    };
    let first = rpassword::prompt_password("Пароль (от 8 символов): ").map_err(failed)?;
    let second = rpassword::prompt_password("Ещё раз: ").map_err(failed)?;
    if first != second {
        return Err(Failure::new(Exit::Failed, "пароли не совпали", "запустите команду снова"));
    }
    Ok(first)
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        let (exit, hint) = match &error {
            AccountError::Storage(_) => (Exit::Failed, "проверьте базу: partner-m check"),
            AccountError::NotFound => (Exit::NotFound, "посмотрите partner-m admin list"),
            AccountError::LastAdmin => {
                (Exit::Failed, "сначала сделайте администратором другого: partner-m admin create")
            }
            AccountError::Password(_) => (Exit::Failed, "придумайте другой, от 8 символов"),
            AccountError::StaffExists { .. } => (
                Exit::Failed,
                "пароль меняет partner-m admin passwd, роль — admin role, доступ открывает admin \
                 block --off",
            ),
            AccountError::Blocked => (Exit::Failed, "сначала откройте его в панели: «Клиенты»"),
            AccountError::NoName => (Exit::Usage, "укажите его: --name ИМЯ"),
            AccountError::NotAllowed => (Exit::Usage, "роль сотрудника: admin или manager"),
            _ => (Exit::Failed, "повторите через минуту"),
        };
        let message = error.to_string();
        let message = message.trim_end_matches('.').to_owned();
        Self::new(exit, message, hint).because(error)
    }
}
