//! `[store]`: which store keeps messages, and where.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use humantime_serde::re::humantime::format_duration;
use serde::{Deserialize, Serialize, Serializer};
use trunkline_shared::rules::{Class, Namespace};
use trunkline_store::postgres;

/// Which store it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// A directory of this process.
    #[default]
    Embedded,
    /// A PostgreSQL database.
    Postgres,
}

/// `[store]`: where messages are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreSection {
    /// Which store; default the embedded one.
    pub kind: StoreKind,
    /// Directory of the embedded store; default `.trunkline/store`. Made when absent.
    pub path: PathBuf,
    /// How long the store remembers where a durable channel stands that nobody has published to, once its messages have
    /// expired; one hour to ten years, not less than any durable namespace's `history_ttl`. Default 30 days.
    #[serde(with = "humantime_serde")]
    pub history_meta_ttl: Duration,
    /// `[store.postgres]`: the database, where the kind asks for one.
    pub postgres: PostgresSection,
}

impl Default for StoreSection {
    fn default() -> Self {
        Self {
            kind: StoreKind::default(),
            path: PathBuf::from(".trunkline/store"),
            history_meta_ttl: Duration::from_hours(30 * 24),
            postgres: PostgresSection::default(),
        }
    }
}

/// What `store.history_meta_ttl` may be: far above the time for which publish ids and idempotency keys are kept, and within
/// the range of any clock.
const META_TTL: RangeInclusive<Duration> =
    Duration::from_hours(1)..=Duration::from_hours(10 * 366 * 24);

impl StoreSection {
    /// How long heads outlive their messages; `None`, for ever, without a durable namespace: one that was left out by mistake
    /// doesn't end its history. Never less than messages are kept, whatever another node's configuration made the rules.
    pub(crate) fn heads_kept(&self, namespaces: &[Namespace]) -> Option<Duration> {
        longest_ttl(namespaces).map(|ttl| self.history_meta_ttl.max(ttl))
    }

    /// What is wrong with it, beside these namespaces.
    pub(super) fn problems(&self, namespaces: &[Namespace]) -> Vec<String> {
        let mut problems = self.kind_problems();
        problems.extend(self.meta_ttl_problem(namespaces));
        problems
    }

    fn meta_ttl_problem(&self, namespaces: &[Namespace]) -> Option<String> {
        let ttl = self.history_meta_ttl;
        if !META_TTL.contains(&ttl) {
            return Some("store.history_meta_ttl: from 1h to 10 years".to_owned());
        }
        let mut durable = durable(namespaces);
        let longer = durable.find(|namespace| namespace.history_ttl > ttl)?;
        let (name, longer) = (&longer.name, format_duration(longer.history_ttl));
        let ttl = format_duration(ttl);
        Some(format!(
            "store.history_meta_ttl is {ttl}, less than history_ttl of namespace \"{name}\", {longer}"
        ))
    }

    fn kind_problems(&self) -> Vec<String> {
        match self.kind {
            StoreKind::Embedded => self.embedded_problems(),
            StoreKind::Postgres => self.postgres.problems(),
        }
    }

    fn embedded_problems(&self) -> Vec<String> {
        let checks = [
            (
                !self.path.as_os_str().is_empty(),
                "store.path: must not be empty",
            ),
            (
                self.postgres.dsn.is_empty(),
                "store.postgres.dsn: not used by store.kind \"embedded\"; set store.kind = \"postgres\", or leave it out",
            ),
            (
                self.postgres.shard.is_empty(),
                "store.postgres.shard: not used by store.kind \"embedded\"; set store.kind = \"postgres\", or leave it out",
            ),
        ];
        failed(checks).collect()
    }
}

/// What is said of those checks that failed.
fn failed<const N: usize>(checks: [(bool, &str); N]) -> impl Iterator<Item = String> {
    let failed = checks.into_iter().filter(|(good, _)| !good);
    failed.map(|(_, problem)| problem.to_owned())
}

/// `[store.postgres]`: a database that keeps messages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostgresSection {
    /// Connection string, `host=… user=… dbname=…` or `postgresql://…`; several hosts are tried for the one that takes
    /// writes. It may hold a password, so it is never shown.
    #[serde(serialize_with = "hide")]
    pub dsn: String,
    /// `[[store.postgres.shard]]`: several databases instead of one; default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shard: Vec<ShardSection>,
    /// PEM file with the roots that the server's certificate is checked against; default (empty): no TLS.
    pub ca_file: PathBuf,
    /// Whether a standby that takes over has everything that was acknowledged (`"sync"`, the default), or may lack some of it
    /// (`"async"`): each fail-over begins new epochs then.
    pub replication: postgres::Replication,
    /// Connections to each database that append; default 4, at least 1.
    pub writers: u8,
    /// Connections to each database that read; default 4, at least 1.
    pub readers: u8,
    /// Time in which a connection must be made; default 5 s, above 0.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// Time after which a connection that doesn't answer is closed; default 10 s, above 0.
    #[serde(with = "humantime_serde")]
    pub answer_timeout: Duration,
}

