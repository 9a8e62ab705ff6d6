//! Metrics of a process, read over HTTP before and after something.

use anyhow::{Context, Result};
use trunkline_telemetry::Metric;

use crate::args::MetricsArgs;
use crate::http;
use crate::target::Target;

/// What a process counted up to one moment.
#[derive(Debug)]
pub(crate) struct Counted(String);

impl Counted {
    /// Reads the metrics of a process.
    ///
    /// # Errors
    /// When they can't be read.
    pub(crate) async fn read(from: &Target) -> Result<Self> {
        let text = get(from).await;
        text.map(Self)
            .with_context(|| format!("metrics of {}", from.host))
    }

    /// The sum of a counter over its labels; 0 where it isn't shown.
    pub(crate) fn of(&self, metric: Metric) -> f64 {
        self.sum(metric, "_total", |_| true)
    }

    /// The sum of a gauge over its labels; 0 where it isn't shown.
    pub(crate) fn now(&self, metric: Metric) -> f64 {
        self.sum(metric, "", |_| true)
    }

    /// The sum of a counter where its labels are these alone, such as `outcome="hit"`; 0 where it isn't shown.
    pub(crate) fn of_labels(&self, metric: Metric, labels: &str) -> f64 {
        self.sum(metric, "_total", |shown| shown == labels)
    }

    fn sum(&self, metric: Metric, suffix: &str, counts: impl Fn(&str) -> bool) -> f64 {
        let value = |line: &str| {
            let rest = line.strip_prefix(metric.name)?.strip_prefix(suffix)?;
            let (labels, value) = match rest.strip_prefix('{') {
                Some(labelled) => labelled.rsplit_once('}')?,
                None => ("", rest),
            };
            counts(labels).then(|| value.trim().parse::<f64>().ok())?
        };
        self.0.lines().filter_map(value).sum()
    }

    /// How much a counter has grown since.
    pub(crate) fn since(&self, before: &Self, metric: Metric) -> f64 {
        self.of(metric) - before.of(metric)
    }
}

/// What an edge and a node counted up to one moment.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) edge: Counted,
    pub(crate) node: Counted,
}

impl Counts {
    /// Reads the metrics of both.
    ///
    /// # Errors
    /// When they can't be read.
    pub(crate) async fn read(from: &MetricsArgs) -> Result<Self> {
        Ok(Self {
            edge: Counted::read(&from.edge_metrics).await?,
            node: Counted::read(&from.node_metrics).await?,
        })
    }
}

async fn get(from: &Target) -> Result<String> {
    let body = http::get(from, &from.path).await?.ok()?;
    Ok(String::from_utf8(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: Metric = Metric::new("trunkline_link_frames", "Frames");

    #[test]
    fn a_counter_is_summed_over_its_labels() {
        let text = "# HELP trunkline_link_frames Frames.\ntrunkline_link_frames_total{peer=\"a}\"} 3\n\
                    trunkline_link_frames_total{peer=\"b\"} 4\ntrunkline_link_frames_out_total 9\n";
        let counted = Counted(text.to_owned());
        assert!((counted.of(FRAMES) - 7.0).abs() < 1e-9);
        assert!((counted.of_labels(FRAMES, r#"peer="b""#) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_gauge_is_no_counter() {
        let text = "trunkline_link_frames_total 9\ntrunkline_link_frames 3\n";
        assert!((Counted(text.to_owned()).now(FRAMES) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_counter_without_labels_grows() {
        let at = |value: u32| Counted(format!("trunkline_link_frames_total {value}\n"));
        assert!((at(12).since(&at(5), FRAMES) - 7.0).abs() < 1e-9);
        assert!(Counted(String::new()).of(FRAMES).abs() < f64::EPSILON);
    }
}
