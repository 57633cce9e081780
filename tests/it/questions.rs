//! Questions between a buyer and a manager, as both see them.

use std::time::Duration;

use insta::assert_snapshot;
use partner_m::domain::{ChatKey, ThreadId};
use partner_m::services::questions::{
    QuestionError, Questions, ThreadFilter, ThreadOrder, Topic, Writer,
};

use crate::support::desk::{self, Desk};

/// Анна has asked about a price.
async fn asked(desk: &Desk) {
    desk.says("anna", "Вопросы").await;
    desk.taps("anna", "Задать вопрос").await;
    desk.taps("anna", "Цена").await;
    desk.says("anna", "Поролон 40 мм: какая цена от 100 листов?").await;
}

fn chat(persona: &str) -> ChatKey {
    desk::web(persona)
}

#[tokio::test]
async fn a_question_is_asked_by_topic_answered_and_settled() {
    let desk = Desk::calm().await;
    asked(&desk).await;
    assert_snapshot!(desk.transcript("anna"), @"
    > Вопросы
    < Вопросы · ООО «Диван-М»
      Вопросов пока нет.
      [Задать вопрос] [Закрытые]
    > [Задать вопрос]
    ✎ О чём вопрос?
      [Заказ] [Наличие и сроки]
      [Цена] [Документы и оплата]
      [Доставка] [Другое]
      [Назад]
    > [Цена]
    ✎ Цена
      Напишите вопрос.
      [Отмена]
    > Поролон 40 мм: какая цена от 100 листов?
    < Вопрос передан. Отвечаем пн–пт 09:00–18:00.
      [Открыть]
    × сообщение удалено
    ");
    desk.taps("maria", "Ответить").await;
    desk.says("maria", "От 100 листов — 310 ₽").await;
    desk.taps("maria", "Выйти").await;
    assert_snapshot!(desk.transcript("maria"), @"
    < Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Поролон 40 мм: какая цена от 100 листов?
      [Ответить] [Открыть] [Решено]
    > [Ответить]
    < Пишете в тему «Поролон 40 мм: какая цена от 100 листов?».
      [Выйти]
    > От 100 листов — 310 ₽
    ✎ Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Поролон 40 мм: какая цена от 100 листов?
      
      Отвечает: Мария, 14:05
      «От 100 листов — 310 ₽»
      [Ответить] [Открыть] [Решено]
    < Отправлено. Пишете в тему «Поролон 40 мм: какая цена от 100 листов?».
      [Выйти]
    × сообщение удалено
    > [Выйти]
    ✎ Вопросы
      Все вопросы отвечены.
      [Закрытые]
    ");
    desk.taps("anna", "Ответить").await;
    desk.says("anna", "Спасибо, беру").await;
    desk.taps("anna", "Выйти").await;
    assert_snapshot!(desk.transcript("anna"), @"
    < Поролон 40 мм: какая цена от 100 листов? · Мария
      От 100 листов — 310 ₽
      [Ответить] [Открыть]
    > [Ответить]
    < Пишете в тему «Поролон 40 мм: какая цена от 100 листов?».
      [Выйти]
    × сообщение удалено
    > Спасибо, беру
    < Отправлено. Пишете в тему «Поролон 40 мм: какая цена от 100 листов?».
      [Выйти]
    × сообщение удалено
    > [Выйти]
    ✎ Вопросы · ООО «Диван-М»
      [Поролон 40 мм: какая цена… · ждёт ответа]
      [Задать вопрос] [Закрытые]
    ");
    desk.says("maria", "Вопросы").await;
    desk.taps("maria", "ждёт с").await;
    desk.taps("maria", "Решено").await;
    assert_snapshot!(desk.transcript("maria"), @"
    < Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Спасибо, беру
      [Ответить] [Открыть] [Решено]
    > Вопросы
    < Вопросы
      [● ООО «Диван-М»: Поролон… · ждёт с 14:05]
      [Закрытые]
    × сообщение удалено
    > [ждёт с]
    < Цена · ООО «Диван-М»
      
      Анна Иванова, 14:05
      Поролон 40 мм: какая цена от 100 листов?
      
      Мария, 14:05
      От 100 листов — 310 ₽
      
      Анна Иванова, 14:05
      Спасибо, беру
      [Ответить] [Решено] [‹]
    × сообщение удалено
    > [Решено]
    ✎ Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Спасибо, беру
      
      Вопрос закрыт.
      [Открыть]
    ✎ Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Поролон 40 мм: какая цена от 100 листов?
      
      Отвечает: Мария, 14:05
      «От 100 листов — 310 ₽»
      
      Вопрос закрыт.
      [Открыть]
    < «Поролон 40 мм: какая цена от 100 листов?»: решено. Новое сообщение откроет вопрос снова.
      [Написать ещё] [Вопросы]
    × сообщение удалено
    ");
    desk.says("anna", "/questions").await;
    desk.taps("anna", "Закрытые").await;
    desk.taps("anna", "решён").await;
    desk.taps("anna", "Ответить").await;
    desk.says("anna", "Ещё вопрос: а от 200?").await;
    desk.taps("anna", "Выйти").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > /questions
    < Вопросы · ООО «Диван-М»
      Вопросов пока нет.
      [Задать вопрос] [Закрытые]
    × сообщение удалено
    > [Закрытые]
    ✎ Вопросы · ООО «Диван-М»
      [Поролон 40 мм: какая цена от 10… · решён]
      [Открытые]
    > [решён]
    < Цена · решён
      
      Анна Иванова, 14:05
      Поролон 40 мм: какая цена от 100 листов?
      
      Мария, 14:05
      От 100 листов — 310 ₽
      
      Анна Иванова, 14:05
      Спасибо, беру
      [Ответить] [‹]
    × сообщение удалено
    > [Ответить]
    < Пишете в тему «Поролон 40 мм: какая цена от 100 листов?».
      [Выйти]
    × сообщение удалено
    > Ещё вопрос: а от 200?
    < Отправлено. Пишете в тему «Поролон 40 мм: какая цена от 100 листов?».
      [Выйти]
    × сообщение удалено
    > [Выйти]
    ✎ Вопросы · ООО «Диван-М»
      [Поролон 40 мм: какая цена… · ждёт ответа]
      [Задать вопрос] [Закрытые]
    ");
    assert_snapshot!(desk.transcript("maria"), @"
    < Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Ещё вопрос: а от 200?
      [Ответить] [Открыть] [Решено]
    ✎ Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Спасибо, беру
      [Ответить] [Открыть] [Решено]
    ✎ Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Поролон 40 мм: какая цена от 100 листов?
      
      Отвечает: Мария, 14:05
      «От 100 листов — 310 ₽»
      [Ответить] [Открыть] [Решено]
    ");
}

#[tokio::test]
async fn a_list_written_in_a_thread_is_asked_about() {
    let desk = Desk::calm().await;
    asked(&desk).await;
    desk.taps("anna", "Открыть").await;
    desk.taps("anna", "Ответить").await;
    desk.transcript("anna");
    desk.says("anna", "саморез 4х25 жёлтый 4 тыс\nнитки 70лл чёрные 10").await;
    desk.taps("anna", "Заявка").await;
    assert_snapshot!(desk.transcript("anna"), @"
    > саморез 4х25 жёлтый 4 тыс
      нитки 70лл чёрные 10
    < Это заявка или ответ?
      [Заявка] [Ответ]
    × сообщение удалено
    > [Заявка]
    < Черновик заявки · ООО «Диван-М»
      2 позиции: ✅ 2
      
      ✅ 1. Саморез универсальный 4х25 желтый цинк — 4 000 шт · 0,85 ₽
           «саморез 4х25 жёлтый 4 тыс»
      ✅ 2. Нитки 70ЛЛ 2500 м черные — 10 шт · 116,42 ₽
           «нитки 70лл чёрные 10»
      
      Сумма по прайсу: 4 564,20 ₽
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
async fn a_reply_to_a_message_goes_to_its_thread() {
    let desk = Desk::calm().await;
    asked(&desk).await;
    desk.says("maria", "Все заказы").await;
    desk.transcript("maria");
    let news = desk.number(
        "select message_id from chat_slots where chat_key = 'web:maria' and slot = 'thread:1:1'",
    );
    desk.replies("maria", news, "Минуту, уточню").await;
    desk.wait(Duration::from_secs(5)).await;
    assert_snapshot!(desk.transcript("maria"), @"
    > Минуту, уточню
    ✎ Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Поролон 40 мм: какая цена от 100 листов?
      
      Отвечает: Мария, 14:05
      «Минуту, уточню»
      [Ответить] [Открыть] [Решено]
    < Отправлено. Пишете в тему «Поролон 40 мм: какая цена от 100 листов?».
      [Выйти]
    × сообщение удалено
    ");
    assert!(desk.transcript("anna").contains("Минуту, уточню"));
}

#[tokio::test]
async fn open_questions_have_pages() {
    let desk = Desk::calm().await;
    asked(&desk).await;
    for n in 2..=9 {
        desk.sql(&format!(
            "insert into threads (id, organization_id, author_id, topic, subject, created_at_ms,
                updated_at_ms) values ({n}, 1, 1, 'other', 'Вопрос {n}', 0, 0);
             insert into thread_messages (thread_id, person_id, from_staff, text, at_ms)
                values ({n}, 1, 0, 'Вопрос {n}', 0);"
        ));
    }
    for persona in ["anna", "maria"] {
        desk.says(persona, "Вопросы").await;
        desk.transcript(persona);
        desk.taps(persona, "1/2 ›").await;
        let shown = desk.transcript(persona);
        assert_eq!(shown.matches(" · ждёт").count(), 2, "{shown}");
    }
}

#[tokio::test]
async fn a_thread_of_others_gives_nothing_away() {
    let desk = Desk::calm().await;
    asked(&desk).await;
    desk.shares("tg:17", "79211234567", true).await;
    desk.says("tg:17", "Олег Петров").await;
    desk.taps("tg:17", "Я частное лицо").await;
    for _ in 0..3 {
        desk.taps("tg:17", "Пропустить").await;
    }
    desk.says("tg:17", "кресло на колёсах").await;
    desk.transcript("tg:17");
    for data in [
        "thread.show:1",
        "thread.reply:1",
        "thread.resolve:1",
        "thread.show:rs",
        "thread.as_reply",
        "thread.as_order",
    ] {
        desk.presses("tg:17", data).await;
        assert_eq!(desk.transcript("tg:17"), "☐ Этот вопрос вам недоступен.\n", "{data}");
    }
    desk.says("tg:17", "/start q_1").await;
    assert_eq!(desk.transcript("tg:17"), "> /start q_1\n< Этот вопрос вам недоступен.\n");
    let questions = Questions::new(desk.base.clone());
    let oleg = desk.accounts.who(&chat("tg:17")).await.unwrap();
    let by = Writer::of(&oleg).unwrap();
    let all = questions.list(by, ThreadFilter::default(), ThreadOrder::LastFirst, (0, 50)).await;
    assert_eq!(all.unwrap().total, 0);
    let note = questions.note(by, ThreadId(1), "x").await;
    assert!(matches!(note, Err(QuestionError::NotAllowed)));
}

#[tokio::test]
async fn the_same_event_asks_and_answers_once() {
    let desk = Desk::calm().await;
    let questions = Questions::new(desk.base.clone());
    let anna = desk.accounts.who(&chat("anna")).await.unwrap();
    let ask = || questions.ask(&anna, Topic::Other, None, "Где счёт?", Some("test:once"));
    let thread = ask().await.unwrap();
    assert_eq!(ask().await.unwrap(), thread);
    let maria =
        Writer::staff(desk.accounts.who(&chat("maria")).await.unwrap().person_id().unwrap());
    for _ in 0..3 {
        questions.reply(maria, thread, "Сейчас пришлю", Some("test:answer")).await.unwrap();
    }
    assert_eq!(desk.number("select count(*) from thread_messages"), 2);
    let empty = questions.reply(maria, thread, " \n ", None).await;
    assert!(matches!(empty, Err(QuestionError::Empty)));
}

#[tokio::test]
async fn the_views_of_the_panel_count_what_waits() {
    let desk = Desk::calm().await;
    let questions = Questions::new(desk.base.clone());
    let anna = desk.accounts.who(&chat("anna")).await.unwrap();
    let staff = desk.accounts.who(&chat("maria")).await.unwrap();
    let maria = Writer::of(&staff).unwrap();
    let ask = |text: &'static str| questions.ask(&anna, Topic::Stock, None, text, None);
    let (first, second) =
        (ask("Есть ли 100 % хлопок?").await.unwrap(), ask("Когда поролон?").await.unwrap());
    let counts = questions.counts(maria).await.unwrap();
    assert_eq!((counts.unanswered, counts.unread, counts.open, counts.mine), (2, 2, 2, 0));
    questions.reply(maria, first, "Есть", None).await.unwrap();
    questions.note(maria, second, "ждём машину").await.unwrap();
    let later = desk.base.clock.now().plus(Duration::from_hours(1));
    questions.snooze(maria, second, Some(later)).await.unwrap();
    let counts = questions.counts(maria).await.unwrap();
    assert_eq!((counts.unanswered, counts.mine, counts.snoozed, counts.open), (0, 1, 1, 2));
    let view = questions.thread(Writer::of(&anna).unwrap(), second, 50).await.unwrap();
    assert_eq!(view.messages.len(), 1, "a note is not for the client");
    questions.reply(Writer::of(&anna).unwrap(), second, "Ну что?", None).await.unwrap();
    let counts = questions.counts(maria).await.unwrap();
    assert_eq!((counts.unanswered, counts.snoozed), (1, 0), "the client's message brings it back");
    let found = |words: &str| {
        let filter = ThreadFilter { words: Some(words.to_owned()), ..ThreadFilter::default() };
        questions.list(maria, filter, ThreadOrder::WaitingFirst, (0, 50))
    };
    assert_eq!(found("100 %").await.unwrap().total, 1);
    assert_eq!(found("%").await.unwrap().total, 1, "a percent sign is itself");
    assert_eq!(found("_").await.unwrap().total, 0);
    assert_eq!(found("машину").await.unwrap().rows[0].id, second);
}

#[tokio::test]
async fn what_is_answered_and_closed_in_the_panel_is_so_in_the_chat() {
    let desk = Desk::start().await;
    asked(&desk).await;
    desk.transcript("maria");
    let questions = Questions::new(desk.base.clone());
    let maria = desk.number("select id from persons where name = 'Мария'");
    let maria = Writer::staff(partner_m::domain::PersonId(maria));
    let thread = ThreadId(desk.number("select id from threads"));
    questions.reply(maria, thread, "От 100 листов — 310 ₽", None).await.unwrap();
    desk.run().await;
    assert_snapshot!(desk.transcript("maria"), @"
    ✎ Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Поролон 40 мм: какая цена от 100 листов?
      
      Отвечает: Мария, 14:05
      «От 100 листов — 310 ₽»
      [Ответить] [Открыть] [Решено]
    ");
    questions.resolve(maria, thread).await.unwrap();
    desk.run().await;
    assert_snapshot!(desk.transcript("maria"), @"
    ✎ Вопрос: Цена · ООО «Диван-М» · Анна Иванова
      Поролон 40 мм: какая цена от 100 листов?
      
      Отвечает: Мария, 14:05
      «От 100 листов — 310 ₽»
      
      Вопрос закрыт.
      [Открыть]
    ");
    questions.reopen(maria, thread).await.unwrap();
    desk.run().await;
    desk.taps("maria", "Решено").await;
    assert!(desk.transcript("maria").contains("Вопрос закрыт."));
}
