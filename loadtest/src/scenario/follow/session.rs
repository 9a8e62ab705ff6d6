//! A subscriber's connection: it asks for what the machine wants, when it wants it.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use super::machine::Machine;
use crate::client::Client;
use crate::payload;
use crate::target::Target;

/// A connection of a subscriber.
pub(super) struct Session {
    client: Client,
    machine: Rc<RefCell<Machine>>,
    /// Channels that are asked for again, and when.
    again: Vec<(Instant, usize)>,
}

impl Session {
    /// Connects and asks for all channels.
    ///
    /// # Errors
    /// When the edge can't be reached or ends the connection.
    pub(super) async fn open(url: &Target, machine: &Rc<RefCell<Machine>>) -> Result<Self> {
        let mut session = Self {
            client: Client::connect(url, None).await?,
            machine: Rc::clone(machine),
            again: Vec::new(),
        };
        let all = (0..machine.borrow().channels()).collect();
        session.ask(all).await?;
        Ok(session)
    }

    /// Takes what comes, or waits until something must be asked for again, and asks for it.
    ///
    /// # Errors
    /// When the connection ends, or a subscribe is refused for good.
    pub(super) async fn turn(&mut self) -> Result<()> {
        let next = self.again.iter().map(|(due, _)| *due).min();
        tokio::select! {
            messages = self.client.messages() => {
                let (now, messages) = (payload::now(), messages?);
                for message in messages {
                    let again = self.machine.borrow_mut().on_message(message, now)?;
                    let again = again.map(|again| (Instant::now() + again.after, again.channel));
                    self.again.extend(again);
                }
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
        let now = Instant::now();
        let due = self.again.extract_if(.., |(due, _)| *due <= now);
        let due = due.map(|(_, channel)| channel).collect();
        self.ask(due).await
    }

    /// Subscribes to channels, each from its position.
    async fn ask(&mut self, channels: Vec<usize>) -> Result<()> {
        if channels.is_empty() {
            return Ok(());
        }
        let requests = {
            let machine = self.machine.borrow();
            let requests = channels.iter().map(|channel| machine.request(*channel));
            requests.collect::<Vec<_>>()
        };
        let ids = self.client.send_all(requests).await?;
        self.machine.borrow_mut().on_asked(ids.zip(channels));
        Ok(())
    }
}
