//! Commands that a client sends, and how long it waits for their answers.

use trunkline_protocol::client::encode_commands;
use trunkline_protocol::{Command, Request};
use trunkline_shared::Instant;

use super::{Act, Around, Client, GIVE_UP};
use crate::record::{self, Known, Label, TryEnd};

/// What a command in flight is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Subscribe {
        channel: usize,
        from: Option<Known>,
        sent: Instant,
    },
    Unsubscribe {
        channel: usize,
    },
    Publish(Label),
    /// A publisher's try by rpc, by its place in the record.
    Try(usize),
    History {
        channel: usize,
    },
    Presence {
        channel: usize,
    },
}

impl Kind {
    const fn name(&self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::Publish(_) => "publish",
            Self::Try(_) => "rpc publish",
            Self::History { .. } => "history",
            Self::Presence { .. } => "presence",
        }
    }
}

/// A command in flight.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) kind: Kind,
    sent: Instant,
}

impl Client {
    pub(super) fn command(
        &mut self,
        around: &mut Around<'_>,
        kind: Kind,
        request: Request,
    ) -> Command {
        self.last_command += 1;
        self.asked.insert(
            self.last_command,
            Asked {
                kind,
                sent: around.now,
            },
        );
        Command {
            id: self.last_command,
            request,
        }
    }

    pub(super) fn send(&mut self, around: &mut Around<'_>, commands: &[Command]) {
        if !commands.is_empty() {
            around.trace.note(around.now, || {
                format!("client {} → {commands:?}", self.number)
            });
            let message = encode_commands(self.plan.encoding, commands)
                .expect("the simulator's payloads are JSON");
            self.acts.push(Act::Send(message.into()));
        }
    }

    /// Publishes in flight.
    pub(super) fn unanswered(&self) -> usize {
        self.asked
            .values()
            .filter(|asked| matches!(asked.kind, Kind::Publish(_)))
            .count()
    }

    /// When the oldest command is given up.
    pub(super) fn give_up_at(&self) -> Option<Instant> {
        self.asked.values().map(|asked| asked.sent + GIVE_UP).min()
    }

    /// Gives up what has waited too long; a connection that doesn't answer `connect` or `subscribe` is dropped.
    pub(super) fn give_up(&mut self, around: &mut Around<'_>) {
        let over = |asked: &Asked| asked.sent + GIVE_UP <= around.now;
        let late: Vec<u32> = self
            .asked
            .iter()
            .filter(|(_, asked)| over(asked))
            .map(|(id, _)| *id)
            .collect();
        let mut dead = false;
        for id in late {
            let asked = self.asked.remove(&id).expect("found just now");
            dead |= matches!(asked.kind, Kind::Connect | Kind::Subscribe { .. });
            self.note(around, &asked, false, false);
        }
        if dead {
            self.hang_up(around);
        }
    }

    /// Takes the command that an answer is for.
    pub(super) fn answered(&mut self, around: &mut Around<'_>, id: u32) -> Option<Kind> {
        let asked = self.asked.remove(&id)?;
        self.note(around, &asked, true, false);
        Some(asked.kind)
    }

    /// The connection is gone, and so are its commands.
    pub(super) fn end_commands(&mut self, around: &mut Around<'_>) {
        for asked in std::mem::take(&mut self.asked).into_values() {
            self.note(around, &asked, false, true);
        }
    }

    fn note(&self, around: &mut Around<'_>, asked: &Asked, answered: bool, lost: bool) {
        let (client, kind, slow) = (self.number, asked.kind.name(), self.plan.slow);
        let command = record::Command {
            client,
            kind,
            sent: asked.sent,
            ended: around.now,
            answered,
            lost,
            slow,
        };
        around.record.commands.push(command);
        if let Kind::Try(place) = asked.kind
            && !answered
        {
            around.ended_tries.push((place, TryEnd::Unanswered));
        }
    }
}
