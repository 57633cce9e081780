//! Numbers with what they measure: when a number of an order is that of a title.

use super::normalize::as_latin_twin;

/// The marker of a number of a code whose letters are not known.
pub(crate) const CODE: u8 = b'c';
/// Markers from here on are of codes with letters.
const LETTERS: u8 = 128;
/// Markers from here on are of codes with one letter: «C40», «В16».
const ONE_LETTER: u8 = 224;
/// The marker of a number that counts parts: «2-местная», «двойная», «3-й».
pub(crate) const COUNT: u8 = b'n';
/// The marker of a wanted number that titles must have as a count.
pub(crate) const COUNTED: u8 = b'N';
/// The marker of a wanted number that titles have without any letter.
pub(crate) const BARE: u8 = b'~';
/// The marker of a nominal bore: «Ду15».
pub(crate) const BORE: u8 = b'D';
/// The marker of a wanted number that titles must have as a nominal bore.
pub(crate) const BORED: u8 = b'B';
/// The marker of a number that says how much is in a roll or a box: «рул 200м».
pub(crate) const PACK: u8 = b'r';
/// The marker of a number that ends a title in brackets: «Ланч-бокс 500 мл (450)». It is mostly how
/// many are in a box.
pub(crate) const HELD: u8 = b'q';

/// The marker of a number glued to letters that are no marker: «EL2240», «PN20».
pub(crate) fn code(letters: &str) -> u8 {
    let twin = as_latin_twin(letters);
    let letters = twin.as_deref().unwrap_or(letters);
    if let [letter @ b'a'..=b'z'] = letters.as_bytes() {
        return ONE_LETTER + (letter - b'a');
    }
    let mixed = letters.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    LETTERS | (mixed % (ONE_LETTER - LETTERS))
}

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub(crate) enum Measure {
    /// Not said.
    #[default]
    None,
    /// Millimetres.
    Mm,
    /// Centimetres.
    Cm,
    /// Metres.
    Metre,
    /// Micrometres.
    Micron,
    /// «г», «гр»: grams, grams on a square metre or degrees, people do not care which.
    Gram,
    /// Grams on a square metre, kilograms in a cubic one.
    Density,
    /// Kilograms.
    Kilo,
    /// Millilitres.
    Millilitre,
    /// Litres.
    Litre,
    /// Watts.
    Watt,
    /// Kilowatts.
    Kilowatt,
    /// Volt-amperes.
    VoltAmpere,
    /// Kilovolt-amperes.
    KilovoltAmpere,
    /// Volts.
    Volt,
    /// Amperes.
    Ampere,
    /// Milliamperes.
    Milliampere,
    /// Kelvins.
    Kelvin,
    /// Newtons.
    Newton,
    /// Bars or atmospheres.
    Bar,
    /// Lumens.
    Lumen,
    /// Per cent.
    Percent,
    /// Inches.
    Inch,
    /// Pieces: how many in a pack, never what the thing is.
    Piece,
    /// Square or cubic metres.
    Area,
    /// Sheets of paper; «л» may be these or litres.
    Sheet,
}

