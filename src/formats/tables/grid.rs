//! Cells of a workbook, put in rows as they come: what a sheet takes is bounded by what is written
//! in it, never by the rectangle around it. One cell in the last corner of a sheet would make that
//! rectangle half a terabyte.

use super::super::text::excerpt;
use super::{MAX_ROWS, Table, TableError};

/// How far a sheet is read, and how much of it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Bytes of memory that all sheets take.
    pub bytes: usize,
    /// Bytes that the file unpacks to, in all.
    pub unpacked: u64,
    /// Tags of the list of texts that the cells share: a text takes memory, be it empty.
    pub texts: u64,
}

/// A catalogue, brought by the company's own people.
pub const CATALOG: Limits = Limits {
    rows: MAX_ROWS,
    columns: 1_024,
    bytes: 384 * 1024 * 1024,
    unpacked: 512 * 1024 * 1024,
    texts: 16_000_000,
};

/// An order, which may come from anyone.
pub const ORDER: Limits = Limits {
    rows: 100_000,
    columns: 256,
    bytes: 64 * 1024 * 1024,
    unpacked: 64 * 1024 * 1024,
    texts: 4_000_000,
};

/// A place in a row, or a row among the others.
const SLOT: usize = size_of::<String>();

/// What is left of the memory that a file may take.
#[derive(Debug, Clone)]
pub struct Room {
    limits: Limits,
    used: usize,
}

impl Room {
    /// All of it.
    pub fn new(limits: Limits) -> Self {
        Self { limits, used: 0 }
    }

    /// Takes so much; whether there is so much.
    pub fn take(&mut self, bytes: usize) -> bool {
        self.used = self.used.saturating_add(bytes);
        self.used <= self.limits.bytes
    }

    /// Takes what a row of these cells is held in; whether there is so much.
    pub fn take_row<'a>(&mut self, mut cells: impl Iterator<Item = &'a str>) -> bool {
        self.take(SLOT) && cells.all(|cell| self.take(SLOT + cell.len()))
    }
}

/// A sheet in the making. Rows and columns keep their numbers; a row ends with its last cell.
#[derive(Debug)]
pub struct Grid<'a> {
    sheet: &'a str,
    room: &'a mut Room,
    table: Table,
}

impl<'a> Grid<'a> {
    /// An empty sheet of this name.
    pub fn new(sheet: &'a str, room: &'a mut Room) -> Self {
        Self { sheet, room, table: Table::default() }
    }

    /// Puts a cell in its place, both from 0; an empty one takes none.
    ///
    /// # Errors
    ///
    /// [`TableError::TooFar`], before anything is made for the cell.
    pub fn put(&mut self, row: u32, column: u32, text: &str) -> Result<(), TableError> {
        if text.is_empty() {
            return Ok(());
        }
        let (at, place) = (row as usize, column as usize);
        let limits = self.room.limits;
        if at >= limits.rows {
            return Err(self.refused(
                row,
                column,
                format!("читаются только первые {} строк", limits.rows),
            ));
        }
        if place >= limits.columns {
            return Err(self.refused(
                row,
                column,
                format!("читаются только первые {} столбцов", limits.columns),
            ));
        }
        let rows = (at + 1).saturating_sub(self.table.rows.len());
        let cells = (place + 1).saturating_sub(self.table.rows.get(at).map_or(0, Vec::len));
        if !self.room.take((rows + cells) * SLOT + text.len()) {
            let megabytes = limits.bytes / (1024 * 1024);
            return Err(self.refused(row, column, format!("таблица больше {megabytes} МБ")));
        }
        if rows > 0 {
            self.table.rows.resize_with(at + 1, Vec::new);
        }
        let cells = &mut self.table.rows[at];
        if cells.len() <= place {
            cells.resize(place + 1, String::new());
        }
        text.clone_into(&mut cells[place]);
        self.table.width = self.table.width.max(place + 1);
        Ok(())
    }

    /// The sheet as it is.
    pub fn table(self) -> Table {
        self.table
    }

    fn refused(&self, row: u32, column: u32, why: String) -> TableError {
        TableError::TooFar { sheet: excerpt(self.sheet), cell: cell_name(row, column), why }
    }
}

/// «XFD1048576»: a cell as tables name it; both numbers are from 0.
fn cell_name(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(column) + 1;
    while rest > 0 {
        let letter = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + letter));
        rest = (rest - 1) / 26;
    }
    letters.reverse();
    format!("{}{}", String::from_iter(letters), u64::from(row) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_takes_what_is_written_in_it() {
        let mut room = Room::new(ORDER);
        let mut grid = Grid::new("Заявка", &mut room);
        // Far apart and out of order.
        for (row, column, text) in [(99_999, 0, "в"), (2, 255, "б"), (2, 1, "а"), (5, 5, "")] {
            grid.put(row, column, text).expect("fits");
        }
        let table = grid.table();
        assert_eq!(table.rows.len(), 100_000);
        assert_eq!((table.rows[2].len(), table.rows[5].len()), (256, 0));
        assert_eq!((table.rows[2][1].as_str(), table.width), ("а", 256));
        assert!(room.used < 3 * 1024 * 1024, "{}", room.used);
    }

    #[test]
    fn what_is_too_far_or_too_much_is_refused_by_its_place() {
        let refused = |row, column, text: &str| {
            let mut room = Room::new(ORDER);
            Grid::new("Лист 1", &mut room).put(row, column, text).expect_err("refused").to_string()
        };
        assert_eq!(
            refused(1_048_575, 16_383, "x"),
            "лист «Лист 1», ячейка XFD1048576: читаются только первые 100000 строк"
        );
        assert_eq!(
            refused(0, 256, "x"),
            "лист «Лист 1», ячейка IW1: читаются только первые 256 столбцов"
        );
        assert_eq!(
            refused(u32::MAX, u32::MAX, "x"),
            "лист «Лист 1», ячейка MWLQKWV4294967296: читаются только первые 100000 строк"
        );
        // One long text that a million cells share.
        let text = "x".repeat(30_000);
        let mut room = Room::new(ORDER);
        let mut grid = Grid::new("", &mut room);
        let full = (0..10_000).find_map(|row| grid.put(row, 0, &text).err()).expect("refused");
        assert!(full.to_string().ends_with("таблица больше 64 МБ"), "{full}");
    }
}
