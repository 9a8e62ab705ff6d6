//! The numbers of a metrics page.

use std::collections::BTreeMap;

use trunkline_telemetry::Metric;
use trunkline_telemetry::names::edge;

/// Names as shown, each with its values; labels don't matter here.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Page(BTreeMap<String, Vec<f64>>);

impl Page {
    /// Reads OpenMetrics text; lines that aren't it are passed over.
    pub(super) fn parse(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, value)) = parse_line(line) {
                page.0.entry(name.to_owned()).or_default().push(value);
            }
        }
        page
    }

    /// Whether it is an edge's: each kind of process has a page of its own.
    pub(super) fn is_of_edge(&self) -> bool {
        self.gauge(edge::CLIENTS).is_some()
    }

    /// A gauge's values added up; none where the page doesn't have it.
    pub(super) fn gauge(&self, metric: Metric) -> Option<f64> {
        Some(self.0.get(metric.name)?.iter().sum())
    }

    /// A gauge's largest value.
    pub(super) fn largest(&self, metric: Metric) -> Option<f64> {
        let values = self.0.get(metric.name)?;
        values.iter().copied().reduce(f64::max)
    }

    /// How many values a metric has, one for each set of labels.
    pub(super) fn count(&self, metric: Metric) -> f64 {
        self.0.get(metric.name).map_or(0, Vec::len) as f64
    }

    /// A counter's values added up. OpenMetrics gives its name an ending.
    pub(super) fn counter(&self, metric: Metric) -> Option<f64> {
        Some(self.0.get(&format!("{}_total", metric.name))?.iter().sum())
    }
}

/// `name{labels} value`; nothing else of ours has a brace.
fn parse_line(line: &str) -> Option<(&str, f64)> {
    let (name, rest) = match line.split_once('{') {
        Some((name, rest)) => (name, rest.rsplit_once('}')?.1),
        None => line.split_once(' ')?,
    };
    let value = rest.split_whitespace().next()?;
    Some((name, value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use trunkline_telemetry::names::link;

    use super::*;

    #[test]
    fn values_are_added_up_over_their_labels() {
        let text = "# TYPE trunkline_edge_closes counter\n\
            trunkline_edge_closes_total{code=\"3001\"} 4\n\
            trunkline_edge_closes_total{code=\"3500\"} 3\n\
            trunkline_edge_clients 7.0\n\
            trunkline_link_rtt_seconds{peer=\"a b\"} 0.08\n\
            trunkline_link_rtt_seconds{peer=\"b\"} 0.01\n# EOF\n";
        let page = Page::parse(text);
        assert_eq!(page.counter(edge::CLOSES), Some(7.0));
        assert_eq!(page.gauge(edge::CLIENTS), Some(7.0));
        assert_eq!(page.largest(link::RTT), Some(0.08));
        assert_eq!(page.gauge(edge::CHANNELS), None);
    }

    #[test]
    fn what_is_no_metrics_page_has_no_numbers() {
        for text in ["", "<html>", "{}", "name", "name{ 1", "name one"] {
            assert_eq!(Page::parse(text), Page::default(), "{text}");
        }
    }
}
