//! Arguments in Russian: help, and what is wrong with a command line.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use super::{Cli, Exit, Failure, VERSION};

/// Why a command line does not lead to a command.
pub enum Stop {
    /// It asked for help or the version: this text.
    Shown(String),
    /// It is wrong.
    Wrong(Failure),
}

const TEMPLATE: &str = "\
{about}

{before-help}Использование: {usage}

{all-args}
";

/// The command line's definition.
pub fn command() -> Command {
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help)
        .help("Показать эту справку")
        .help_heading("Общие параметры")
        .global(true);
    let version = Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version)
        .help("Показать версию")
        .help_heading("Общие параметры");
    let command = Cli::command()
        .version(VERSION)
        .disable_version_flag(true)
        .disable_help_flag(true)
        .arg(help)
        .arg(version);
    russian(command, "partner-m")
}

fn russian(command: Command, path: &str) -> Command {
    let mut usage = format!("{path} [ПАРАМЕТРЫ]");
    for argument in command.get_positionals() {
        let name = argument.get_value_names().and_then(|names| names.first());
        let name = name.map_or_else(|| argument.get_id().to_string(), ToString::to_string);
        let many =
            if argument.get_num_args().is_some_and(|n| n.max_values() > 1) { "…" } else { "" };
        if argument.is_required_set() {
            let _ = write!(usage, " {name}{many}");
        } else {
            let _ = write!(usage, " [{name}]{many}");
        }
    }
    if command.has_subcommands() {
        usage.push_str(" [КОМАНДА]");
    }
    let names: Vec<_> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let mut command = command
        .help_template(TEMPLATE)
        .override_usage(usage)
        .subcommand_help_heading("Команды")
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .mut_args(|argument| {
            let argument = if argument.get_action().takes_values() {
                argument.hide_default_value(true).hide_possible_values(true)
            } else {
                argument
            };
            match argument.get_help_heading() {
                Some(_) => argument,
                None if argument.is_positional() => argument.help_heading("Аргументы"),
                None => argument.help_heading("Параметры"),
            }
        });
    for name in names {
        let path = format!("{path} {name}");
        command = command.mut_subcommand(name, |sub| russian(sub, &path));
    }
    command
}

/// Reads the command line.
pub fn parse(arguments: &[OsString]) -> Result<Cli, Stop> {
    let matches = command().try_get_matches_from(arguments).map_err(|e| stop(&e))?;
    Cli::from_arg_matches(&matches).map_err(|e| stop(&e))
}

fn stop(error: &clap::Error) -> Stop {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Stop::Shown(error.render().to_string())
        }
        _ => {
            let (message, hint) = explain(error);
            Stop::Wrong(Failure::new(Exit::Usage, message, hint))
        }
    }
}

fn explain(error: &clap::Error) -> (String, String) {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    // «<ФАЙЛ>», «--color <КОГДА>»: the name without brackets.
    let argument = text(ContextKind::InvalidArg);
    let value = text(ContextKind::InvalidValue);
    let near = |kind| match text(kind) {
        near if near.is_empty() => String::new(),
        near => format!(", возможно «{}»", near.split(", ").next().unwrap_or(&near)),
    };
    let mut hint = "посмотрите partner-m --help".to_owned();
    let message = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let given = text(ContextKind::InvalidSubcommand);
            let known = near(ContextKind::SuggestedSubcommand);
            let known = if known.is_empty() { nearest_command(&given) } else { known };
            format!("нет команды «{given}»{known}")
        }
        ErrorKind::UnknownArgument => {
            format!("нет параметра «{argument}»{}", near(ContextKind::SuggestedArg))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("параметру «{argument}» нужно значение")
        }
        ErrorKind::InvalidValue => {
            let choices = text(ContextKind::ValidValue);
            if !choices.is_empty() {
                hint = format!("подойдёт одно из: {choices}");
            }
            format!("«{value}» не подходит для «{argument}»{}", near(ContextKind::SuggestedValue))
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(|why| format!(": {why}"));
            format!("«{value}» не подходит для «{argument}»{}", why.unwrap_or_default())
        }
        ErrorKind::MissingRequiredArgument => format!("не указано: {argument}"),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let known = text(ContextKind::ValidSubcommand);
            if !known.is_empty() {
                hint = format!("подойдёт одна из: {known}");
            }
            "не хватает команды или её аргументов".to_owned()
        }
        ErrorKind::ArgumentConflict => {
            let other = text(ContextKind::PriorArg);
            if argument == other {
                format!("«{argument}» указан дважды")
            } else {
                format!("«{argument}» и «{other}» не сочетаются")
            }
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("у «{argument}» не столько значений, сколько нужно")
        }
        ErrorKind::NoEquals => format!("значение «{argument}» пишется через «=»"),
        ErrorKind::InvalidUtf8 => "аргумент не в UTF-8".to_owned(),
        _ => error.render().to_string().trim().to_owned(),
    };
    (message, hint)
}

fn nearest_command(given: &str) -> String {
    let command = command();
    let mut names: Vec<(usize, &str)> = command
        .get_subcommands()
        .map(|sub| (strsim::damerau_levenshtein(sub.get_name(), given), sub.get_name()))
        .collect();
    names.sort_unstable();
    match names.first() {
        Some((distance, name)) if *distance <= 2 => format!(", возможно «{name}»"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    fn wrong(line: &str) -> String {
        let arguments: Vec<_> = line.split(' ').map(OsString::from).collect();
        match parse(&arguments) {
            Err(Stop::Wrong(failure)) => format!("{} / {}", failure.message, failure.hint),
            Err(Stop::Shown(text)) => panic!("shows {text}"),
            Ok(cli) => panic!("is taken as {cli:?}"),
        }
    }

    #[test]
    fn mistakes_are_told_in_russian_with_what_was_probably_meant() {
        insta::assert_snapshot!(wrong("partner-m chek"), @"нет команды «chek», возможно «check» / посмотрите partner-m --help");
        insta::assert_snapshot!(wrong("partner-m check --jsno"), @"нет параметра «--jsno», возможно «--json» / посмотрите partner-m --help");
        insta::assert_snapshot!(wrong("partner-m --color red check"), @"«red» не подходит для «--color <КОГДА>» / подойдёт одно из: auto, always, never");
        insta::assert_snapshot!(wrong("partner-m completions"), @"не указано: <ОБОЛОЧКА> / посмотрите partner-m --help");
        insta::assert_snapshot!(wrong("partner-m check extra"), @"нет параметра «extra» / посмотрите partner-m --help");
        insta::assert_snapshot!(wrong("partner-m --config"), @"параметру «--config <ФАЙЛ>» нужно значение / посмотрите partner-m --help");
    }
}
