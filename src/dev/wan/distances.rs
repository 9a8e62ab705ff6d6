//! How far each region is from the backbone, by `--wan`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use trunkline_loadtest::wan::{LinkProfile, WanFile};

use crate::dev::plan::REGIONS;

/// What `--wan` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// `none`: edges reach the node as this machine has it.
    None,
    /// `default`: round trips of 10, 80 and 150 ms.
    Default,
    /// Anything else: a file that says more.
    File(PathBuf),
}

impl FromStr for Choice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "none" => Self::None,
            "default" => Self::Default,
            path => Self::File(path.into()),
        })
    }
}

/// What the way of each region is like; all of them are known, or none.
#[derive(Clone, Debug)]
pub(crate) struct Distances(Option<BTreeMap<String, LinkProfile>>);

impl Distances {
    /// Reads what was asked for; a region that a file doesn't name is no distance away.
    ///
    /// # Errors
    /// When the file can't be read, is wrong, or names a region that dev mode hasn't.
    pub(crate) fn read(choice: &Choice) -> Result<Self> {
        let (file, path) = match choice {
            Choice::None => return Ok(Self(None)),
            Choice::Default => return Ok(Self(Some(WanFile::default().regions))),
            Choice::File(path) => (WanFile::read(path), path),
        };
        let mut regions = file
            .with_context(|| format!("--wan {}", path.display()))?
            .regions;
        if let Some(unknown) = regions
            .keys()
            .find(|region| !REGIONS.contains(&region.as_str()))
        {
            bail!(
                "--wan {}: there is no region {unknown:?}, but {}",
                path.display(),
                REGIONS.join(", ")
            );
        }
        for region in REGIONS {
            let near = LinkProfile::new(Duration::ZERO);
            regions.entry(region.to_owned()).or_insert(near);
        }
        Ok(Self(Some(regions)))
    }

    /// Whether there are any.
    pub(crate) const fn are_emulated(&self) -> bool {
        self.0.is_some()
    }

    /// What a region's way is like.
    pub(crate) fn of(&self, region: &str) -> Option<&LinkProfile> {
        self.0.as_ref()?.get(region)
    }

    /// A region's round trip to the backbone as far as it is emulated, in milliseconds.
    pub(crate) fn rtt_ms(&self, region: &str) -> f64 {
        let rtt = self.of(region).map_or(Duration::ZERO, |way| way.rtt);
        rtt.as_secs_f64() * 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Distances> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        Distances::read(&Choice::File(file.path().to_owned()))
    }

    #[test]
    fn regions_of_a_file_are_as_far_as_it_says_and_others_near() {
        let distances = read("[regions.ap-south]\nrtt = \"200ms\"\n").expect("a good file");
        let milliseconds = REGIONS.map(|region| distances.rtt_ms(region));
        assert_eq!(milliseconds, [0.0, 0.0, 200.0]);
        assert!(distances.of("eu-west").is_some(), "it can be cut off too");
    }

    #[test]
    fn a_region_that_dev_mode_has_not_is_a_mistake() {
        let error = read("[regions.mars]\nrtt = \"200ms\"\n").expect_err("no such region");
        assert!(error.to_string().contains("\"mars\""), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let choice: Choice = "nowhere.toml".parse().expect("anything is a file");
        let error = Distances::read(&choice).expect_err("no file");
        assert!(format!("{error:#}").contains("nowhere.toml"), "{error:#}");
    }

    #[test]
    fn none_is_none_and_the_default_is_10_80_and_150_milliseconds() {
        let none = Distances::read(&Choice::None).expect("nothing to read");
        assert!(!none.are_emulated());
        let default = Distances::read(&Choice::Default).expect("nothing to read");
        assert_eq!(
            REGIONS.map(|region| default.rtt_ms(region)),
            [10.0, 80.0, 150.0]
        );
    }
}
