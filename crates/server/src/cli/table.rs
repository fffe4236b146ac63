//! Tables for people.

use std::fmt::Write as _;

use super::show::{clean, text};

/// Columns that are as wide as they need to be.
pub(super) struct Table<const COLUMNS: usize> {
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(super) fn new(heading: [&str; COLUMNS]) -> Self {
        Table { rows: vec![heading.map(str::to_owned)] }
    }

    pub(super) fn row(&mut self, row: [String; COLUMNS]) {
        self.rows.push(row.map(|cell| clean(&cell)));
    }

    pub(super) fn print(&self, empty: &str) {
        if self.rows.len() == 1 { text(empty) } else { text(&self.render()) }
    }

    fn render(&self) -> String {
        let mut widths = [0; COLUMNS];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut page = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (width, cell) in widths.iter().zip(row) {
                let _ = write!(line, "{cell:<width$}  ");
            }
            let _ = writeln!(page, "{}", line.trim_end());
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_cannot_steer_the_terminal() {
        let mut table = Table::new(["A", "B"]);
        table.row(["long cell".to_owned(), "\u{1b}[2Jx".to_owned()]);
        table.row(["é".to_owned(), "a\u{202e}b".to_owned()]);
        assert_eq!(table.render(), "A          B\nlong cell  ·[2Jx\né          a·b\n");
    }
}
