//! Words of talk, not of goods: greetings, requests, delivery, corrections. A language, not a trade.

mod fillers;

use super::normalize::{WordSet, among};
use super::vocabulary::cyrillic;
use fillers::FILLERS;

/// Words that ask, thank and connect; they never name a product.
pub(crate) fn is_filler(word: &str) -> bool {
    static SET: WordSet = WordSet::new();
    // «nado»: short Latin words are rather names.
    let latin = word.len() >= 4 && word.bytes().all(|b| b.is_ascii_lowercase());
    among(&SET, FILLERS, word)
        || latin && among(&SET, FILLERS, &cyrillic(word))
        // «докинь» is said as «докиньте» is
        || word.len() > 6
            && word.ends_with(['ь', 'и', 'й'])
            && among(&SET, FILLERS, &format!("{word}те"))
}

/// Whether a word thanks, or ends a message politely.
pub(crate) fn thanks(word: &str) -> bool {
    const THANKS: &[&str] =
        &["спасибо", "заранее", "пожалуйста", "благодарю", "благодарим", "жду", "ждем", "плиз"];
    THANKS.contains(&word)
}

/// Whether a word is a verb that bids somebody do something: «отрежьте», «приготовьте».
fn bids(word: &str) -> bool {
    const ONE: &[&str] =
        &["посчитай", "запиши", "отложи", "отправь", "пришли", "подготовь", "оформи", "собери"];
    ONE.contains(&word)
        || word.chars().count() > 5 && ["йте", "ьте", "ите"].iter().any(|e| word.ends_with(e))
}

/// Whether a word that the catalogue does not know is a verb after «просим»: «дослать», «отгрузить».
pub(crate) fn is_infinitive(word: &str) -> bool {
    const NOUNS: &[&str] = &["кровать", "печать", "тетрадь"];
    let ends = ["ать", "ить", "ять", "еть", "уть", "езти"].iter().any(|e| word.ends_with(e));
    ends && word.chars().count() >= 6 && !NOUNS.contains(&word)
}

/// Whether a word is a verb of what somebody does or bids: «интересуюсь», «отрежьте».
pub(crate) fn is_verb(word: &str) -> bool {
    let reflexive = ["юсь", "усь", "емся", "имся", "тесь", "ться"];
    bids(word) || word.chars().count() > 5 && reflexive.iter().any(|e| word.ends_with(e))
}

/// Whether a word that the catalogue does not know is a verb of what somebody does: «собираем»,
/// «начинает».
pub(crate) fn is_finite(word: &str) -> bool {
    const ENDINGS: &[&str] =
        &["аем", "яем", "уем", "ает", "яет", "ует", "ают", "яют", "уют", "ается", "уется"];
    word.chars().count() >= 6 && ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Whether a stem is of a word that names what the next one tells: «форма свеча», «производитель IEK».
pub(crate) fn names_parameter(stem: &str) -> bool {
    const PARAMETERS: &[&str] = &[
        "ток",
        "утечк",
        "форм",
        "свет",
        "мощност",
        "производител",
        "изготовител",
        "бренд",
        "марк",
        "фирм",
        "материал",
        "исполнен",
        "характеристик",
        "прочност",
        "сечен",
        "напряжен",
        "цокол",
        "декор",
        "оттенок",
        "стенк",
    ];
    PARAMETERS.contains(&stem)
}

/// Whether the words tell of an order that was: «мы у вас брали в том месяце».
pub(crate) fn tells_of_the_past(words: &[&str]) -> bool {
    const PAST: &[&str] = &[
        "брал",
        "заказывал",
        "покупал",
        "взял",
        "купил",
        "приходил",
        "привозил",
        "присылал",
        "отгружал",
        "получил",
        "получал",
        "довез",
    ];
    let now = |w: &&str| {
        matches!(
            *w,
            "надо"
                | "нужно"
                | "нужен"
                | "нужна"
                | "нужны"
                | "дайте"
                | "хочу"
                | "хотим"
        )
    };
    let last = words.windows(2).any(|w| w[0].starts_with("прошл") && w[1] != "заказ");
    let told = words.iter().any(|w| PAST.iter().any(|p| w.starts_with(p)));
    // «Я бы взял…» orders.
    let would = words.contains(&"бы");
    (told || last && !words.contains(&"как")) && !would && !words.iter().any(now)
}

/// What a piece of talk is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Talk {
    /// Nothing in particular.
    #[default]
    None,
    /// «Добрый день», «спасибо».
    Greeting,
    /// Where, when and how to bring it; who pays and who calls.
    Delivery,
}

