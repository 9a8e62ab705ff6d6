//! Links as the task has them: started, sent on, ended.

use std::sync::Arc;

use tracing::debug;
use trunkline_edge_core::upstream::Input;
use trunkline_link::{Dialer, EdgeLink, Introduction, Outgoing, PeerIdentity, Sent};
use trunkline_shared::frame::ToNode;
use trunkline_shared::{LinkId, StreamId, ViewVersion};

use super::UpstreamTask;
use crate::links::{EdgeSink, LinkEvent, dial};

impl UpstreamTask {
    pub(super) fn on_link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up { address, link } => self.on_link_up(&address, *link),
            LinkEvent::Frames {
                link,
                frames,
                weight,
            } => {
                self.inbox.taken(weight);
                frames
                    .into_iter()
                    .for_each(|frame| self.input(Input::Frame { link, frame }));
            }
            LinkEvent::Sent {
                link,
                stream,
                weight,
            } => self.input(Input::Sent {
                link,
                stream,
                weight,
            }),
            LinkEvent::Down { link } => {
                self.links.remove(&link);
                self.input(Input::LinkDown { link });
            }
        }
    }

    fn on_link_up(&mut self, address: &str, link: EdgeLink) {
        if self.gone {
            // A link that isn't started closes when it is dropped.
            return;
        }
        let PeerIdentity::Backbone { node } = link.peer().clone() else {
            return debug!(peer = %link.peer(), "a link to nobody's node");
        };
        self.last_link += 1;
        let id = LinkId(self.last_link);
        let incarnation = link.introduction().incarnation;
        let events = self.link_events.clone();
        let inbox = Arc::clone(&self.inbox);
        let sender = link.start(|_| {
            Arc::new(EdgeSink {
                link: id,
                events,
                inbox,
            })
        });
        self.links.insert(id, (node.to_string(), sender));
        self.input(Input::LinkUp {
            link: id,
            address: address.into(),
            node,
            incarnation,
        });
    }

    pub(super) fn send(&mut self, link: LinkId, stream: StreamId, frame: &ToNode) {
        let Some((_, sender)) = self.links.get(&link) else {
            return;
        };
        let sent = match Outgoing::encode(frame) {
            Ok(outgoing) => sender.send(stream, &outgoing),
            Err(error) => {
                sender.close(&format!("a frame for the node can't be encoded: {error}"));
                Sent::Closed
            }
        };
        match sent {
            Sent::Queued | Sent::Closed => {}
            Sent::Dropped => {
                let weight = frame.weight();
                self.machine.handle_input(
                    self.clock.now(),
                    Input::Sent {
                        link,
                        stream,
                        weight,
                    },
                );
            }
        }
    }

    pub(super) fn dial(&mut self, address: String) {
        if self.gone {
            return;
        }
        let incarnation = self.machine.incarnation();
        let introduce = move || Introduction {
            incarnation,
            view: ViewVersion::default(),
        };
        let dialer = Dialer::new(self.client.clone(), address.clone(), introduce);
        let task = tokio::spawn(dial(dialer, self.link_events.clone()));
        self.dialers.insert(address, task.abort_handle());
    }
}
