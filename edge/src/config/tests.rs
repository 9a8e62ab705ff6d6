use trunkline_shared::EdgeId;

use super::*;

fn load(text: &str) -> Result<EdgeConfig, ConfigErrors> {
    EdgeConfig::load(Source::parse(text, std::iter::empty()).expect("valid TOML"))
}

const SECRET: &str = "[client.token]\nhmac_secret_key = \"hunter2\"\n[api]\nkey = \"hunter3\"\n";

#[test]
fn a_secret_is_all_that_the_defaults_lack() {
    let config = load(SECRET).expect("a good configuration");
    assert_eq!(config.edge, EdgeSection::default());
    assert!(config.dev.is_none());
}

#[test]
fn all_mistakes_are_reported_together() {
    let text = "[edge]\nworkers = 1000\nbackbones = [\"nowhere\"]\nlisen = \"x\"\n[api]\nkye = 1\n[admin]\nlisten = 7\n";
    let ConfigErrors(errors) = load(text).expect_err("mistakes");
    let has = |start: &str| {
        assert!(
            errors.iter().any(|error| error.starts_with(start)),
            "{start}: {errors:#?}"
        )
    };
    has("edge.lisen: unknown key");
    has("api.kye: unknown key");
    has("admin.listen: ");
    has("edge.workers must be at most 256");
    has("edge.backbones must be host:port each");
    has("client.token.hmac_secret_key is empty");
}

#[test]
fn a_certificate_without_its_key_is_a_mistake_and_the_other_way_round() {
    for (key, missing) in [
        ("certificate_file", "key_file"),
        ("key_file", "certificate_file"),
    ] {
        let text = format!("[edge.tls]\n{key} = \"a.pem\"\n{SECRET}");
        let ConfigErrors(errors) = load(&text).expect_err("a mistake");
        assert_eq!(errors, [format!("edge.tls.{key} needs edge.tls.{missing}")]);
    }
    let ConfigErrors(errors) = load(&format!("[edge.tls]\ncert = 1\n{SECRET}")).expect_err("one");
    assert!(
        errors[0].starts_with("edge.tls.cert: unknown key"),
        "{errors:?}"
    );
}

#[test]
fn unknown_keys_of_clients_and_tokens_are_told_together() {
    let text = format!("{SECRET}[client]\npingg_interval = \"2s\"\nclose_spread = \"2s\"\n");
    let text = text.replace("hmac_secret_key =", "hmac_secret = 1\nhmac_secret_key =");
    let ConfigErrors(mut errors) = load(&text).expect_err("mistakes");
    errors.sort();
    assert_eq!(
        errors,
        [
            "client.close_spread: unknown key",
            "client.pingg_interval: unknown key; did you mean ping_interval?",
            "client.token.hmac_secret: unknown key; did you mean hmac_secret_key?",
        ]
    );
}

#[test]
fn no_secret_is_shown() {
    let shown = format!("{:?}", load(SECRET).expect("a good configuration"));
    assert!(
        !shown.contains("hunter2") && !shown.contains("hunter3"),
        "{shown}"
    );
}

#[test]
fn flags_are_laid_over_the_file() {
    let mut source = Source::parse(SECRET, std::iter::empty()).expect("valid TOML");
    source.set("edge", "listen", "127.0.0.1:0");
    source.set("edge", "name", "edge-1");
    source.set("edge", "dev", "true");
    let config = EdgeConfig::load(source).expect("a good configuration");
    assert_eq!(config.edge.listen.port(), 0);
    assert_eq!(config.edge.name, EdgeId::parse("edge-1").ok());
    assert!(config.dev.is_some());
}

#[test]
fn workers_are_as_many_as_processors_unless_set() {
    assert!(EdgeSection::default().workers() >= 1);
    assert_eq!(
        EdgeSection {
            workers: 3,
            ..EdgeSection::default()
        }
        .workers(),
        3
    );
}

#[test]
fn dev_mode_is_for_this_machine_only() {
    let listening = |address: &str| {
        let dev = format!("[edge]\ndev = true\nlisten = \"{address}\"\n{SECRET}");
        load(&dev).map(|config| config.edge.listen)
    };
    for address in ["127.0.0.1:8000", "127.0.7.1:0", "[::1]:8000"] {
        assert!(listening(address).is_ok(), "{address}");
    }
    for address in ["0.0.0.0:8000", "[::]:8000", "10.0.0.1:8000"] {
        let ConfigErrors(errors) = listening(address).expect_err("a mistake");
        let text = "edge.dev signs tokens for anybody: edge.listen must be a loopback address";
        assert_eq!(errors, [text], "{address}");
    }
}

#[test]
fn sections_are_written_out_as_they_are_read_but_for_secrets() {
    let written = serde_json::to_value(EdgeSection::default()).expect("JSON");
    assert_eq!(written["listen"], "127.0.0.1:8000");
    assert_eq!(written["header_timeout"], "10s");
    let read: EdgeSection = serde_json::from_value(written).expect("the same section");
    assert_eq!(read, EdgeSection::default());
    let api = serde_json::to_value(load(SECRET).expect("a good configuration").api);
    let expected = serde_json::json!({"key": "***", "insecure": false, "error_mode": ""});
    assert_eq!(api.expect("JSON"), expected);
}
