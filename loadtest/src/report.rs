//! What was measured: figures with all of their runs, for people or for scripts.

use std::io::Write;

use anyhow::Result;
use serde_json::{Map, Value, json};

/// One figure and what each run gave for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its unit; empty for a ratio.
    pub unit: &'static str,
    /// Values in the order of the runs.
    pub runs: Vec<f64>,
}

impl Figure {
    /// The value in the middle; of an even count the upper of the two. NaN without runs.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The least and the greatest value. NaN without runs.
    pub fn extremes(&self) -> (f64, f64) {
        let sorted = self.sorted();
        let end = |value: Option<&f64>| value.copied().unwrap_or(f64::NAN);
        (end(sorted.first()), end(sorted.last()))
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.runs.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// The figures of a scenario, in the order in which they first came.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The subcommand.
    pub scenario: &'static str,
    /// What was measured.
    pub figures: Vec<Figure>,
}

impl Report {
    pub(crate) const fn new(scenario: &'static str) -> Self {
        Self {
            scenario,
            figures: Vec::new(),
        }
    }

    /// Adds what a run gave for a figure.
    pub(crate) fn add(&mut self, name: impl Into<String>, unit: &'static str, value: f64) {
        let name = name.into();
        match self.figures.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => figure.runs.push(value),
            None => self.figures.push(Figure {
                name,
                unit,
                runs: vec![value],
            }),
        }
    }

    /// Adds the ratio of two figures, run by run, where there are both.
    pub(crate) fn add_ratio(&mut self, name: &str, of: &str, to: &str) {
        let runs = |name| self.figure(name).map(|figure| figure.runs.clone());
        let (Some(of), Some(to)) = (runs(of), runs(to)) else {
            return;
        };
        for (of, to) in of.into_iter().zip(to) {
            self.add(name, "", of / to);
        }
    }

    /// The figure of this name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    pub(crate) fn print_table(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let widest = self
            .figures
            .iter()
            .map(|figure| figure.name.chars().count());
        let width = widest.max().unwrap_or(0);
        for figure in &self.figures {
            let (least, greatest) = figure.extremes();
            writeln!(
                out,
                "{:width$}  {:>10}  ({} – {}) {}",
                figure.name,
                short(figure.median()),
                short(least),
                short(greatest),
                figure.unit
            )?;
        }
        Ok(())
    }

    pub(crate) fn print_json(&self) -> Result<()> {
        writeln!(std::io::stdout().lock(), "{}", self.json())?;
        Ok(())
    }

    fn json(&self) -> Value {
        let figure = |figure: &Figure| {
            let (least, greatest) = figure.extremes();
            let value = json!({
                "median": figure.median(), "min": least, "max": greatest, "unit": figure.unit, "runs": figure.runs,
            });
            (figure.name.clone(), value)
        };
        let figures: Map<_, _> = self.figures.iter().map(figure).collect();
        json!({ "scenario": self.scenario, "figures": figures })
    }
}

/// Three significant digits; a count and whatever is above 100 as a whole number.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        whole if whole.fract() == 0.0 => 0,
        ..1.0 => 3,
        1.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(runs: &[f64]) -> Report {
        let mut report = Report::new("test");
        runs.iter().for_each(|run| report.add("a", "us", *run));
        report
    }

    #[test]
    fn the_median_is_the_middle_of_the_runs() {
        let report = report(&[5.0, 1.0, 4.0, 2.0, 3.0]);
        let figure = report.figure("a").expect("it was added");
        assert_eq!(
            (figure.median(), figure.extremes()),
            (3.0, (1.0, 5.0)),
            "{figure:?}"
        );
    }

    #[test]
    fn a_ratio_is_taken_run_by_run() {
        let mut report = report(&[2.0, 9.0]);
        report.add("b", "us", 1.0);
        report.add("b", "us", 3.0);
        report.add_ratio("ratio", "a", "b");
        report.add_ratio("none", "a", "c");
        assert_eq!(
            report.figure("ratio").map(|figure| &*figure.runs),
            Some(&[2.0, 3.0][..])
        );
        assert_eq!(report.figure("none"), None);
    }

    #[test]
    fn json_is_one_line_with_every_run() {
        let line = report(&[1.5, 2.5]).json().to_string();
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).expect("it is JSON");
        assert_eq!(value["figures"]["a"]["runs"], json!([1.5, 2.5]));
        assert_eq!(value["figures"]["a"]["max"], 2.5);
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.1234, 1.234, 12.34, 123.4, 1234.5].map(short);
        assert_eq!(shown, ["0.123", "1.23", "12.3", "123", "1234"]);
    }
}
