//! The house as drawn in `docs/ARCHITECTURE.md`: who may depend on whom, and what a core may depend on.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Every crate of ours and the crates of ours that it depends on.
const ARROWS: [(&str, &[&str]); 14] = [
    ("trunkline-shared", &[]),
    ("trunkline-protocol", &[]),
    ("trunkline-link", &["shared"]),
    ("trunkline-process", &["shared"]),
    ("trunkline-telemetry", &[]),
    ("trunkline-store-core", &["shared"]),
    ("trunkline-store", &["shared", "store-core"]),
    ("trunkline-backbone-core", &["shared", "store-core"]),
    (
        "trunkline-backbone",
        &[
            "backbone-core",
            "link",
            "process",
            "shared",
            "store",
            "store-core",
            "telemetry",
        ],
    ),
    ("trunkline-edge-core", &["protocol", "shared"]),
    ("trunkline-loadtest", &["protocol", "telemetry"]),
    (
        "trunkline-edge",
        &[
            "edge-core",
            "link",
            "process",
            "protocol",
            "shared",
            "telemetry",
        ],
    ),
    (
        "trunkline-sim",
        &[
            "backbone-core",
            "edge-core",
            "protocol",
            "shared",
            "store-core",
        ],
    ),
    (
        "trunkline",
        &[
            "backbone",
            "edge",
            "link",
            "loadtest",
            "process",
            "protocol",
            "shared",
            "store",
            "telemetry",
        ],
    ),
];

/// Crates without I/O, and what of others they may name: values, codecs, numbers.
const CORES: [&str; 6] = [
    "trunkline-shared",
    "trunkline-protocol",
    "trunkline-store-core",
    "trunkline-backbone-core",
    "trunkline-edge-core",
    "trunkline-sim",
];
const CORE_MAY_NAME: [&str; 23] = [
    "base64",
    "bytes",
    "bytesize",
    "hashring",
    "hex",
    "humantime-serde",
    "indexmap",
    "jsonwebtoken",
    "prost",
    "rand",
    "rand_chacha",
    "rkyv",
    "rustc-hash",
    "serde",
    "serde_ignored",
    "serde_json",
    "serde_path_to_error",
    "smol_str",
    "strsim",
    "thiserror",
    "toml",
    "uuid",
    "xxhash-rust",
];

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .expect("cargo metadata runs")
}

/// Names of a package's dependencies, those of its tests left out.
fn dependencies(package: &Package) -> BTreeSet<&str> {
    let normal = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development);
    normal.map(|dependency| dependency.name.as_str()).collect()
}

#[test]
fn crates_depend_on_each_other_as_drawn() {
    let metadata = metadata();
    let mut found = BTreeMap::new();
    for package in &metadata.packages {
        let ours = dependencies(package)
            .into_iter()
            .filter_map(|name| name.strip_prefix("trunkline-"));
        found.insert(
            package.name.to_string(),
            ours.map(ToOwned::to_owned).collect::<Vec<_>>(),
        );
    }
    let drawn = ARROWS.map(|(name, arrows)| {
        (
            name.to_owned(),
            arrows.iter().map(ToString::to_string).collect(),
        )
    });
    assert_eq!(found, BTreeMap::from(drawn));
}

#[test]
fn cores_name_nothing_that_does_io() {
    let metadata = metadata();
    for package in metadata
        .packages
        .iter()
        .filter(|package| CORES.contains(&package.name.as_str()))
    {
        let foreign = dependencies(package)
            .into_iter()
            .filter(|name| !name.starts_with("trunkline-"));
        let refused: Vec<_> = foreign
            .filter(|name| !CORE_MAY_NAME.contains(name))
            .collect();
        assert!(refused.is_empty(), "{} names {refused:?}", package.name);
    }
}

#[test]
fn cores_ban_clocks_and_io() {
    for core in [
        "shared",
        "shared/protocol",
        "store/core",
        "backbone/core",
        "edge/core",
        "loadtest/sim",
    ] {
        let path = format!("{}/{core}/clippy.toml", env!("CARGO_MANIFEST_DIR"));
        let bans = std::fs::read_to_string(&path).unwrap_or_default();
        for banned in [
            "Instant::now",
            "SystemTime::now",
            "thread::spawn",
            "std::net::UdpSocket",
            "std::fs::File",
        ] {
            assert!(bans.contains(banned), "{path} doesn't ban {banned}");
        }
    }
}