/// What the words of a piece speak of, if not of goods.
pub(crate) fn talk(words: &[&str]) -> Talk {
    if words.iter().any(|w| is_delivery(w)) {
        return Talk::Delivery;
    }
    if words.iter().any(|w| is_greeting(w)) {
        return Talk::Greeting;
    }
    Talk::None
}

/// Whether the word greets, thanks or takes leave.
pub(crate) fn is_greeting(word: &str) -> bool {
    GREETINGS.iter().any(|s| word.starts_with(s))
}

/// How words of greeting, thanks and leave begin.
const GREETINGS: &[&str] = &[
    "здравств",
    "приветств",
    "спасиб",
    "благодар",
    "уважаем",
    "уважени",
    "доброго",
    "добрый",
    "доброе",
    "добрая",
    "привет",
    "хорошего",
    "хороших",
    "всего",
    "алло",
    "здорово",
    "салют",
    "коллеги",
    "спс",
    "zdravstv",
    "privet",
    "spasibo",
    "dobryj",
    "dobryi",
];

/// Whether the word speaks of delivery, payment or contacts.
pub(crate) fn is_delivery(word: &str) -> bool {
    if NOT_DELIVERY.contains(&word) || NOT_DELIVERY_STEMS.iter().any(|s| word.starts_with(s)) {
        return false;
    }
    DELIVERY_STEMS.iter().any(|s| word.starts_with(s))
        || DELIVERY_WORDS.contains(&word) && word.chars().count() > 1
}

/// How words of delivery, payment and contacts begin.
const DELIVERY_STEMS: &[&str] = &[
    "достав",
    "привез",
    "завез",
    "забер",
    "забира",
    "заберу",
    "самовывоз",
    "адрес",
    "улиц",
    "подъезд",
    "отгруз",
    "отгруж",
    "машин",
    "водител",
    "счет",
    "оплат",
    "оплач",
    "телефон",
    "звон",
    "позвон",
    "перезвон",
    "чек",
    "касс",
    "сдэк",
    "пэк",
    "деловы",
    "транспорт",
    "накладн",
    "понедельник",
    "вторник",
    "сред",
    "четверг",
    "пятниц",
    "суббот",
    "воскрес",
    "январ",
    "феврал",
    "март",
    "апрел",
    "мая",
    "июн",
    "июл",
    "август",
    "сентябр",
    "октябр",
    "ноябр",
    "декабр",
    "утра",
    "вечера",
    "обеда",
    "обеду",
    "склад",
    "отправ",
    "заед",
    "подъед",
    "закрыва",
    "открыва",
    "работает",
    "директор",
    "договор",
    "менеджер",
    "цех",
    "ооо",
    "пропуск",
    "газел",
    "грузов",
    "фура",
    "фуру",
    "экспедитор",
    "курьер",
    "такси",
    "проходн",
    "охран",
    "шлагбаум",
    "разгруз",
    "выгруз",
    "погруз",
    "субботн",
    "воскресн",
    "пятничн",
    "утром",
    "утру",
    "вечером",
    "вечеру",
    "днем",
    "скидк",
    "безнал",
    "наличк",
    "расчет",
    "перевод",
    "предоплат",
    "отсрочк",
    "реквизит",
    "инвойс",
    "тендер",
    "спецификац",
    "объект",
    "подрядч",
    "офис",
    "этаж",
    "квартир",
    "корпус",
    "строени",
    "шоссе",
    "район",
    "поселок",
    "деревн",
    "вложен",
    "приложен",
    "сертификат",
    "доверенност",
    "бухгалтер",
    "плательщик",
    "получател",
    "получени",
    "домофон",
    "страховк",
    "филиал",
    "магазин",
    "сверк",
    "праздник",
    "наступающ",
    "недел",
    "месяц",
    "изменени",
    "въезд",
    "отдел",
    "снабжен",
    "экземпляр",
    "документ",
    "госномер",
    "юрлиц",
];

/// Words of delivery, whole.
const DELIVERY_WORDS: &[&str] = &[
    "ул",
    "доб",
    "инн",
    "кпп",
    "тел",
    "ип",
    "зао",
    "ао",
    "пн",
    "чт",
    "пт",
    "завтра",
    "послезавтра",
    "дом",
    "город",
    "проспект",
    "часов",
    "часа",
    "час",
    "кабинет",
    "каб",
    "вход",
    "домофон",
    "школа",
    "школе",
    "лицей",
    "гимназия",
    "детсад",
    "садик",
    "больница",
    "поликлиника",
    "гостиница",
    "мастерская",
    "ателье",
    "бригада",
    "институт",
    "колледж",
    "ндс",
    "упд",
    "огрн",
    "бик",
    "акт",
    "акта",
    "резерв",
    "резерва",
    "резерве",
    "месте",
    "двора",
    "паспорт",
    "лифт",
];

