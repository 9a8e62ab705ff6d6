//! Flags of scenarios that look at several regions.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use crate::target::Target;
use crate::wan::units;

/// Where the edges are.
#[derive(Clone, Debug, Args)]
pub(crate) struct RegionsArgs {
    /// Addresses of a running `trunkline dev`; its emulated round trips are asked of an edge.
    #[arg(long, default_value = ".trunkline/dev.json", value_name = "FILE")]
    pub(crate) dev_json: PathBuf,
    /// An edge, instead of those of a file; may be given again.
    #[arg(
        long = "edge",
        value_name = "REGION=URL",
        conflicts_with = "dev_json",
        value_parser = pair::<Target>
    )]
    pub(crate) edges: Vec<(String, Target)>,
    /// Emulated round trip between an edge given by --edge and the backbone; 0 without it.
    #[arg(
        long = "rtt",
        value_name = "REGION=TIME",
        requires = "edges",
        value_parser = pair::<Rtt>
    )]
    pub(crate) rtts: Vec<(String, Rtt)>,
}

/// A round trip, such as `80ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rtt(pub(crate) Duration);

impl FromStr for Rtt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = units::duration(text);
        parsed.map(Self).map_err(|error| format!("{text}: {error}"))
    }
}

fn pair<T: FromStr<Err = String>>(text: &str) -> Result<(String, T), String> {
    let (region, value) = text.split_once('=').ok_or("it isn't REGION=VALUE")?;
    Ok((region.to_owned(), value.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_and_its_value_are_told_apart() {
        let (region, url) = pair::<Target>("eu-west=ws://127.0.0.1:8000/x").expect("a pair");
        assert_eq!((&*region, &*url.path), ("eu-west", "/x"));
        let (_, Rtt(rtt)) = pair::<Rtt>("eu-west=10ms").expect("a pair");
        assert_eq!(rtt, Duration::from_millis(10));
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        assert!(pair::<Target>("ws://127.0.0.1:8000").is_err());
        assert!(pair::<Rtt>("eu-west=10").is_err());
    }
}
