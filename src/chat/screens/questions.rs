//! Questions: the list of threads, one thread, what is asked and answered.

use super::pager;
use crate::chat::{Action, Button, Screen};
use crate::domain::{Timestamp, Zone, ru};
use crate::formats::html::Html;
use crate::services::questions::{
    MessageRow, ThreadPage, ThreadRow, ThreadView, Topic, topic_label,
};

/// Threads on a page of the list.
pub const PAGE: u32 = 7;
/// Messages that a thread shows.
pub const SHOWN: u32 = 10;
/// The longest part of a message in a thread, in characters: ten of them fit into one message.
const IN_THREAD: usize = 330;
/// The longest part of a message in its own notice, in characters.
const IN_NOTICE: usize = 3_500;

/// Topics that a person chooses from.
pub fn topics() -> impl Iterator<Item = (usize, Topic)> {
    Topic::ALL.into_iter().filter(|topic| *topic != Topic::File).enumerate()
}

/// The threads of an organization, or those that wait for staff.
pub fn list(
    title: &str,
    found: &ThreadPage,
    (open, page): (bool, u32),
    staff: bool,
    scene: &Scene<'_>,
) -> Screen {
    let mut html = Html::new().bold(title);
    if found.rows.is_empty() {
        let none = match (open, staff) {
            (false, _) => "Закрытых вопросов нет.",
            (true, true) => "Все вопросы отвечены.",
            (true, false) => "Вопросов пока нет.",
        };
        html = html.line().push(none);
    }
    let mut screen = Screen::new(html);
    for row in &found.rows {
        let label = row_label(row, staff, scene);
        screen = screen.row([Button::new(label, Action::ThreadShow { thread: row.id })]);
    }
    let pages = found.total.div_ceil(PAGE) as usize;
    screen = screen.row(pager(page as usize, pages, |page| {
        if open { Action::ThreadsOpen { page } } else { Action::ThreadsClosed { page } }
    }));
    if !open {
        return screen.row([Button::new("Открытые", Action::Threads)]);
    }
    let mut last = Vec::new();
    if !staff {
        last.push(Button::new("Задать вопрос", Action::ThreadAsk));
    }
    last.push(Button::new("Закрытые", Action::ThreadsClosed { page: 0 }));
    screen.row(last)
}

/// What a screen needs to know of the world.
pub struct Scene<'a> {
    /// The company's zone.
    pub zone: &'a Zone,
    /// The present moment.
    pub now: Timestamp,
}

fn row_label(row: &ThreadRow, staff: bool, scene: &Scene<'_>) -> String {
    let mark = if row.unread { "● " } else { "" };
    let at = scene.zone.date_time(row.last_at, scene.now);
    let tail = match (row.open, row.last_from_staff, staff) {
        (false, _, _) => " · решён".to_owned(),
        (true, true, _) => format!(" · ответ {at}"),
        (true, false, true) => format!(" · ждёт с {at}"),
        (true, false, false) => " · ждёт ответа".to_owned(),
    };
    let who = if staff && !row.organization_name.is_empty() {
        format!("{}: ", row.organization_name)
    } else {
        String::new()
    };
    // The tail is what matters: the words give way.
    let room = 40_usize.saturating_sub(mark.chars().count() + tail.chars().count());
    format!("{mark}{}{tail}", ru::ellipsis(&format!("{who}{}", row.subject), room))
}

/// What the question is about.
pub fn ask_topic() -> Screen {
    let mut screen = Screen::text("О чём вопрос?");
    let buttons: Vec<Button> = topics()
        .map(|(number, topic)| {
            let topic_number = i64::try_from(number).unwrap_or_default();
            Button::new(topic.label(), Action::ThreadTopic { topic: topic_number })
        })
        .collect();
    for pair in buttons.chunks(2) {
        screen = screen.row(pair.to_vec());
    }
    screen.row([Button::new("Назад", Action::Threads)])
}

/// The words are waited for.
pub fn ask_words(topic: Topic) -> Screen {
    Screen::new(Html::new().bold(topic.label()).line().push("Напишите вопрос."))
        .row([Button::new("Отмена", Action::Cancel)])
}

/// The question is with the managers.
pub fn sent(thread: crate::domain::ThreadId, hours: &str) -> Screen {
    Screen::text(format!("Вопрос передан. Отвечаем {hours}."))
        .row([Button::new("Открыть", Action::ThreadShow { thread })])
}