/// Goods that begin like words of delivery.
const NOT_DELIVERY: &[&str] = &[
    "накладная",
    "накладной",
    "накладные",
    "накладную",
    "накладка",
    "складная",
    "складной",
    "складные",
    "средний",
    "средняя",
    "средние",
];

/// How goods begin that begin like words of delivery.
const NOT_DELIVERY_STEMS: &[&str] = &[
    "счетчик",
    "счетн",
    "кассет",
    "средств",
    "машинк",
    "машинн",
    "чекер",
    "чекан",
    "чекк",
    "корпусн",
    "маяк",
    "мартен",
    "этажерк",
    "деревне",
    "телефонн",
    "адресн",
];

/// Whether a word joins two items.
pub(crate) fn is_conjunction(word: &str) -> bool {
    matches!(word, "и" | "i" | "потом" | "затем" | "также" | "плюс" | "дальше" | "далее")
}

/// Whether the word after «не» refuses the whole item: «белые не надо».
pub(crate) fn is_refusal(word: &str) -> bool {
    matches!(
        word,
        "надо"
            | "нужно"
            | "нужен"
            | "нужна"
            | "нужны"
            | "берем"
            | "беру"
            | "бери"
            | "берите"
            | "будем"
            | "буду"
            | "кладите"
            | "клади"
            | "возим"
            | "требуется"
            | "требуются"
            | "подойдет"
            | "подойдут"
            | "подходит"
            | "подходят"
            | "пойдет"
            | "пойдут"
            | "годится"
            | "годятся"
            | "устроит"
    )
}

/// Whether a word after «не» asks politely: «не могли бы вы», «если не сложно».
pub(crate) fn asks_politely(word: &str) -> bool {
    matches!(
        word,
        "могли"
            | "могла"
            | "мог"
            | "можете"
            | "можешь"
            | "сложно"
            | "трудно"
            | "затруднит"
            | "забудьте"
            | "забудь"
            | "против"
    )
}

/// Whether the word is what somebody is called by, in full or fondly: «Леночка», «Саш», «Дмитрий».
pub(crate) fn is_first_name(word: &str) -> bool {
    static SET: WordSet = WordSet::new();
    among(&SET, NAMES, word)
}

/// Russian first names as people are called by them.
const NAMES: &[&str] = &[
    "александр",
    "саша",
    "саш",
    "сашенька",
    "алексей",
    "леша",
    "леш",
    "анатолий",
    "толя",
    "андрей",
    "андрюша",
    "андрюх",
    "антон",
    "артем",
    "борис",
    "вадим",
    "валера",
    "валерий",
    "валер",
    "василий",
    "вася",
    "вась",
    "виктор",
    "витя",
    "вить",
    "виталий",
    "владимир",
    "володя",
    "володь",
    "вова",
    "вовка",
    "вов",
    "вячеслав",
    "слава",
    "слав",
    "геннадий",
    "гена",
    "георгий",
    "жора",
    "григорий",
    "гриша",
    "денис",
    "дмитрий",
    "дима",
    "дим",
    "димон",
    "евгений",
    "женя",
    "жень",
    "женечка",
    "иван",
    "ваня",
    "вань",
    "игорь",
    "игорек",
    "илья",
    "илюха",
    "кирилл",
    "константин",
    "костя",
    "леонид",
    "леня",
    "максим",
    "макс",
    "михаил",
    "миша",
    "миш",
    "николай",
    "коля",
    "коль",
    "олег",
    "олежка",
    "павел",
    "паша",
    "паш",
    "петр",
    "петя",
    "роман",
    "рома",
    "руслан",
    "сергей",
    "сережа",
    "серега",
    "серег",
    "станислав",
    "стас",
    "степан",
    "юрий",
    "юра",
    "юр",
    "ярослав",
    "анна",
    "аня",
    "анечка",
    "ань",
    "анастасия",
    "настя",
    "настенька",
    "насть",
    "валентина",
    "валя",
    "валюша",
    "верочка",
    "вероника",
    "виктория",
    "вика",
    "галина",
    "галя",
    "галь",
    "дарья",
    "даша",
    "дашенька",
    "даш",
    "екатерина",
    "катя",
    "катюша",
    "кать",
    "елена",
    "лена",
    "леночка",
    "ирина",
    "ира",
    "ирочка",
    "кристина",
    "ксения",
    "ксюша",
    "лариса",
    "лидия",
    "лида",
    "любовь",
    "люба",
    "людмила",
    "люда",
    "людочка",
    "марина",
    "мариночка",
    "марин",
    "мария",
    "маша",
    "машенька",
    "маш",
    "надежда",
    "надя",
    "наденька",
    "надюша",
    "наталья",
    "наташа",
    "наташ",
    "оксана",
    "ольга",
    "оля",
    "олечка",
    "оль",
    "полина",
    "светлана",
    "света",
    "светочка",
    "софья",
    "тамара",
    "татьяна",
    "таня",
    "танечка",
    "танюша",
    "тань",
    "юлия",
    "юля",
    "юленька",
    "юль",
];

