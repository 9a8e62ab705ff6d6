//! The subscribers of all regions.

use anyhow::Result;

use super::outcome::Witness;
use crate::regions::Region;
use crate::scenario::feed::{self, Sent};
use crate::scenario::follow::{self, Follower};

/// Who follows the channels, region by region.
#[derive(Debug)]
pub(super) struct Crowd {
    /// Their regions, in their order.
    regions: Vec<Region>,
    followers: Vec<Follower>,
}

impl Crowd {
    /// Subscribes `each` connections in each region to all channels.
    ///
    /// # Errors
    /// When an edge can't be reached or refuses.
    pub(super) async fn start(
        regions: &[Region],
        channels: &[String],
        each: usize,
    ) -> Result<Self> {
        let mut crowd = Self {
            regions: Vec::new(),
            followers: Vec::new(),
        };
        for region in regions {
            for _ in 0..each {
                crowd.regions.push(region.clone());
                let follower = Follower::start(&region.url, channels).await?;
                crowd.followers.push(follower);
            }
        }
        Ok(crowd)
    }

    /// Waits until each has the last acknowledged message of each publisher in each channel, or nothing more comes, and
    /// tells what each has got.
    pub(super) async fn settle(&self, sent: &[Vec<Sent>]) -> Vec<Witness> {
        let last = feed::last_acked(sent);
        let has_all = |follower: &Follower| {
            last.iter()
                .all(|last| follower.log(last.channel, |log| log.has(last.number)))
        };
        follow::settle(&self.followers, || self.followers.iter().all(has_all)).await;
        let followers = self.regions.iter().zip(&self.followers).enumerate();
        let witness = |(number, (region, follower)): (usize, (&Region, &Follower))| Witness {
            region: region.name.clone(),
            name: format!("{} #{}", region.name, number + 1),
            rtt: region.rtt,
            logs: follower.logs(),
            ends: follower.ends(),
        };
        followers.map(witness).collect()
    }
}