/// A thread with its last messages.
pub fn thread(view: &ThreadView, staff: bool, scene: &Scene<'_>) -> Screen {
    let row = &view.thread;
    let mut html = Html::new().bold(topic_label(&row.topic));
    if staff && !row.organization_name.is_empty() {
        html = html.push(format!(" · {}", row.organization_name));
    }
    if let Some(number) = row.order_number {
        html = html.push(format!(" · заявка №\u{a0}{number}"));
    }
    if !row.open {
        html = html.push(" · решён");
    }
    for message in &view.messages {
        let at = scene.zone.date_time(message.at, scene.now);
        let note = if message.note { " (заметка)" } else { "" };
        html = html.line().line().bold(format!("{}{note}, {at}", message.person_name));
        html = html.line().push(ru::ellipsis(&message.text, IN_THREAD));
    }
    let thread = row.id;
    let mut buttons = vec![Button::new("Ответить", Action::ThreadReply { thread })];
    if row.open {
        buttons.push(Button::new("Решено", Action::ThreadResolve { thread }));
    }
    buttons.push(Button::new("‹", Action::Threads));
    Screen::new(html).row(buttons)
}

/// What is written goes to the thread.
pub fn reply_mode(row: &ThreadRow, sent: bool) -> Screen {
    let sent = if sent { "Отправлено. " } else { "" };
    Screen::text(format!("{sent}Пишете в тему «{}».", row.subject))
        .row([Button::new("Выйти", Action::ThreadExit)])
}

/// A list was written in a thread.
pub fn doubt() -> Screen {
    Screen::text("Это заявка или ответ?").row([
        Button::new("Заявка", Action::ThreadAsOrder),
        Button::new("Ответ", Action::ThreadAsReply),
    ])
}

/// The question is settled.
pub fn resolved(row: &ThreadRow) -> Screen {
    Screen::text(format!("«{}»: решено. Новое сообщение откроет вопрос снова.", row.subject)).row([
        Button::new("Написать ещё", Action::ThreadReply { thread: row.id }),
        Button::new("Вопросы", Action::Threads),
    ])
}

/// A message, for the other side. `answer`: what staff wrote after it; `file`: where the file that
/// came with it is downloaded.
pub fn news(
    row: &ThreadRow,
    message: &MessageRow,
    answer: Option<&MessageRow>,
    file: Option<String>,
    scene: &Scene<'_>,
) -> Screen {
    let mut html = Html::new();
    if message.from_staff {
        html = html.bold(format!("{} · {}", row.subject, message.person_name));
    } else {
        let organization = if row.organization_name.is_empty() {
            String::new()
        } else {
            format!(" · {}", row.organization_name)
        };
        let topic = topic_label(&row.topic);
        html = html.bold(format!("Вопрос: {topic}{organization} · {}", message.person_name));
    }
    html = html.line().push(ru::ellipsis(&message.text, IN_NOTICE));
    let thread = row.id;
    let mut buttons = vec![
        Button::new("Ответить", Action::ThreadReply { thread }),
        Button::new("Открыть", Action::ThreadShow { thread }),
    ];
    if !message.from_staff {
        if let Some(answer) = answer {
            let at = scene.zone.date_time(answer.at, scene.now);
            html = html.line().line().push(format!("Отвечает: {}, {at}", answer.person_name));
            html = html.line().italic(format!("«{}»", ru::ellipsis(&answer.text, IN_THREAD)));
        }
        if !row.open {
            let html = html.line().line().push("Вопрос закрыт.");
            return Screen::new(html)
                .row([Button::new("Открыть", Action::ThreadShow { thread })])
                .row(file.map(|url| Button::link("Скачать файл", url)));
        }
        buttons.push(Button::new("Решено", Action::ThreadResolve { thread }));
    }
    let download = file.map(|url| Button::link("Скачать файл", url));
    Screen::new(html).row(buttons).row(download)
}

/// A question that is not answered for long, for staff.
pub fn waits(row: &ThreadRow, scene: &Scene<'_>) -> Screen {
    let who =
        if row.organization_name.is_empty() { &row.author_name } else { &row.organization_name };
    let waits = crate::domain::time::ago(scene.now.since(row.last_at));
    Screen::text(format!("Вопрос «{}» · {who} ждёт ответа уже {waits}.", row.subject)).row([
        Button::new("Ответить", Action::ThreadReply { thread: row.id }),
        Button::new("Открыть", Action::ThreadShow { thread: row.id }),
    ])
}
