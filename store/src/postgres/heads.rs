//! Lets heads go that nothing has touched for long, by the database's clock: a walk through their table in the order of its
//! index, some rows in each pass of the maintenance.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, Error};
use tracing::info;

use crate::stats::Counters;

/// Heads looked at by one call, which is one short transaction.
const ROWS_MAX: i64 = 1000;

/// Calls in a pass at most. Passes are a minute apart, so this is the bound for new channels: 4,266 a second, for long.
const CALLS_MAX: usize = 256;

/// Time between the end of a walk and the next one: short beside any time for which heads are kept.
const REST: Duration = Duration::from_secs(3600);

const FORGET: &str = "SELECT looked, gone, last_slot, last_channel \
    FROM forget_heads($1, $2, $3, now() - $4::int8 * interval '1 millisecond')";

/// Where the walk stands.
pub(super) struct HeadWalk {
    stand: Stand,
    /// Heads removed in this walk.
    gone: u64,
}

enum Stand {
    Behind(i32, Vec<u8>),
    RestingSince(Instant),
}

/// Behind no head: the first one is next.
const BEGIN: Stand = Stand::Behind(-1, Vec::new());

impl HeadWalk {
    pub(super) const fn new() -> Self {
        Self {
            stand: BEGIN,
            gone: 0,
        }
    }

    /// Goes on with the walk, on a connection that finds our tables; another node may be at it too. An untouched head outlives
    /// its messages for as long as `kept`.
    pub(super) async fn go_on(
        &mut self,
        client: &Client,
        kept: Duration,
        counters: &Counters,
    ) -> Result<(), Error> {
        let kept = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
        for _ in 0..CALLS_MAX {
            let (slot, channel) = match &self.stand {
                Stand::RestingSince(since) if since.elapsed() < REST => return Ok(()),
                Stand::RestingSince(_) => (-1, Vec::new()),
                Stand::Behind(slot, channel) => (*slot, channel.clone()),
            };
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                [&slot, &channel, &ROWS_MAX, &kept];
            let row = client.query_one(FORGET, &parameters).await?;
            let gone = u64::try_from(row.try_get::<_, i64>(1)?).unwrap_or(0);
            counters.count_removed_heads(gone);
            self.gone += gone;
            if row.try_get::<_, i64>(0)? < ROWS_MAX {
                self.end();
            } else {
                self.stand = Stand::Behind(row.try_get(2)?, row.try_get(3)?);
            }
        }
        Ok(())
    }

    fn end(&mut self) {
        self.stand = Stand::RestingSince(Instant::now());
        let gone = std::mem::take(&mut self.gone);
        if gone > 0 {
            info!(
                gone,
                "heads of channels removed that nothing had touched for long"
            );
        }
    }
}