impl Measure {
    /// Reads a unit of measure after a number. `glued`: no blank between.
    #[expect(clippy::match_same_arms, reason = "units in their families")]
    pub(crate) fn read(text: &str, glued: bool) -> Option<Self> {
        Some(match text {
            "мм" | "mm" | "миллиметр" | "миллиметра" | "миллиметров" | "милиметров" => {
                Self::Mm
            }
            "см" | "cm" | "сантиметр" | "сантиметра" | "сантиметров" => {
                Self::Cm
            }
            "м" | "m" | "метр" | "метра" | "метров" => Self::Metre,
            "метровый" | "метровая" | "метровые" => Self::Metre,
            "мкм" | "мк" | "микрон" | "микрона" | "mkm" | "mk" => Self::Micron,
            "г" | "гр" | "g" | "gr" | "грамм" | "грамма" | "граммов" => {
                Self::Gram
            }
            "г/м" | "гр/м" | "г/кв" | "g/m" => Self::Density,
            "кг/м" | "кг/куб" => Self::Density,
            "градус" | "градуса" | "градусов" | "град" => Self::Gram,
            "кг" | "kg" | "килограмм" | "килограмма" | "килограммов" | "кило" => {
                Self::Kilo
            }
            "мл" | "ml" | "миллилитров" => Self::Millilitre,
            "л" | "литр" | "литра" | "литров" | "литровый" | "литровая" => {
                Self::Litre
            }
            "вт" | "w" | "ватт" | "ватта" => Self::Watt,
            "квт" | "kw" => Self::Kilowatt,
            "ва" | "va" => Self::VoltAmpere,
            "ква" | "kva" => Self::KilovoltAmpere,
            "v" | "вольт" | "вольта" => Self::Volt,
            "в" if glued => Self::Volt,
            "a" | "ампер" | "ампера" => Self::Ampere,
            "а" if glued => Self::Ampere,
            "ма" | "ma" => Self::Milliampere,
            "k" | "к" if glued => Self::Kelvin,
            "кельвин" | "кельвина" | "кельвинов" => Self::Kelvin,
            "n" | "н" if glued => Self::Newton,
            "ньютон" | "ньютона" | "ньютонов" => Self::Newton,
            "бар" | "bar" | "атм" => Self::Bar,
            "лм" | "lm" => Self::Lumen,
            "шт" | "штук" | "штуки" | "pcs" | "шт/уп" | "шт/кор" | "шт/лист" => {
                Self::Piece
            }
            "дюйм" | "дюйма" | "дюймов" | "дюймовый" | "дюймовая" => {
                Self::Inch
            }
            "м2" | "м3" => Self::Area,
            "лист" | "листа" | "листов" => Self::Sheet,
            "процент" | "процента" | "процентов" | "проц" => {
                Self::Percent
            }
            // «1 litr»
            "litr" | "litra" | "litrov" => Self::Litre,
            "metr" | "metra" | "metrov" => Self::Metre,
            "gramm" => Self::Gram,
            "vatt" => Self::Watt,
            _ => return None,
        })
    }

    /// The family of comparable units and how many base units one holds, in thousandths.
    fn base(self) -> (u8, i64) {
        match self {
            Self::None => (0, 1000),
            Self::Mm => (1, 1000),
            Self::Cm => (1, 10_000),
            Self::Metre => (1, 1_000_000),
            Self::Micron => (2, 1000),
            Self::Gram => (3, 1000),
            Self::Kilo => (3, 1_000_000),
            Self::Density => (4, 1000),
            Self::Millilitre => (5, 1000),
            Self::Litre => (5, 1_000_000),
            Self::Watt => (6, 1000),
            Self::Kilowatt => (6, 1_000_000),
            Self::Volt => (7, 1000),
            Self::Ampere => (8, 1_000_000),
            Self::Milliampere => (8, 1000),
            Self::Kelvin => (9, 1000),
            Self::Newton => (10, 1000),
            Self::Bar => (11, 1000),
            Self::Lumen => (12, 1000),
            Self::Percent => (13, 1000),
            Self::Inch => (14, 1000),
            Self::Piece => (15, 1000),
            Self::Area => (16, 1000),
            Self::Sheet => (17, 1000),
            Self::VoltAmpere => (18, 1000),
            Self::KilovoltAmpere => (18, 1_000_000),
        }
    }

    /// Whether the two measure the same.
    pub(crate) fn is_like(self, other: Self) -> bool {
        self != Self::None && self.base().0 == other.base().0
    }

    /// The name of what is measured, for a question.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Mm | Self::Cm | Self::Metre | Self::None | Self::Inch => "размер",
            Self::Micron => "толщина",
            Self::Gram | Self::Density => "плотность",
            Self::Kilo => "вес",
            Self::Millilitre | Self::Litre => "объём",
            Self::Watt | Self::Kilowatt | Self::VoltAmpere | Self::KilovoltAmpere => "мощность",
            Self::Volt => "напряжение",
            Self::Ampere | Self::Milliampere => "ток",
            Self::Kelvin => "цветовая температура",
            Self::Newton => "усилие",
            Self::Bar => "давление",
            Self::Lumen => "яркость",
            Self::Percent => "процент",
            Self::Piece => "упаковка",
            Self::Area => "площадь",
            Self::Sheet => "число листов",
        }
    }
}

