//! Keeps `src/generated/client.rs` equal to what `proto/client.proto` makes.
//!
//! The generated types carry serde attributes besides prost's, so that one set of types serves both
//! encodings. Which attribute a field gets follows from its type; the exceptions are listed below.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use prost_build::Config;

/// Numbers of the types in a descriptor that need a reader of their own.
const TYPE_MESSAGE: i32 = 11;
const TYPE_BYTES: i32 = 12;
const LABEL_REPEATED: i32 = 3;

/// Fields that JSON shows even when they hold nothing; everything else is omitted then.
const ALWAYS_PRESENT: [&str; 8] = [
    "PresenceResult.presence",
    "PresenceStatsResult.num_clients",
    "PresenceStatsResult.num_users",
    "HistoryResult.publications",
    "HistoryResult.epoch",
    "HistoryResult.offset",
    "ClientInfo.user",
    "ClientInfo.client",
];

/// Fields that SDKs read without asking whether they are there.
const MANDATORY_FOR_SDKS: [&str; 6] = [
    "Error.message",
    "Unsubscribe.code",
    "Unsubscribe.reason",
    "Disconnect.code",
    "Disconnect.reason",
    "ConnectResult.client",
];

#[test]
fn the_generated_file_is_what_the_proto_makes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = generate(root);
    let kept = root.join("src/generated/client.rs");
    if std::env::var_os("TRUNKLINE_REGENERATE").is_some() {
        fs::write(&kept, &made).unwrap();
    }
    assert_eq!(
        fs::read_to_string(kept).unwrap(),
        made,
        "run this test once with TRUNKLINE_REGENERATE=1"
    );
}

fn generate(root: &Path) -> String {
    let proto = root.join("proto");
    let descriptors = protox::compile(["client.proto"], [proto]).unwrap();
    let mut config = Config::new();
    config.bytes(["."]).btree_map(["."]);
    config.type_attribute(".", "#[derive(serde::Serialize, serde::Deserialize)]");
    config.type_attribute(".", "#[serde(default)]");
    for message in &descriptors.file[0].message_type {
        for field in &message.field {
            let name = format!("{}.{}", message.name(), field.name());
            let repeated = field.label == Some(LABEL_REPEATED);
            let attribute = attribute(&name, field.r#type, repeated);
            config.field_attribute(format!(".trunkline.client.{name}"), attribute);
        }
    }
    let out = tempfile::tempdir().unwrap();
    config.out_dir(out.path()).compile_fds(descriptors).unwrap();
    fs::read_to_string(out.path().join("trunkline.client.rs")).unwrap()
}

fn attribute(name: &str, kind: Option<i32>, repeated: bool) -> String {
    let reader = match (kind, repeated) {
        (Some(TYPE_BYTES), _) => r#"with = "crate::json::raw""#,
        (Some(TYPE_MESSAGE), false) => r#"deserialize_with = "crate::json::message""#,
        _ => r#"deserialize_with = "crate::json::null_as_default""#,
    };
    if ALWAYS_PRESENT.contains(&name) || MANDATORY_FOR_SDKS.contains(&name) {
        return format!("#[serde({reader})]");
    }
    format!(r#"#[serde({reader}, skip_serializing_if = "crate::json::is_default")]"#)
}
