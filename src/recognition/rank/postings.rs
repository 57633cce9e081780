//! Which products may satisfy what is wanted: by the rarest of it.

use super::super::terms::{Measure, Number, Size};
use super::fit::numbers_in;
use super::{Hit, KEPT, Need, Seeker, Stretch, Want, Way};

/// The reach of what is looked for in no list of its own.
const ANYWHERE: usize = 1 << 40;

impl Seeker<'_> {
    /// How many products have the number.
    pub(super) fn products_with(&self, number: Number, stretch: Stretch) -> usize {
        self.values_of(number, stretch)
            .map(|row| {
                let paths = self.index.by_path_value.get(&row).into_iter().flatten();
                let in_paths: u32 =
                    paths.map(|c| self.index.ranges[*c as usize]).map(|(from, to)| to - from).sum();
                self.index.by_value.row(row as usize).len() + in_paths as usize
            })
            .sum()
    }

    pub(super) fn values_of(
        &self,
        number: Number,
        stretch: Stretch,
    ) -> impl Iterator<Item = u32> + '_ {
        let rows = &self.index.value_rows;
        let scaled = scales(number, stretch, false).iter().map(move |by| scaled(number, *by));
        let keys: Vec<i64> =
            number.keys().chain(scaled.flat_map(|n| n.keys().collect::<Vec<_>>())).collect();
        let mut found: Vec<u32> = keys.into_iter().filter_map(|k| rows.get(&k).copied()).collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter()
    }

    /// Products that satisfy one of the rarest wants, at most so many of each.
    pub(crate) fn near_by(&self, wants: &[Want], most: usize) -> Vec<u32> {
        const WANTS: usize = 3;
        let known = wants.iter().filter(|w| w.known && !w.without && !w.ways.is_empty());
        let mut rare: Vec<(usize, &Want)> =
            known.map(|w| (self.reach_of(w, Stretch::No), w)).collect();
        rare.sort_by_key(|(reach, _)| *reach);
        let mut out = Vec::new();
        for (_, want) in rare.iter().take(WANTS) {
            let mut rows = Vec::new();
            for way in &want.ways {
                self.collect(way, Stretch::No, &mut rows);
            }
            rows.truncate(most);
            out.extend(rows);
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// How many products a want may have, at most.
    fn reach_of(&self, want: &Want, stretch: Stretch) -> usize {
        want.ways.iter().map(|way| self.reach(way, stretch)).sum()
    }

    /// Products that satisfy every known want, best first.
    pub(crate) fn hits(&self, wants: &[Want], stretch: Stretch) -> Vec<Hit> {
        let known = wants.iter().filter(|w| w.known && !w.ways.is_empty());
        let mut sought: Vec<(usize, &Want)> =
            known.map(|w| (self.reach_of(w, stretch), w)).collect();
        let driver = sought.iter().filter(|(_, w)| !w.without).min_by_key(|(reach, _)| *reach);
        let Some((_, driver)) = driver.copied() else {
            self.fit.set(0);
            return Vec::new();
        };
        // What most products contradict is asked first.
        sought.sort_by_key(|(reach, want)| (std::cmp::Reverse(numbers_in(want)), *reach));
        let sought: Vec<&Want> = sought.into_iter().map(|(_, want)| want).collect();
        // Long lists are kept from question to question: to free them costs more than to fill them.
        let mut rows = self.rows.take();
        rows.clear();
        for way in &driver.ways {
            self.collect(way, stretch, &mut rows);
        }
        rows.sort_unstable();
        rows.dedup();
        let mut found = self.found.take();
        found.clear();
        found.extend(rows.iter().filter_map(|row| {
            self.fit(*row, &sought, stretch).map(|quality| Hit { row: *row, quality })
        }));
        self.rows.replace(rows);
        self.fit.set(found.len());
        found.sort_unstable_by(|a, b| b.quality.total_cmp(&a.quality).then(a.row.cmp(&b.row)));
        let hits = found[..found.len().min(KEPT)].to_vec();
        self.found.replace(found);
        hits
    }

    /// How many products the last question found, of which the best were answered.
    pub(crate) fn fitting(&self) -> usize {
        self.fit.get()
    }

    /// How many products a way may have, at most.
    pub(super) fn reach(&self, way: &Way, stretch: Stretch) -> usize {
        way.needs.iter().map(|need| self.need_reach(need, stretch)).min().unwrap_or(0)
    }

    pub(super) fn need_reach(&self, need: &Need, stretch: Stretch) -> usize {
        match need {
            Need::Word(sought) => sought.reach,
            Need::Size(size) => {
                sure(size).iter().map(|n| self.products_with(*n, stretch)).min().unwrap_or(0)
            }
            Need::Pack { .. } | Need::Sold(_) => ANYWHERE,
            Need::Product(_) => 1,
        }
    }

    /// The products among which a way's are.
    pub(super) fn collect(&self, way: &Way, stretch: Stretch, rows: &mut Vec<u32>) {
        let Some(need) = way.needs.iter().min_by_key(|n| self.need_reach(n, stretch)) else {
            return;
        };
        match need {
            Need::Word(sought) => {
                for (id, _) in &sought.meanings.words {
                    rows.extend_from_slice(self.index.by_word.row(*id as usize));
                }
                for (category, _) in sought.paths.iter().chain(&sought.aliases) {
                    let (from, to) = self.index.ranges[*category as usize];
                    rows.extend(from..to);
                }
            }
            Need::Size(size) => {
                let rarest = sure(size).iter().min_by_key(|n| self.products_with(**n, stretch));
                for value in rarest.into_iter().flat_map(|n| self.values_of(*n, stretch)) {
                    rows.extend_from_slice(self.index.by_value.row(value as usize));
                    for category in self.index.by_path_value.get(&value).into_iter().flatten() {
                        let (from, to) = self.index.ranges[*category as usize];
                        rows.extend(from..to);
                    }
                }
            }
            Need::Pack { .. } | Need::Sold(_) => {}
            Need::Product(row) => rows.push(*row),
        }
    }
}

/// Numbers of a size that titles have as they are: of three or more the last may be rounded.
pub(super) fn sure(size: &Size) -> &[Number] {
    let count = size.numbers.len();
    if count > 2 { &size.numbers[..count - 1] } else { &size.numbers }
}

/// By how much a number without a unit may be scaled, in thousandths.
pub(super) fn scales(number: Number, stretch: Stretch, alone: bool) -> &'static [i64] {
    const UP: &[i64] = &[10_000, 1_000_000, 100_000];
    const UP_AND_DOWN: &[i64] = &[10_000, 1_000_000, 100_000, 100];
    if stretch != Stretch::No && !alone && number.measure == Measure::Mm {
        // «200х300 мм» of a title's 20х30
        return &[100];
    }
    if stretch == Stretch::No || number.measure != Measure::None {
        return &[];
    }
    if alone && matches!(number.marker, b'w' | b'l' | b'h' | b's') {
        // «Шир. 90 дл. 200» of a title's 2000×900
        return &[10_000, 100];
    }
    if alone && number.value % 1000 == 0 {
        // «150» is no 15 and no 1500; «1,6» may be 1600.
        return &[];
    }
    if number.value % 10_000 == 0 { UP_AND_DOWN } else { UP }
}

pub(super) fn scaled(number: Number, by: i64) -> Number {
    let value = i128::from(number.value) * i128::from(by) / 1000;
    Number { value: i64::try_from(value).unwrap_or(i64::MAX), ..number }
}