/// `[[store.postgres.shard]]`: a database that keeps messages of some slots.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShardSection {
    /// Connection string, as [`PostgresSection::dsn`].
    #[serde(serialize_with = "hide")]
    pub dsn: String,
    /// The first and the last slot.
    pub slots: [u16; 2],
}

/// Shows no password.
impl std::fmt::Debug for ShardSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardSection")
            .field("dsn_is_set", &!self.dsn.is_empty())
            .field("slots", &self.slots)
            .finish()
    }
}

impl ShardSection {
    fn options(&self) -> postgres::ShardOptions {
        let [first, last] = self.slots;
        postgres::ShardOptions {
            dsn: self.dsn.clone(),
            slots: first..=last,
        }
    }
}

fn hide<S: Serializer>(dsn: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if dsn.is_empty() { "" } else { "***" })
}

impl Default for PostgresSection {
    fn default() -> Self {
        let options = postgres::Options::default();
        Self {
            dsn: options.dsn,
            shard: Vec::new(),
            ca_file: PathBuf::new(),
            replication: options.replication,
            writers: 4,
            readers: 4,
            connect_timeout: options.connect_timeout,
            answer_timeout: options.answer_timeout,
        }
    }
}

/// Shows no password.
impl std::fmt::Debug for PostgresSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresSection")
            .field("dsn_is_set", &!self.dsn.is_empty())
            .field("shard", &self.shard)
            .field("ca_file", &self.ca_file)
            .field("replication", &self.replication)
            .field("writers", &self.writers)
            .field("readers", &self.readers)
            .field("connect_timeout", &self.connect_timeout)
            .field("answer_timeout", &self.answer_timeout)
            .finish()
    }
}

impl PostgresSection {
    fn problems(&self) -> Vec<String> {
        let checks = [
            (
                self.writers > 0,
                "store.postgres.writers: must be at least 1",
            ),
            (
                self.readers > 0,
                "store.postgres.readers: must be at least 1",
            ),
            (
                !self.connect_timeout.is_zero(),
                "store.postgres.connect_timeout: must be above 0",
            ),
            (
                !self.answer_timeout.is_zero(),
                "store.postgres.answer_timeout: must be above 0",
            ),
        ];
        failed(checks).chain(self.database_problem()).collect()
    }

    /// The first thing that is wrong with the databases, behind the key that it most probably stands in.
    fn database_problem(&self) -> Option<String> {
        if self.dsn.is_empty() && self.shard.is_empty() {
            return Some("store.postgres.dsn: needed where store.kind is \"postgres\"".to_owned());
        }
        let error = self.options(&[]).check().err()?;
        let key = if matches!(error, postgres::OpenError::Roots { .. }) {
            "ca_file"
        } else if self.shard.is_empty() {
            "dsn"
        } else {
            "shard"
        };
        Some(format!("store.postgres.{key}: {error}"))
    }

    /// The settings of the store; messages stay as long as the durable namespace that keeps them longest
    /// says, and without one for ever.
    pub fn options(&self, namespaces: &[Namespace]) -> postgres::Options {
        let ca_file = Some(self.ca_file.clone()).filter(|path| !path.as_os_str().is_empty());
        postgres::Options {
            dsn: self.dsn.clone(),
            shards: self.shard.iter().map(ShardSection::options).collect(),
            ca_file,
            replication: self.replication,
            writers: self.writers.into(),
            readers: self.readers.into(),
            connect_timeout: self.connect_timeout,
            answer_timeout: self.answer_timeout,
            retention: longest_ttl(namespaces),
            ..postgres::Options::default()
        }
    }
}

fn durable(namespaces: &[Namespace]) -> impl Iterator<Item = &Namespace> {
    let is_durable = |namespace: &&Namespace| namespace.class() == Class::Durable;
    namespaces.iter().filter(is_durable)
}

