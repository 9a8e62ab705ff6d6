//! `config.example.toml` shows every key with its default, so that it can't grow old.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};
use trunkline_backbone::{BackboneSection, StoreSection};
use trunkline_edge::{ApiSection, EdgeSection};
use trunkline_edge_core::worker::ClientConfig;
use trunkline_link::LinkConfig;
use trunkline_process::AdminSection;
use trunkline_shared::config::Source;
use trunkline_shared::rules::Namespace;
use trunkline_telemetry::LogConfig;

const EXAMPLE: &str = include_str!("../config.example.toml");

fn example() -> Table {
    EXAMPLE.parse().expect("the example is TOML")
}

/// The section of the example reads as its defaults and has all of their keys.
fn check<T: DeserializeOwned + Serialize + Default + PartialEq + Debug>(name: &str) {
    let mut source = Source::parse(EXAMPLE, std::iter::empty()).expect("the example is TOML");
    let read: T = source.section(name);
    assert_eq!(source.finish(), Ok(()), "[{name}]");
    assert_eq!(read, T::default(), "[{name}]");
    let defaults = Value::try_from(T::default()).expect("defaults can be written");
    check_keys(name, &defaults, &example()[name]);
}

fn check_keys(path: &str, defaults: &Value, shown: &Value) {
    let (Value::Table(defaults), Value::Table(shown)) = (defaults, shown) else {
        return;
    };
    for (key, value) in defaults {
        let found = shown
            .get(key)
            .unwrap_or_else(|| panic!("{path}.{key} is not in the example"));
        check_keys(&format!("{path}.{key}"), value, found);
    }
}

#[test]
fn the_example_equals_the_defaults() {
    check::<EdgeSection>("edge");
    check::<ClientConfig>("client");
    check::<ApiSection>("api");
    check::<BackboneSection>("backbone");
    check::<StoreSection>("store");
    check::<LinkConfig>("link");
    check::<AdminSection>("admin");
    check::<LogConfig>("log");
}

#[test]
fn the_example_namespace_equals_the_defaults() {
    let mut source = Source::parse(EXAMPLE, std::iter::empty()).expect("the example is TOML");
    let read: Vec<Namespace> = source.sections("namespace");
    assert_eq!(source.finish(), Ok(()));
    let default = Namespace {
        name: "chat".to_owned(),
        ..Namespace::default()
    };
    let written = Value::try_from(&default).expect("defaults can be written");
    check_keys("namespace", &written, &example()["namespace"][0]);
    assert_eq!(read, [default]);
}
