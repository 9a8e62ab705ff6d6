//! The links of a mesh's regions, as a file.
//!
//! ```toml
//! [regions.ap-south]
//! rtt = "150ms"      # required
//! jitter = "2ms"     # the rest may be left out
//! loss = 0.01
//! rate = "50mbit"
//! queue = "256KiB"
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::{Table, Value};

use super::profile::LinkProfile;

/// Letters of a region's name, as of all names in a mesh.
const NAME_LETTERS_MAX: usize = 63;

/// How far each region is from the backbone. The default has `eu-west` at 10 ms, `us-east` at 80 ms, `ap-south` at 150 ms.
#[derive(Clone, Debug, PartialEq)]
pub struct WanFile {
    /// The link of each region by its name; at least one.
    pub regions: BTreeMap<String, LinkProfile>,
}

/// Why a file isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum WanFileError {
    /// It can't be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It isn't TOML.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// It says what it can't; a line each.
    #[error("{}", .0.join("\n"))]
    Mistakes(Vec<String>),
}

impl Default for WanFile {
    fn default() -> Self {
        let regions = [("eu-west", 10), ("us-east", 80), ("ap-south", 150)];
        let far = |rtt| LinkProfile::new(Duration::from_millis(rtt));
        Self {
            regions: BTreeMap::from(regions.map(|(name, rtt)| (name.to_owned(), far(rtt)))),
        }
    }
}

impl WanFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it can't be read, isn't TOML, or has mistakes, of which all are told.
    pub fn read(path: &Path) -> Result<Self, WanFileError> {
        let text = std::fs::read_to_string(path).map_err(|error| WanFileError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// When it isn't TOML or has mistakes, of which all are told.
    pub fn parse(text: &str) -> Result<Self, WanFileError> {
        let mut reader = Reader::default();
        reader.file(&text.parse()?);
        if reader.regions.is_empty() && reader.mistakes.is_empty() {
            reader.mistakes.push("no [regions.NAME]".to_owned());
        }
        match reader.mistakes.is_empty() {
            true => Ok(Self {
                regions: reader.regions,
            }),
            false => Err(WanFileError::Mistakes(reader.mistakes)),
        }
    }
}

/// What has been read and what was wrong with the rest.
#[derive(Debug, Default)]
struct Reader {
    regions: BTreeMap<String, LinkProfile>,
    mistakes: Vec<String>,
}

impl Reader {
    fn file(&mut self, file: &Table) {
        for (key, value) in file {
            match value.as_table() {
                Some(regions) if key == "regions" => self.regions(regions),
                Some(_) | None => self
                    .mistakes
                    .push(format!("{key}: there is only [regions.NAME]")),
            }
        }
    }

    fn regions(&mut self, regions: &Table) {
        for (name, value) in regions {
            self.region(name, value);
        }
    }

    fn region(&mut self, name: &str, value: &Value) {
        if !is_name(name) {
            let rule = "a name has 1 to 63 of a-z, 0-9 and -";
            self.mistakes.push(format!("regions.{name:?}: {rule}"));
        }
        let Value::Table(values) = value else {
            self.mistakes.push(format!("regions.{name} is no table"));
            return;
        };
        if !values.contains_key("rtt") {
            self.mistakes
                .push(format!("regions.{name}: rtt is missing"));
        }
        let mut profile = LinkProfile::new(Duration::ZERO);
        for (key, value) in values {
            if let Err(error) = profile.set(key, &written(value)) {
                self.mistakes.push(format!("regions.{name}: {error}"));
            }
        }
        self.regions.insert(name.to_owned(), profile);
    }
}

fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_LETTERS_MAX).contains(&name.len()) && name.bytes().all(letter)
}

/// A value without the quotes of a string: `0.01` and `"1%"` are both a share.
fn written(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    #[test]
    fn a_file_says_how_far_regions_are() {
        let text = r#"
            [regions.ap-south]
            rtt = "150ms"
            jitter = "2ms"
            loss = 0.01
            rate = "50mbit"
            queue = "64KiB"
            [regions.near]
            rtt = "1ms"
        "#;
        let file = WanFile::parse(text).expect("it is right");
        let far = LinkProfile {
            rtt: Duration::from_millis(150),
            jitter: Duration::from_millis(2),
            loss: 0.01,
            rate_bits: NonZeroU64::new(50_000_000),
            queue_bytes_max: 64 << 10,
        };
        assert_eq!(file.regions["ap-south"], far);
        assert_eq!(
            file.regions["near"],
            LinkProfile::new(Duration::from_millis(1))
        );
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = r#"
            port = 1
            [regions.ap-south]
            rtt = "soon"
            delay = "1ms"
            loss = 2
            [regions.EU]
            jitter = "1ms"
        "#;
        let error = WanFile::parse(text).expect_err("it is wrong").to_string();
        for part in [
            "port: there is only",
            r#"regions.ap-south: rtt = "soon""#,
            "regions.ap-south: delay is none of",
            r#"regions.ap-south: loss = "2": not between"#,
            r#"regions."EU": a name has"#,
            "regions.EU: rtt is missing",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
    }

    #[test]
    fn a_file_without_regions_or_syntax_is_refused() {
        assert!(matches!(WanFile::parse(""), Err(WanFileError::Mistakes(_))));
        assert!(matches!(WanFile::parse("["), Err(WanFileError::Syntax(_))));
        let missing = WanFile::read(Path::new("/no/such/file")).expect_err("it isn't there");
        assert!(
            missing.to_string().starts_with("/no/such/file: "),
            "{missing}"
        );
    }

    #[test]
    fn the_default_is_three_regions() {
        let rtts = WanFile::default()
            .regions
            .into_values()
            .map(|link| link.rtt.as_millis());
        assert_eq!(Vec::from_iter(rtts), [150, 10, 80]);
    }
}
