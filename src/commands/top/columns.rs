//! Cells as aligned columns.

/// Lines of rows, of which the first holds the titles; the first `left` columns are aligned to the left, the others,
/// numbers, to the right.
///
/// A row with fewer cells than there are titles ends with words, which are left as they are.
pub(super) fn aligned(rows: &[Vec<String>], left: usize) -> Vec<String> {
    let titles = rows.first().map_or(0, Vec::len);
    let is_words = |row: &[String], column| row.len() < titles && column + 1 == row.len();
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| !is_words(row, column));
        let widths = cells.filter_map(|row| Some(row.get(column)?.chars().count()));
        widths.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..titles).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            _ if is_words(row, column) => cell.clone(),
            _ if column < left => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
