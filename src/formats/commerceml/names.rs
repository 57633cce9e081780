//! Names that mean something to us. An element of another name is passed over with all inside.

/// Names as constants.
macro_rules! names {
    ($($name:literal)*) => {
        /// The name as a constant, when it is one of ours as it stands.
        pub fn bare(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some($name),)*
                _ => None,
            }
        }
    };
}

names! {
    "Ид" "Наименование" "Артикул" "БазоваяЕдиница" "Цена" "Цены" "ИдТипаЦены" "ЦенаЗаЕдиницу"
    "Валюта" "Единица" "Коэффициент" "Количество" "Товар" "Предложение" "Группы" "Описание"
    "ЗначенияРеквизитов" "ЗначениеРеквизита" "Значение" "Штрихкод" "ХарактеристикиТовара"
    "ХарактеристикаТовара" "Остатки" "Остаток" "Склад" "Статус" "ПометкаУдаления" "Пересчет"
    "ИдХарактеристики" "Склады" "Группа" "КоммерческаяИнформация" "Классификатор" "Каталог"
    "ПакетПредложений" "ИзмененияПакетаПредложений" "СодержитТолькоИзменения" "Товары"
    "Предложения" "ТипыЦен" "ТипЦены" "Контейнер" "Документ" "Номер" "Номер1С" "Дата1С" "Сумма"
    "Документы" "Справочники" "ХозОперация"
}

/// The name without a prefix as a constant; empty: it is none of ours.
pub fn known(name: &str) -> &'static str {
    let local = || bare(name.split_once(':')?.1);
    bare(name).or_else(local).unwrap_or_default()
}

/// Whether an attribute of this name means something to us.
pub fn known_attribute(name: &str) -> bool {
    matches!(
        name,
        "СодержитТолькоИзменения"
            | "Статус"
            | "Код"
            | "НаименованиеКраткое"
            | "НаименованиеПолное"
            | "ИдСклада"
            | "КоличествоНаСкладе"
    )
}
