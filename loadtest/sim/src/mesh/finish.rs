//! The end of a run: the trouble ends, everything heals, and what is left is read back.

use trunkline_shared::{Channel, Offset, Slot, UnixMillis};
use trunkline_store_core::RangeRequest;

use super::Mesh;
use crate::client::{Conn, State};
use crate::record::{Final, Label, Log, Message};
use crate::scenario::{CHANNELS, rules};
use trunkline_shared::rules::Class;

impl Mesh {
    /// The trouble ends: nothing is lost any more, links are wide, nobody reads slowly or publishes.
    pub(super) fn calm(&mut self) {
        self.note(|| "CALM".to_owned());
        self.scenario.tuning.loss = 0;
        self.scenario.tuning.unknown = 0;
        self.scenario.tuning.bandwidth_down = self.scenario.tuning.bandwidth_up;
        for link in self.links.values_mut() {
            link.to_edge.widen(self.scenario.tuning.bandwidth_up);
        }
        self.disk.heal();
        for node in 0..self.nodes.len() {
            self.node_store_away(node, false);
        }
        for publisher in &mut self.publishers {
            publisher.busy = false;
        }
        for number in 0..self.clients.len() {
            self.clients[number].busy = false;
            self.clients[number].reads_slowly = false;
            let all: Vec<usize> = self.clients[number].plan.listens.clone();
            for channel in all {
                self.come_back(number, channel);
            }
        }
    }

    /// A last message goes to every channel.
    pub(super) fn probe(&mut self) {
        self.note(|| "PROBE".to_owned());
        for channel in 0..CHANNELS.len() {
            self.with_client(0, |client, around| client.publish(around, channel, 1, 0));
        }
    }

    /// Everything is read back through the mesh.
    pub(super) fn read_back(&mut self) {
        self.note(|| "READ BACK".to_owned());
        for (channel, plan) in CHANNELS.iter().enumerate() {
            if plan.history > 0 {
                self.with_client(0, |client, around| {
                    client.ask_history(around, channel, None)
                });
            }
            if plan.presence {
                self.with_client(0, |client, around| client.ask_presence(around, channel));
            }
        }
    }

    /// Notes how everything stands.
    pub(super) fn finish(&mut self) {
        for node in 0..self.nodes.len() {
            self.fold_node_counters(node);
        }
        self.note_witness();
        for edge in 0..self.edges.len() {
            self.fold_edge_counters(edge);
        }
        for (channel, plan) in CHANNELS.iter().enumerate() {
            if plan.class == Class::Durable {
                let log = self.stored_log(channel);
                self.record.stored.insert(channel, log);
            }
            self.finals(channel);
        }
        let expected = self.present();
        for presence in &mut self.record.presences {
            presence.expected.clone_from(&expected[presence.channel]);
        }
    }

    fn stored_log(&self, channel: usize) -> Log {
        let name = Channel::parse(CHANNELS[channel].name).expect("a good name");
        let slot: Slot = rules(1).slot_of(&name).expect("it has a namespace");
        let request = RangeRequest {
            slot,
            channel: name.clone(),
            from: Offset(1),
            to: Offset(u64::MAX),
            descending: false,
            limit: u32::MAX,
            bytes_max: usize::MAX,
            not_before: UnixMillis(0),
        };
        let state = self.disk.state();
        let read = |stored: trunkline_store_core::StoredMessage| Message {
            offset: stored.publication.offset.0,
            label: serde_json::from_slice(stored.publication.data.bytes())
                .expect("only clients publish"),
        };
        let messages = state.range_now(&request).into_iter().map(read).collect();
        let head = state.heads_now(&[(slot, name)])[0];
        Log {
            epoch: String::new(),
            head: head.offset.0,
            floor: head.floor.0,
            messages,
        }
    }

    fn finals(&mut self, channel: usize) {
        let of_channel = |(label, publish): (&Label, &crate::record::Published)| {
            (publish.channel == channel && label.publisher == 0).then_some(*label)
        };
        let probe = self
            .record
            .publishes
            .iter()
            .filter_map(of_channel)
            .next_back();
        for client in &self.clients {
            let Some(subscription) = client.subscriptions.get(&channel) else {
                continue;
            };
            self.record.finals.push(Final {
                client: client.number,
                channel,
                live: client.conn == Conn::Connected && subscription.state == State::Live,
                position: subscription.known.clone(),
                probed: client.probes.get(&channel).copied() == probe,
            });
        }
    }

    /// Connection ids by channel.
    fn present(&self) -> Vec<Vec<String>> {
        let live = |channel: usize| {
            let is_live = move |client: &&crate::client::Client| {
                let state = client
                    .subscriptions
                    .get(&channel)
                    .map(|subscription| subscription.state);
                client.conn == Conn::Connected && state == Some(State::Live)
            };
            let mut ids: Vec<String> = self
                .clients
                .iter()
                .filter(is_live)
                .map(|client| client.id.clone())
                .collect();
            ids.sort();
            ids
        };
        (0..CHANNELS.len()).map(live).collect()
    }
}
