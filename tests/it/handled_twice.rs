//! Dead after it changed something and before it said so: the event is handled again, changes
//! nothing more, and the person sees what they would have seen.

use crate::support::desk::Desk;

/// What people have done, without moments and ids that a second try may use up.
const DONE: &str = "
    select 'order ' || number || ' ' || status || ' ' || total_kopecks || ' ' || delivery_kind
        || ' ' || delivery_address || ' ' || comment || ' ' || coalesce(manager_id, '-')
        from orders
    union all
    select 'line ' || o.number || ' ' || l.position || ' ' || l.state || ' ' || l.title || ' '
        || coalesce(l.quantity_thousandths, '-')
        from order_lines l join orders o on o.id = l.order_id
    union all
    select 'event ' || o.number || ' ' || e.kind || ' ' || e.text
        from order_events e join orders o on o.id = e.order_id
    union all
    select 'thread ' || topic || ' ' || subject || ' ' || state from threads
    union all
    select 'message ' || text from thread_messages
    union all
    select 'draft ' || d.state || ' ' || l.position || ' ' || l.raw || ' ' || l.state
        from drafts d join draft_lines l on l.draft_id = d.id
    union all
    select 'template ' || t.name || ' ' || t.revision || ' ' || l.title
        from templates t join template_lines l on l.template_id = t.id
    union all
    select 'word ' || phrase from learnt_phrases
    union all
    select 'person ' || p.name || ' ' || p.phone || ' ' || count(m.organization_id)
        from persons p left join members m on m.person_id = p.id group by p.id
    union all
    select 'told ' || chat_key || ' ' || count(*) from outbox
        where payload like '%\"Notice\"%' or payload like '%notice%' group by chat_key";

/// Tells one story to a program that lives and to one that dies at every step.
async fn twice(people: &[&str], story: impl AsyncFn(&Desk)) {
    let (sound, dying) = (Desk::start().await, Desk::forgetful().await);
    story(&sound).await;
    story(&dying).await;
    for person in people {
        let (once, again) = (sound.screen(person), dying.screen(person));
        assert_eq!(again, once, "what {person} sees");
    }
    let facts = |desk: &Desk| {
        let mut rows = desk.rows(DONE);
        rows.sort();
        rows
    };
    assert_eq!(facts(&dying), facts(&sound));
}

#[tokio::test]
async fn an_order_is_written_sent_and_taken() {
    twice(&["anna", "maria"], async |desk| {
        desk.says("anna", "саморез 4х25 жёлтый 4 тыс, молния рулон чёрная 2 рул, ткань велес 10 м")
            .await;
        desk.taps("anna", "Уточнить").await;
        desk.says("anna", "т7").await;
        desk.taps("anna", "Менеджеру").await;
        desk.taps("anna", "Оформить").await;
        desk.taps("anna", "Дата").await;
        desk.taps("anna", "Завтра").await;
        desk.taps("anna", "Комментарий").await;
        desk.says("anna", "звонить на склад").await;
        desk.taps("anna", "Отправить").await;
        desk.taps("maria", "Принять").await;
        desk.taps("maria", "Написать").await;
        desk.says("maria", "Велеса нет, подберём другую").await;
        desk.taps("maria", "Подобрать").await;
        desk.says("maria", "спанбонд белый").await;
        desk.taps("maria", "Спанбонд 70 г/м2 белый").await;
        // The client wrote metres of what is sold in rolls.
        desk.says("maria", "1 рул").await;
        desk.taps("maria", "Собирается").await;
    })
    .await;
}

#[tokio::test]
async fn an_order_is_changed_and_a_draft_is_added_to_it() {
    twice(&["anna", "maria"], async |desk| {
        desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
        desk.taps("anna", "Отправить").await;
        desk.taps("anna", "Изменить").await;
        desk.says("anna", "спанбонд 70 белый 2 рул").await;
        desk.taps("anna", "Сохранить").await;
        desk.says("anna", "нитки 70ЛЛ черные 10").await;
        desk.taps("anna", "Добавить в заказ").await;
        desk.taps("anna", "№ 1001").await;
    })
    .await;
}

#[tokio::test]
async fn a_template_is_saved_renamed_used_replaced_and_deleted() {
    twice(&["anna"], async |desk| {
        desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
        desk.taps("anna", "Отправить").await;
        for name in ["Пятница", "Среда"] {
            desk.taps("anna", "Открыть").await;
            desk.taps("anna", "В шаблон").await;
            desk.says("anna", name).await;
            desk.taps("anna", "Шаблоны").await;
            desk.taps("anna", name).await;
            desk.taps("anna", "Переименовать").await;
            desk.says("anna", &format!("{name}, цех 2")).await;
        }
        desk.taps("anna", "В заявку").await;
        desk.presses("anna", "order.show:1").await;
        desk.taps("anna", "В шаблон").await;
        desk.says("anna", "пятница, цех 2").await;
        desk.taps("anna", "Заменить").await;
        desk.taps("anna", "Шаблоны").await;
        desk.taps("anna", "Среда").await;
        desk.taps("anna", "Удалить").await;
        desk.taps("anna", "Удалить").await;
    })
    .await;
}

#[tokio::test]
async fn a_question_is_asked_answered_and_closed() {
    twice(&["anna", "maria"], async |desk| {
        desk.says("anna", "Вопросы").await;
        desk.taps("anna", "Задать вопрос").await;
        desk.taps("anna", "Цена").await;
        desk.says("anna", "Поролон 40 мм: какая цена от 100 листов?").await;
        desk.taps("maria", "Ответить").await;
        desk.says("maria", "От 100 листов — 310 ₽").await;
        desk.taps("anna", "Ответить").await;
        desk.says("anna", "Спасибо, беру").await;
    })
    .await;
}

#[tokio::test]
async fn an_order_is_refused_and_another_cancelled() {
    twice(&["anna", "maria"], async |desk| {
        desk.says("anna", "саморез 4х25 жёлтый 4000 шт").await;
        desk.taps("anna", "Отправить").await;
        desk.taps("maria", "Отклонить").await;
        desk.taps("maria", "Нет товара").await;
        desk.taps("maria", "Отправить").await;
        desk.says("anna", "спанбонд 70 белый 2 рул").await;
        desk.taps("anna", "Отправить").await;
        desk.taps("anna", "Отменить").await;
        desk.taps("anna", "Долго ждать").await;
        desk.taps("anna", "Вернуть").await;
    })
    .await;
}

#[tokio::test]
async fn a_stranger_registers() {
    // The account was there already: the second try says «С возвращением».
    twice(&[], async |desk| {
        desk.says("tg:17", "/start").await;
        desk.shares("tg:17", "79211234567", true).await;
        desk.says("tg:17", "Петров Олег Ильич").await;
        desk.says("tg:17", "ООО «Кресло»").await;
        desk.says("tg:17", "г. Энгельс, ул. Полтавская, 12").await;
        desk.taps("tg:17", "09:00–18:00").await;
        desk.says("tg:17", "oleg@kreslo.ru").await;
        desk.says("tg:17", "кресло на колёсах").await;
        desk.says("tg:17", "саморез 4х25 жёлтый 4000 шт").await;
        desk.taps("tg:17", "Отправить").await;
    })
    .await;
}