/// How long the durable namespace that keeps messages longest does.
pub(crate) fn longest_ttl(namespaces: &[Namespace]) -> Option<Duration> {
    durable(namespaces)
        .map(|namespace| namespace.history_ttl)
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_dsn(dsn: &str) -> StoreSection {
        StoreSection {
            kind: StoreKind::Postgres,
            postgres: PostgresSection {
                dsn: dsn.to_owned(),
                ..PostgresSection::default()
            },
            ..StoreSection::default()
        }
    }

    #[test]
    fn a_connection_string_is_checked_where_it_is_needed() {
        for (dsn, named) in [
            ("", "needed where store.kind is \"postgres\""),
            ("user=me", "names no host"),
            ("hots=db", "hots"),
            ("host=db sslmode=require", "ca_file"),
        ] {
            let problems = with_dsn(dsn).kind_problems();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(
                problems[0].starts_with("store.postgres.dsn: "),
                "{problems:?}"
            );
            assert!(problems[0].contains(named), "{problems:?}");
        }
        assert!(
            with_dsn("host=db1,db2 user=me dbname=mesh")
                .kind_problems()
                .is_empty()
        );
        assert!(StoreSection::default().kind_problems().is_empty());
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let section = toml::from_str::<StoreSection>(text).expect("TOML");
        let problems = section.kind_problems();
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, expected) in problems.iter().zip(expected) {
            assert!(problem.starts_with(expected), "{problem}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told_behind_its_key() {
        check("path = \"\"", &["store.path: must not be empty"]);
        check(
            "[postgres]\ndsn = \"host=db\"",
            &["store.postgres.dsn: not used by store.kind \"embedded\""],
        );
        check(
            "[[postgres.shard]]\ndsn = \"host=db\"",
            &["store.postgres.shard: not used by store.kind \"embedded\""],
        );
        check(
            "kind = \"postgres\"\npath = \"\"\n[postgres]\nwriters = 0\nreaders = 0\nconnect_timeout = \"0s\"\nanswer_timeout = \"0s\"",
            &[
                "store.postgres.writers: must be at least 1",
                "store.postgres.readers: must be at least 1",
                "store.postgres.connect_timeout: must be above 0",
                "store.postgres.answer_timeout: must be above 0",
                "store.postgres.dsn: needed",
            ],
        );
    }

    #[test]
    fn messages_are_kept_for_the_longest_of_durable_namespaces_and_without_one_for_ever() {
        let namespace = |durable, hours| Namespace {
            class: durable,
            history_size: 1,
            history_ttl: Duration::from_hours(hours),
            ..Namespace::default()
        };
        let section = PostgresSection::default();
        let retention = |namespaces: &[Namespace]| section.options(namespaces).retention;
        let buffered = namespace(Some(Class::Buffered), 9);
        assert_eq!(retention(std::slice::from_ref(&buffered)), None);
        let durable = |hours| namespace(Some(Class::Durable), hours);
        assert_eq!(
            retention(&[buffered, durable(2), durable(1)]),
            Some(Duration::from_hours(2))
        );
    }

    fn durable(hours: u64) -> Namespace {
        Namespace {
            name: "chat".to_owned(),
            class: Some(Class::Durable),
            history_size: 1,
            history_ttl: Duration::from_hours(hours),
            ..Namespace::default()
        }
    }

    #[test]
    fn heads_outlive_the_messages_of_every_durable_namespace() {
        let read = |text: &str| toml::from_str::<StoreSection>(text).expect("TOML");
        let section = read("history_meta_ttl = \"2h\"");
        let problems = section.problems(&[durable(1), durable(3)]);
        let expected =
            "store.history_meta_ttl is 2h, less than history_ttl of namespace \"chat\", 3h";
        assert_eq!(problems, [expected]);
        let buffered = Namespace {
            class: Some(Class::Buffered),
            ..durable(9)
        };
        assert_eq!(section.problems(&[durable(2), buffered]), [""; 0]);
        for bad in ["59m", "20 years"] {
            let problems = read(&format!("history_meta_ttl = \"{bad}\"")).problems(&[]);
            assert_eq!(problems, ["store.history_meta_ttl: from 1h to 10 years"]);
        }
    }

    #[test]
    fn heads_are_kept_for_ever_without_a_durable_namespace() {
        let section = StoreSection::default();
        assert_eq!(section.heads_kept(&[]), None);
        let thirty_days = Duration::from_hours(30 * 24);
        assert_eq!(section.heads_kept(&[durable(1)]), Some(thirty_days));
        // Rules of another node's configuration.
        assert_eq!(
            section.heads_kept(&[durable(60 * 24)]),
            Some(2 * thirty_days)
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        let mut section = with_dsn("host=db password=hunter2");
        section.postgres.shard.push(ShardSection {
            dsn: "host=db password=hunter2".to_owned(),
            slots: [0, 4095],
        });
        let shown = format!("{section:?} {}", toml::to_string(&section).expect("TOML"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn replication_is_synchronous_unless_it_is_said_not_to_be() {
        let read = |text: &str| toml::from_str::<StoreSection>(text);
        let of = |text| read(text).map(|section| section.postgres.options(&[]).replication);
        assert_eq!(of(""), Ok(postgres::Replication::Sync));
        let text = "[postgres]\nreplication = \"async\"";
        assert_eq!(of(text), Ok(postgres::Replication::Async));
        assert!(read("[postgres]\nreplication = \"maybe\"").is_err());
    }

    #[test]
    fn databases_that_share_the_slots_are_listed() {
        let text = |border: u16| {
            format!(
                "kind = \"postgres\"\n[postgres]\nwriters = 2\n\
                 [[postgres.shard]]\ndsn = \"host=db1\"\nslots = [0, 2047]\n\
                 [[postgres.shard]]\ndsn = \"host=db2\"\nslots = [{border}, 4095]\n"
            )
        };
        let read = |border| toml::from_str::<StoreSection>(&text(border)).expect("TOML");
        assert!(read(2048).kind_problems().is_empty());
        let problems = read(2049).kind_problems();
        assert!(
            problems[0].starts_with("store.postgres.shard: "),
            "{problems:?}"
        );
        assert!(problems[0].contains("slots 2049 to 4095"), "{problems:?}");
    }
}
