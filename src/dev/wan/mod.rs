//! The distances of dev mode: a relay of datagrams between each edge and each node.

mod distances;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use trunkline_loadtest::wan::UdpRelay;

use super::plan::{Plan, REGIONS, Uplink};
pub(crate) use distances::{Choice, Distances};

/// The relays by region; none of them where distances aren't emulated.
pub(crate) struct Wan {
    ways: BTreeMap<&'static str, Way>,
}

/// One region's way to the backbone: a relay before each node.
struct Way {
    relays: Vec<UdpRelay>,
    is_cut: AtomicBool,
}

/// Why a region isn't cut off or let back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CutError {
    /// There are no relays.
    #[error("distances aren't emulated: this mesh runs with --wan none")]
    NoWan,
    /// There is no such region.
    #[error("there is no region {0:?}, but {known}", known = REGIONS.join(", "))]
    UnknownRegion(String),
}

impl Wan {
    /// Starts a relay for each region before each of the nodes, which are there.
    ///
    /// # Errors
    /// When no port is to be had.
    pub(crate) fn start(plan: &Plan, distances: &Distances, nodes: &[SocketAddr]) -> Result<Self> {
        let mut ways = BTreeMap::new();
        let mut seeds = 1..;
        for region in REGIONS {
            let Some(profile) = distances.of(region) else {
                continue;
            };
            let listen = SocketAddr::new(plan.ip(), 0);
            let relays = nodes.iter().zip(seeds.by_ref()).map(|(node, seed)| {
                UdpRelay::start(listen, *node, profile.config(), seed)
                    .with_context(|| format!("relay of {region} at {listen}"))
            });
            let way = Way {
                relays: relays.collect::<Result<_>>()?,
                is_cut: AtomicBool::new(false),
            };
            ways.insert(region, way);
        }
        Ok(Self { ways })
    }

    /// How a region's edge reaches the nodes.
    pub(crate) fn uplink(&self, region: &str, nodes: &[SocketAddr]) -> Uplink {
        match self.ways.get(region) {
            Some(way) => Uplink {
                backbones: way.relays.iter().map(UdpRelay::address).collect(),
                follow_view: false,
            },
            None => Uplink {
                backbones: nodes.to_vec(),
                follow_view: true,
            },
        }
    }

    /// Cuts a region off, or lets it back.
    ///
    /// # Errors
    /// When there is no such region, or there are no relays.
    pub(crate) fn cut(&self, region: &str, cut: bool) -> Result<(), CutError> {
        if self.ways.is_empty() {
            return Err(CutError::NoWan);
        }
        let way = self.ways.get(region);
        let way = way.ok_or_else(|| CutError::UnknownRegion(region.to_owned()))?;
        way.relays.iter().for_each(|relay| relay.cut(cut));
        way.is_cut.store(cut, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a region is cut off.
    pub(crate) fn is_cut(&self, region: &str) -> bool {
        let way = self.ways.get(region);
        way.is_some_and(|way| way.is_cut.load(Ordering::Relaxed))
    }
}