impl Measure {
    /// Whether titles that give this measure of a thing give its unit too: «5 л» is in no «GL-4/5 1л».
    pub(crate) fn is_never_left_out(self) -> bool {
        matches!(
            self,
            Self::Litre
                | Self::Millilitre
                | Self::Kilo
                | Self::Volt
                | Self::Ampere
                | Self::Milliampere
                | Self::Kelvin
                | Self::Lumen
                | Self::Bar
        )
    }
}

/// A number with its unit and its letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Number {
    /// The value in thousandths.
    pub(crate) value: i64,
    /// The unit.
    pub(crate) measure: Measure,
    /// The letter or word before it: `h`, `d`, `m`, `#` (тип, №, цвет), or 0.
    pub(crate) marker: u8,
}

impl Number {
    /// How well a number of the text agrees with one of a title: 0 to 1, 0 is «contradicts».
    pub(crate) fn agrees(self, title: Self) -> f32 {
        let quality = self.same_amount(title);
        if quality == 0.0 {
            return 0.0;
        }
        let code = |marker: u8| marker == CODE || marker >= LETTERS;
        let marks = match (self.marker, title.marker) {
            (a, b) if a == b => 1.0,
            (BARE, 0) => 0.97,
            (COUNTED, COUNT) | (BORED, BORE) => 1.0,
            (BARE | COUNTED | BORED, _) => 0.0,
            (b'd', BORE) | (BORE, b'd') | (0, COUNT) => 0.99,
            (COUNT, 0) => 0.95,
            (a, b) if a >= ONE_LETTER && b >= ONE_LETTER => 0.0,
            (a, b) if code(a) && code(b) => 0.99,
            // «32А» is the 32 of «C32», where no other letter was said.
            (0, b) if b >= ONE_LETTER && self.measure != Measure::None => 1.0,
            (0, PACK) if self.measure == Measure::None => 0.0,
            (0 | b'#', HELD) => 0.94,
            (0, b) if code(b) => 0.93,
            (a, 0) if code(a) => 0.97,
            (0, _) | (_, PACK) => 0.99,
            (_, 0) => 0.94,
            _ => 0.85,
        };
        quality * marks
    }

    /// Whether letters are glued to the number as those of a model: «MDV10», «EL2240».
    pub(crate) fn is_code(self) -> bool {
        self.marker == CODE || (LETTERS..ONE_LETTER).contains(&self.marker)
    }

    /// Whether two numbers that a title joins may be sides of one size, «20х1/2», and not two
    /// attributes, «63А/30мА», «С8-0,45».
    pub(crate) fn is_sized_with(self, other: Self) -> bool {
        let length = |measure: Measure| {
            matches!(measure, Measure::None | Measure::Inch) || measure.is_like(Measure::Metre)
        };
        let side = |n: Self| !n.is_code() && !n.is_lettered() && length(n.measure);
        side(self) && side(other)
    }

    /// Whether one letter is glued to the number: «C16».
    pub(crate) fn is_lettered(self) -> bool {
        self.marker >= ONE_LETTER
    }

    /// Whether the letter before the number says which of a title's numbers it is: «h80» is no «h40»,
    /// «PN20» no «PN25», whatever else is 80 or 20 there. A number or a colour may be any of several.
    pub(crate) fn is_bound(self) -> bool {
        !matches!(self.marker, 0 | b'#' | CODE | PACK | BARE | COUNTED | BORED)
    }

    /// Whether the unit says that there is little of it: millilitres are never sheets.
    fn is_small(self) -> bool {
        self.measure == Measure::Millilitre
    }

