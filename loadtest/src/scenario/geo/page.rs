//! The report as one page: a table and a picture, no scripts, nothing loaded, readable by day and by night.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::pair::{FLOOR, OWN_P50, OWN_P99, P50, P99, Pair};
use super::plot::{self, Row};
use crate::args::GeoArgs;
use crate::report::{Figure, Report};

/// Everything before the content; the look of the picture included.
const HEAD: &str = include_str!("page_head.html");

/// Writes the page to a file, or into a directory as `geo.html`.
///
/// # Errors
/// When it can't be written.
pub(super) fn write(path: &Path, args: &GeoArgs, pairs: &[Pair], report: &Report) -> Result<()> {
    let path = file(path);
    let place = path.display().to_string();
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).with_context(|| place.clone())?;
    }
    std::fs::write(&path, html(args, pairs, report)).context(place)
}

fn file(path: &Path) -> PathBuf {
    match path.extension() {
        Some(extension) if extension == "html" => path.to_owned(),
        _ => path.join("geo.html"),
    }
}

fn html(args: &GeoArgs, pairs: &[Pair], report: &Report) -> String {
    let rows: Vec<_> = pairs.iter().filter_map(|pair| row(pair, report)).collect();
    let mut page = HEAD.to_owned();
    let _ = writeln!(
        page,
        "<p>A message from each region to each, {} per second and pair, {} bytes, namespace <code>{}</code>; {} × {} s. \
         The floor is half of both edges’ emulated round trips to the backbone. What is above it is the mesh’s own: queues, \
         encryption, the store’s commit, this machine.</p>",
        args.rate,
        args.bytes,
        escaped(&args.namespace),
        args.rounds,
        args.seconds,
    );
    let _ = writeln!(page, "<figure>\n{}</figure>", plot::svg(&rows));
    page.push_str(&table(pairs, report));
    page.push_str("</main>\n</html>\n");
    page
}

fn row(pair: &Pair, report: &Report) -> Option<Row> {
    let median = |what| figure(pair, report, what).map(Figure::median);
    Some(Row {
        label: escaped(&pair.name()),
        floor: median(FLOOR)?,
        p50: median(P50)?,
        p99: median(P99)?,
        own_p50: median(OWN_P50)?,
        own_p99: median(OWN_P99)?,
    })
}

fn figure<'a>(pair: &Pair, report: &'a Report, what: &str) -> Option<&'a Figure> {
    report.figure(&format!("{}, {what}", pair.name()))
}

fn table(pairs: &[Pair], report: &Report) -> String {
    let mut table = String::from(
        "<div class=\"wide\"><table>\n<caption>Milliseconds; the median of the runs, with the least and the greatest.\
         </caption>\n<thead><tr><th scope=\"col\">From → to</th>",
    );
    let columns = [FLOOR, P50, P99, OWN_P50, OWN_P99];
    for column in columns {
        let _ = write!(table, "<th scope=\"col\">{column}</th>");
    }
    table.push_str("</tr></thead>\n<tbody>\n");
    for pair in pairs {
        let _ = write!(
            table,
            "<tr><th scope=\"row\">{}</th>",
            escaped(&pair.name())
        );
        for column in columns {
            let cell = figure(pair, report, column).map(cell);
            let _ = write!(table, "<td>{}</td>", cell.unwrap_or_default());
        }
        table.push_str("</tr>\n");
    }
    table.push_str("</tbody>\n</table></div>\n");
    table
}

fn cell(figure: &Figure) -> String {
    let (least, greatest) = figure.extremes();
    let median = plot::millis(figure.median());
    if figure.runs.len() == 1 || figure.unit.is_empty() || (greatest - least).abs() < 1e-9 {
        return median;
    }
    let (least, greatest) = (plot::millis(least), plot::millis(greatest));
    format!("{median} <small>{least} – {greatest}</small>")
}

/// Text inside of HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn page() -> String {
        let cli = Cli::parse_from(["loadtest", "geo", "--namespace", "a<b"]);
        let Command::Geo(args) = cli.command else {
            panic!("another command");
        };
        let pair = Pair {
            from: "a".to_owned(),
            to: "b".to_owned(),
        };
        let mut report = Report::new("geo");
        for value in [80.0, 82.0, 84.0] {
            for what in [FLOOR, P50, P99, OWN_P50, OWN_P99] {
                report.add(format!("a → b, {what}"), "ms", value);
            }
        }
        html(&args, &[pair], &report)
    }

    #[test]
    fn a_page_has_each_pair_and_is_whole() {
        let page = page();
        assert!(page.contains("<th scope=\"row\">a → b</th>"), "{page}");
        assert!(page.contains("82.0 <small>80.0 – 84.0</small>"), "{page}");
        assert!(page.contains("<svg") && page.trim_end().ends_with("</html>"));
    }

    #[test]
    fn a_page_loads_nothing_and_runs_nothing() {
        let page = page();
        for word in ["<script", "http:", "https:", "url(", "a<b"] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn a_directory_gets_a_file() {
        assert_eq!(file(Path::new("a/b.html")), Path::new("a/b.html"));
        assert_eq!(file(Path::new("a/b")), Path::new("a/b/geo.html"));
    }
}
