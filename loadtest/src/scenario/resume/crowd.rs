//! Those who come back together.

use std::rc::Rc;

use anyhow::{Context, Result};

use super::name;
use super::returning::{Known, Returning};
use crate::args::ResumeArgs;
use crate::client::Client;
use crate::latency::Latency;
use crate::target::Target;

/// Those who come back, and what they know.
pub(super) struct Crowd<'a> {
    args: &'a ResumeArgs,
    /// Where they come: the edge, or the relay before it.
    url: Target,
    /// By channel of the pool.
    known: Vec<Known>,
}

/// All are back.
pub(super) struct Back {
    pub(super) clients: Vec<Client>,
    /// From before their sockets were opened.
    pub(super) took: Latency,
    /// From when their sockets were open.
    pub(super) resumed_in: Latency,
}

impl<'a> Crowd<'a> {
    /// Those who know nothing yet and come to `url`.
    pub(super) fn new(args: &'a ResumeArgs, url: Target) -> Self {
        let known = vec![Known::default(); args.pool];
        Self { args, url, known }
    }

    pub(super) const fn args(&self) -> &'a ResumeArgs {
        self.args
    }

    /// All connect and subscribe together; each of their channels must bring so many messages.
    ///
    /// # Errors
    /// When a connection is refused, or anything isn't recovered.
    pub(super) async fn come(&mut self, missed: usize) -> Result<Back> {
        let before: Rc<[Known]> = (*self.known).into();
        let tasks: Vec<_> = (0..self.args.connections)
            .map(|number| {
                let returning = self.returning(number, missed);
                tokio::task::spawn_local(returning.come(Rc::clone(&before)))
            })
            .collect();
        let mut back = Back {
            clients: Vec::new(),
            took: Latency::new(),
            resumed_in: Latency::new(),
        };
        for (number, task) in tasks.into_iter().enumerate() {
            let came = task.await?;
            let came = came.with_context(|| format!("connection {number}"))?;
            back.took.record(came.took);
            back.resumed_in.record(came.resumed_in);
            back.clients.push(came.client);
            for (place, position) in came.known {
                self.known[place] = position;
            }
        }
        Ok(back)
    }

    fn returning(&self, number: usize, missed: usize) -> Returning {
        let args = self.args;
        let of_pool = |place| (number * args.channels + place) % args.pool;
        let places: Vec<usize> = (0..args.channels).map(of_pool).collect();
        Returning {
            url: self.url.clone(),
            channels: places.iter().map(|place| name(args, *place)).collect(),
            places,
            missed,
        }
    }
}