/// Whether the word says roughly how large or how usual a thing is: beside what tells exactly it says
/// nothing.
pub(crate) fn is_vague(word: &str) -> bool {
    const STEMS: &[&str] = &[
        "длинн",
        "коротк",
        "маленьк",
        "больш",
        "мелк",
        "крупн",
        "средн",
        "широк",
        "узк",
        "толст",
        "тонк",
        "высок",
        "низк",
        "обычн",
        "прост",
        "стандартн",
        "нормальн",
    ];
    STEMS.iter().any(|stem| word.starts_with(stem)) && super::line::is_adjective(word)
}

/// Whether a word asks for the thing that has nothing more: «обычный», «простое».
pub(crate) fn is_plain(word: &str) -> bool {
    const STEMS: &[&str] = &["обычн", "прост", "обыкновен"];
    word == "просто"
        || STEMS.iter().any(|stem| word.starts_with(stem)) && super::line::is_adjective(word)
}

/// Whether the word takes an item out.
pub(crate) fn is_cancel(word: &str) -> bool {
    matches!(
        word,
        "убираем"
            | "убрать"
            | "уберите"
            | "убери"
            | "отменяем"
            | "отмените"
            | "отмена"
            | "отменяется"
            | "отменяются"
            | "аннулируйте"
            | "вычеркните"
            | "вычеркиваем"
            | "исключите"
            | "исключаем"
            | "удалите"
            | "отбой"
            | "отставить"
            | "снимаем"
            | "снимите"
            | "вычеркни"
            | "зачеркните"
            | "зачеркни"
            | "исключи"
    )
}

/// Whether the word asks for something: «поставьте», «дайте».
pub(crate) fn asks_for(word: &str) -> bool {
    matches!(
        word,
        "поставьте"
            | "поставь"
            | "дайте"
            | "дай"
            | "давайте"
            | "давай"
            | "положите"
            | "положи"
            | "возьмем"
            | "возьму"
            | "берем"
            | "беру"
            | "нужно"
            | "нужен"
            | "нужна"
            | "нужны"
            | "надо"
            | "пусть"
            | "хочу"
            | "хотим"
            | "сделайте"
            | "пришлите"
            | "привезите"
            | "отгрузите"
            | "запишите"
    )
}

/// Whether the word announces that what was said is put right.
pub(crate) fn is_correction(word: &str) -> bool {
    matches!(
        word,
        "ой" | "ай"
            | "хотя"
            | "нет"
            | "лучше"
            | "точнее"
            | "вернее"
            | "исправьте"
            | "исправь"
            | "исправляю"
            | "исправлюсь"
            | "исправляюсь"
            | "вру"
            | "сделайте"
            | "сделай"
            | "пусть"
            | "поменяйте"
            | "давайте"
            | "ошибся"
            | "ошиблась"
            | "стоп"
            | "извините"
            | "пардон"
            | "извиняюсь"
            | "виноват"
            | "виновата"
            | "поправка"
            | "поправочка"
            | "упс"
            | "исправление"
            | "перепутал"
            | "перепутала"
            | "перепутали"
            | "опечатка"
            | "опечатался"
            | "опечаталась"
            | "ошибка"
    )
}

/// Whether the words ask what something costs.
pub(crate) fn asks_price(words: &[&str]) -> bool {
    const PRICE: &[&str] = &["цена", "цену", "цены", "стоимость", "стоит", "стоят", "почем"];
    words.iter().any(|w| PRICE.contains(w))
}

/// Whether the words ask and do not order.
pub(crate) fn asks(words: &[&str]) -> bool {
    let first = words
        .iter()
        .find(|w| !matches!(**w, "а" | "и" | "ну" | "добрый" | "день" | "здравствуйте"));
    first.is_some_and(|w| {
        matches!(
            *w,
            "сколько"
                | "когда"
                | "почему"
                | "почем"
                | "зачем"
                | "чем"
                | "где"
                | "куда"
                | "какой"
                | "какая"
                | "какие"
                | "каков"
                | "кто"
                | "что"
                | "подскажите"
                | "скажите"
        )
    }) || words.windows(2).any(|w| {
        w[0] == "во" && w[1] == "сколько"
            || matches!(w[0], "какая" | "какова") && matches!(w[1], "цена" | "стоимость")
            || w[0] == "можно" && w[1] == "ли"
            || w[0] == "есть" && w[1] == "ли"
    })
}