    /// How well the amounts agree, whatever the letters before them.
    pub(crate) fn same_amount(self, title: Self) -> f32 {
        if self.measure == title.measure {
            let same = self.value == title.value || self.in_grams() == Some(title.value);
            return if same { 1.0 } else { 0.0 };
        }
        if self.in_grams() == Some(title.value) && title.measure == Measure::None {
            return 0.96;
        }
        let ((a, one_a), (b, one_b)) = (self.measure.base(), title.measure.base());
        let base = |n: Self, one: i64| i128::from(n.value) * i128::from(one);
        if a == b {
            return if base(self, one_a) == base(title, one_b) { 1.0 } else { 0.0 };
        }
        let same = self.value == title.value;
        match (a, b) {
            // Grams, grams on a square metre and per cent are not told apart.
            (0, _) | (3, 4 | 13) | (4, 3) if same => 0.99,
            // «100 л» is a hundred litres or sheets.
            (5, 17) | (17, 5) if same && [self, title].iter().all(|n| !n.is_small()) => 0.99,
            // A title without a unit is in millimetres, a kilogram or a gram as it stands.
            (1, 0) if base(self, one_a) == i128::from(title.value) * 1000 => 0.98,
            (1, 0) if same && self.measure == Measure::Metre && self.value >= 10_000 => 0.0,
            (_, 0) if same => 0.96,
            // «М12х2000» of «М12 2м».
            (0, 1) if title.measure == Measure::Metre && self.in_metres() == Some(title.value) => {
                0.95
            }
            // «0,1 мм» is a hundred micrometres.
            (1, 2) if base(self, one_a) * 1000 == base(title, one_b) => 1.0,
            (2, 1) if base(self, one_a) == base(title, one_b) * 1000 => 1.0,
            (1, 2) if same && self.measure == Measure::Mm => 0.9,
            (2, 1) if same && title.measure == Measure::Mm => 0.9,
            _ => 0.0,
        }
    }

    /// Whether this is a title's number without its fraction: «125х1,2х22» of «125х1,2х22,2».
    pub(crate) fn rounds(self, title: Self) -> bool {
        let whole = self.value >= 10_000 && self.value % 1000 == 0;
        whole && self.measure == title.measure && title.value / 1000 == self.value / 1000
    }

    /// So many metres, if a plain number is so many millimetres that titles rather say it in metres.
    fn in_metres(self) -> Option<i64> {
        let side = matches!(self.marker, b'h' | b'w' | b'l');
        let long = self.measure == Measure::None && self.value >= 1_000_000;
        // «Шир. 2100» is a length for certain, «2100» by itself may be anything.
        let whole = self.marker == 0 && self.value % 500_000 == 0;
        (long && (whole || side && self.value % 10_000 == 0)).then_some(self.value / 1000)
    }

    /// «0,2 кг/м²» in grams: nothing weighs so little in a cubic metre.
    fn in_grams(self) -> Option<i64> {
        (self.measure == Measure::Density && self.value < 5_000).then_some(self.value * 1000)
    }

    /// Values under which titles may have this number.
    pub(crate) fn keys(self) -> impl Iterator<Item = i64> {
        let v = self.value;
        let up = |by: i64| Some(v.saturating_mul(by));
        let down = |by: i64| (v % by == 0).then_some(v / by);
        let (a, b) = match self.measure {
            // What is thinner than a millimetre is in micrometres.
            Measure::Mm if v < 1000 => (up(1000), None),
            Measure::Mm => (down(10), down(1000)),
            Measure::Micron if v >= 10_000 => (down(1000), None),
            Measure::Cm => (up(10), down(100)),
            Measure::Metre => (up(1000), up(100)),
            Measure::Gram
            | Measure::Millilitre
            | Measure::Watt
            | Measure::VoltAmpere
            | Measure::Milliampere => (down(1000), None),
            Measure::Kilo
            | Measure::Litre
            | Measure::Kilowatt
            | Measure::KilovoltAmpere
            | Measure::Ampere => (up(1000), None),
            _ => (self.in_metres(), self.in_grams()),
        };
        [Some(v), a, b].into_iter().flatten()
    }
}
