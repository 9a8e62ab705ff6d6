//! Processes that don't start.

use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};

use crate::harness::own_ip;
use crate::harness::postgres::Postgres;
use crate::stage::Stage;

/// Plays every case; returns what was written.
pub(crate) fn provoke() -> String {
    let stage = Stage::new();
    let cases: [fn(&Stage) -> String; 3] = [configuration, certificates, places];
    cases.map(|case| case(&stage)).concat()
}

fn configuration(stage: &Stage) -> String {
    let files = [
        ("edge", "[edge]\nlisten = 127.0.0.1:8000\n"),
        (
            "edge",
            "[edge]\nlisen = \"127.0.0.1:8000\"\nworkers = \"two\"\n",
        ),
        ("edge", "[edge]\nlisten = \"localhost:8000\"\n"),
        ("backbone", "[backbone]\nlisten = \"0.0.0.0:7443\"\n"),
        (
            "backbone",
            "[[namespace]]\nname = \"chat\"\nclass = \"durable\"\n[[namespace]]\npresence = true\n",
        ),
        (
            "backbone",
            "[store]\nhistory_meta_ttl = \"1d\"\n\
             [[namespace]]\nname = \"chat\"\nclass = \"durable\"\nhistory_size = 1\nhistory_ttl = \"7d\"\n",
        ),
    ];
    let played = files.map(|(command, text)| {
        stage.write("trunkline.toml", text);
        stage.fails(&[command, "--config", "trunkline.toml"])
    });
    played.concat() + &stage.fails(&["edge", "--config", "edge-2.toml"])
}

fn certificates(stage: &Stage) -> String {
    expire(stage);
    let changes: [&[&str]; 5] = [
        &["--set", "link.key_file=certs/backbone-1.key"],
        &[
            "--set",
            "link.certificate_file=certs/backbone-1.pem",
            "--set",
            "link.key_file=certs/backbone-1.key",
        ],
        &["--set", "edge.name=edge-2"],
        &["--set", "link.ca_file=certs/authority.pem"],
        &[
            "--set",
            "link.certificate_file=certs/old.pem",
            "--set",
            "link.key_file=certs/old.key",
        ],
    ];
    let config = "[client.token]\nhmac_secret_key = \"secret\"\n";
    stage.write("edge-1.toml", &format!("{}{config}", Stage::link("edge-1")));
    stage.write("bare.toml", config);
    let played =
        changes.map(|change| stage.fails(&[&["edge", "--config", "edge-1.toml"], change].concat()));
    played.concat() + &stage.fails(&["edge", "--config", "bare.toml"])
}

/// Makes a certificate that has expired.
fn expire(stage: &Stage) {
    let mut params = CertificateParams::default();
    let uri = "trunkline://edge/eu-west/old"
        .try_into()
        .expect("a URI is ASCII");
    params.subject_alt_names.push(SanType::URI(uri));
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    stage.write("certs/old.pem", &certificate.pem());
    stage.write("certs/old.key", &key.serialize_pem());
}

/// Makes a store whose journal begins with a commit of no rows that doesn't end as commits do.
fn damage(stage: &Stage) {
    let data = stage.path().join("damaged/data");
    std::fs::create_dir_all(&data).expect("made");
    let begin = [&[1][..], &[0; 4], &[0; 8]].concat();
    let checksum = 0x2d06_8005_38d3_94c2_u64.to_le_bytes();
    let journal = [&begin[..], &[3], &checksum, b"FJL!"].concat();
    std::fs::write(data.join("0.jnl"), journal).expect("written");
}

/// Ports and directories that others have.
fn places(stage: &Stage) -> String {
    let node = |place: &str| {
        format!(
            "{}[backbone]\nlisten = \"{ip}:7443\"\n[admin]\nlisten = \"{ip}:0\"\n{place}",
            Stage::link("backbone-1"),
            ip = stage.ip
        )
    };
    let first = stage.start("backbone", "first", &node("[store]\npath = \"store\"\n"));
    first.address("link");
    stage.write("file", "");
    damage(stage);
    let stores = ["store", "other", "file/store", "damaged"].map(|path| {
        stage.write(
            "second.toml",
            &node(&format!("[store]\npath = \"{path}\"\n")),
        );
        stage.fails(&["backbone", "--config", "second.toml"])
    });
    let dev = stage.fails(&["dev", "--dir", "dev", "--ip", &stage.ip.to_string()]);
    let elsewhere = stage.fails(&[
        "edge",
        "--config",
        "edge-1.toml",
        "--set",
        "edge.listen=192.0.2.1:8000",
    ]);
    stores.concat() + &dev + &elsewhere
}

/// The beginning of what only nodes on PostgreSQL write.
pub(crate) const NAME_TAKEN: &str = "the name ";

/// A second process under a name that lives; `None` where there is no PostgreSQL.
pub(crate) fn take_a_name() -> Option<String> {
    let server = Postgres::start(own_ip(), &[])?;
    let dsn = server.dsn(&server.database());
    let stage = Stage::new();
    let node = format!(
        "{}[backbone]\nlisten = \"{ip}:0\"\n[admin]\nlisten = \"{ip}:0\"\n\
         [store]\nkind = \"postgres\"\npostgres.dsn = \"{dsn}\"\n",
        Stage::link("backbone-1"),
        ip = stage.ip
    );
    let first = stage.start("backbone", "first", &node);
    first.address("link");
    Some(stage.fails(&["backbone", "--config", "first.toml"]))
}
