//! The panel's pages and what is done on them, found by the words that people have for them.

use crate::domain::Role;

/// A page, or something that is done on one.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// What it is called.
    pub title: &'static str,
    /// Where it is.
    pub href: &'static str,
    /// Who may open it.
    role: Role,
    /// What else people call it.
    words: &'static str,
}

const fn all(title: &'static str, href: &'static str, words: &'static str) -> Place {
    Place { title, href, role: Role::Manager, words }
}

const fn admin(title: &'static str, href: &'static str, words: &'static str) -> Place {
    Place { title, href, role: Role::Admin, words }
}

const PLACES: &[Place] = &[
    all("Сегодня", "/admin", "главная цифры статистика показатели сводка внимание"),
    all("Заказы", "/admin/orders", "заявки список"),
    all("Заявка за клиента", "/admin/orders/new", "новая создать добавить заказ оформить"),
    all("Вопросы", "/admin/questions", "сообщения переписка обращения темы чаты"),
    all("Готовые ответы", "/admin/questions/replies", "шаблоны заготовки"),
    all("Каталог", "/admin/catalog", "товары номенклатура остатки цены прайс склад категории"),
    admin(
        "Загрузить каталог из файла",
        "/admin/catalog/import",
        "импорт загрузка товары прайс лист цены остатки excel xlsx csv таблица",
    ),
    all("Клиенты", "/admin/clients", "организации покупатели контрагенты компании инн выгрузка"),
    admin(
        "Загрузить клиентов из файла",
        "/admin/clients/import",
        "импорт загрузка организации контрагенты excel xlsx csv таблица",
    ),
    all("Люди", "/admin/people", "сотрудники менеджеры пользователи роли пароль доступ телефоны"),
    all("Запросы доступа", "/admin/requests", "регистрация подтвердить новые"),
    all("Поиск", "/admin/search", "распознавание проверка разбор стенд"),
    all("Журнал распознавания", "/admin/search/log", "запросы история"),
    all("Пробелы", "/admin/search/gaps", "нераспознанное неизвестные слова не нашлось"),
    all("Эталоны", "/admin/search/cases", "импорт прогон тесты образцы"),
    all("Модель", "/admin/search/models", "gigachat openai ollama нейросеть ии llm"),
    all("Синонимы", "/admin/synonyms", "импорт выгрузка названия слова замены"),
    all("Выучено, проверьте", "/admin/synonyms/learnt", "обучение названия клиентов"),
    all("Обмен с 1С", "/admin/exchange", "синхронизация обновить забрать выгрузка 1с импорт"),
    all("Очередь в 1С", "/admin/exchange/queue", "выгрузка заказы отправить обмен"),
    all("Подключение 1С", "/admin/exchange/connect", "настроить обмен токен адрес логин"),
    all("Соответствия с 1С", "/admin/exchange/mapping", "статусы виды цен склады единицы обмен"),
    all("Сессии", "/admin/sessions", "входы устройства завершить выйти"),
    admin("Журнал", "/admin/audit", "аудит история действия изменения кто изменил"),
    admin("Резервные копии", "/admin/backups", "бэкап бекап backup восстановление создать скачать"),
    admin("Настройки", "/admin/settings", "параметры название компания часы работы телефон тексты"),
    admin("Исходящие", "/admin/outbox", "недоставленные сообщения рассылка отправка повторить"),
    admin("Состояние", "/admin/health", "здоровье диагностика ошибки бот диск версия"),
];

/// The places of the role whose title or other words have every word of the query.
pub fn find(query: &str, role: Role) -> Vec<Place> {
    let stems: Vec<String> = words(query).map(|word| stem(&word)).collect();
    if stems.is_empty() {
        return Vec::new();
    }
    let fits = |place: &&Place| {
        let all: Vec<String> = words(place.title).chain(words(place.words)).collect();
        stems.iter().all(|stem| all.iter().any(|word| word.starts_with(stem.as_str())))
    };
    PLACES.iter().filter(|place| role >= place.role).filter(fits).copied().collect()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let lower = text.to_lowercase().replace('ё', "е");
    let words: Vec<String> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !matches!(*word, "с" | "в" | "из" | "за" | "и" | "на"))
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

/// A word without what changes at its end: «резервная» and «резервные» begin alike.
fn stem(word: &str) -> String {
    let length = word.chars().count();
    let kept = if length < 5 { length } else { (length - 2).max(3) };
    word.chars().take(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hrefs(query: &str, role: Role) -> Vec<&'static str> {
        find(query, role).into_iter().map(|place| place.href).collect()
    }

    #[test]
    fn a_page_is_found_by_what_people_call_it() {
        for (query, href) in [
            ("импорт", "/admin/catalog/import"),
            ("Импорт клиентов", "/admin/clients/import"),
            ("резервная копия", "/admin/backups"),
            ("бэкап", "/admin/backups"),
            ("загрузить прайс", "/admin/catalog/import"),
            ("новая заявка", "/admin/orders/new"),
            ("сотрудники", "/admin/people"),
            ("обмен с 1С", "/admin/exchange"),
            ("настройк", "/admin/settings"),
        ] {
            assert!(hrefs(query, Role::Admin).contains(&href), "{query}");
        }
    }

    #[test]
    fn nobody_is_led_where_they_may_not_go() {
        assert!(hrefs("резервная копия", Role::Manager).is_empty());
        assert!(!hrefs("импорт", Role::Manager).contains(&"/admin/catalog/import"));
        for query in ["", " ", "-", "саморез", "zzzz"] {
            assert!(hrefs(query, Role::Admin).is_empty(), "{query}");
        }
    }
}
