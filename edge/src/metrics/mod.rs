//! What `/metrics` shows: the numbers of all parts, folded together when they are asked for.

mod entrance;
mod upstream;
mod workers;

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use trunkline_telemetry::Metric;

/// Labels of one value; every label has few values.
type Labels = Vec<(&'static str, String)>;

#[derive(Clone, Copy, Debug)]
enum Value {
    Counter(u64),
    Gauge(f64),
}

/// The numbers of one moment, by metric.
#[derive(Debug, Default)]
pub(crate) struct Page(Vec<(Metric, Vec<(Labels, Value)>)>);

impl Page {
    /// The page as OpenMetrics text.
    pub(crate) fn text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a string doesn't fail");
        text
    }

    fn counter(&mut self, metric: Metric, value: u64) {
        self.0
            .push((metric, vec![(Vec::new(), Value::Counter(value))]));
    }

    fn gauge(&mut self, metric: Metric, value: usize) {
        self.0
            .push((metric, vec![(Vec::new(), Value::Gauge(value as f64))]));
    }

    fn counters(&mut self, metric: Metric, values: impl Iterator<Item = (Labels, u64)>) {
        self.0.push((
            metric,
            values
                .map(|(labels, value)| (labels, Value::Counter(value)))
                .collect(),
        ));
    }

    fn gauges(&mut self, metric: Metric, values: impl Iterator<Item = (Labels, f64)>) {
        self.0.push((
            metric,
            values
                .map(|(labels, value)| (labels, Value::Gauge(value)))
                .collect(),
        ));
    }
}

fn label(name: &'static str, value: impl ToString) -> Labels {
    vec![(name, value.to_string())]
}

impl Value {
    fn kind(self) -> MetricType {
        match self {
            Self::Counter(value) => ConstCounter::new(value).metric_type(),
            Self::Gauge(value) => ConstGauge::new(value).metric_type(),
        }
    }

    fn encode(self, encoder: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Counter(value) => ConstCounter::new(value).encode(encoder),
            Self::Gauge(value) => ConstGauge::new(value).encode(encoder),
        }
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (metric, values) in &self.0 {
            let Some((_, first)) = values.first() else {
                continue;
            };
            let mut family =
                encoder.encode_descriptor(metric.name, metric.help, None, first.kind())?;
            if let [(labels, value)] = values.as_slice()
                && labels.is_empty()
            {
                value.encode(family)?;
                continue;
            }
            for (labels, value) in values {
                value.encode(family.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
