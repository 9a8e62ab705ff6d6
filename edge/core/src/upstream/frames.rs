//! What comes on a link: each frame goes to the part that waits for it.

use trunkline_shared::frame::{HistoryPiece, PresencePiece, Refusal, ToEdge};
use trunkline_shared::{Instant, LinkId, RequestId};

use super::Upstream;
use super::requests::{Ask, Request};
use crate::exchange::Answer;

impl Upstream {
    pub(super) fn on_frame(&mut self, now: Instant, link: LinkId, frame: ToEdge) {
        let Some(state) = self.links.get_mut(&link) else {
            self.counters.frames_ignored += 1;
            return;
        };
        match frame {
            ToEdge::View(view) => self.on_view(now, link, view),
            ToEdge::Rules(json) => self.on_rules(now, &json),
            ToEdge::Store { away } => state.store_away = away,
            ToEdge::Info { request, edges } => {
                self.finish_for_worker(now, link, request, |_| Answer::Info(edges));
            }
            // The node's link goes down next; until then it answers what it was asked.
            ToEdge::Goodbye { .. } => {}
            ToEdge::Refused {
                request, refusal, ..
            } => self.on_refused(now, link, request, refusal),
            ToEdge::Published {
                request, position, ..
            } => self.on_published(now, request, position),
            ToEdge::Subscribed(subscribed) => self.on_subscribed(now, link, &subscribed),
            ToEdge::Pulled(pulled) => self.on_pulled(now, link, pulled),
            ToEdge::History(piece) => self.on_history(now, link, piece),
            ToEdge::Presence(piece) => self.on_presence(now, link, piece),
            ToEdge::PresenceStats {
                request,
                clients,
                users,
                ..
            } => {
                self.finish_for_worker(now, link, request, |_| Answer::PresenceStats {
                    clients,
                    users,
                });
            }
            ToEdge::Positions { request, heads, .. } => {
                self.on_positions(now, link, request, heads)
            }
            ToEdge::Push(push) => self.on_push(now, link, push),
            ToEdge::Behind(behind) => self.on_behind(now, link, &behind),
            ToEdge::HistoryRemoved {
                request,
                epoch,
                floor,
                ..
            } => self.on_history_removed(now, link, request, epoch, floor),
            ToEdge::Floor(floor) => self.on_floor(link, &floor),
            ToEdge::PresenceEvents {
                channel, events, ..
            } => self.on_presence_events(link, channel, events),
            ToEdge::Reset { slot } => self.on_reset(now, link, slot),
        }
    }

    fn on_refused(&mut self, now: Instant, link: LinkId, request: RequestId, refusal: Refusal) {
        if self.unanswered.get(request).is_some() {
            self.on_publish_refused(now, link, request, refusal);
        } else {
            self.on_request_refused(now, link, request, refusal);
        }
    }

    fn on_history(&mut self, now: Instant, link: LinkId, piece: HistoryPiece) {
        if let Some(request) = self.requests.sent_on(link, piece.request) {
            request.publications.extend(piece.publications);
        }
        if !piece.last {
            return;
        }
        let Some(request) = self.finish_request(now, link, piece.request) else {
            return;
        };
        let Request {
            ask, publications, ..
        } = request;
        match ask {
            Ask::Recover { channel, .. } => {
                self.take_floor(&channel, piece.head.epoch, piece.floor);
                self.on_recovered(now, &channel, piece.request, piece.head, publications);
            }
            Ask::History { asker, .. } => {
                let answer = Answer::History {
                    head: piece.head,
                    floor: piece.floor,
                    publications,
                };
                self.workers.answer(&mut self.out, asker, answer);
            }
            Ask::Subscribe(_)
            | Ask::Pull(_)
            | Ask::Positions { .. }
            | Ask::RemoveHistory { .. }
            | Ask::Presence { .. }
            | Ask::PresenceStats { .. }
            | Ask::Info { .. } => self.counters.frames_ignored += 1,
        }
    }

    fn on_presence(&mut self, now: Instant, link: LinkId, piece: PresencePiece) {
        if let Some(request) = self.requests.sent_on(link, piece.request) {
            request.clients.extend(piece.clients);
        }
        if piece.last {
            self.finish_for_worker(now, link, piece.request, |request| {
                Answer::Presence(request.clients)
            });
        }
    }

    /// Answers the worker that waits for a request.
    fn finish_for_worker(
        &mut self,
        now: Instant,
        link: LinkId,
        request: RequestId,
        answer: impl FnOnce(Request) -> Answer,
    ) {
        let Some(request) = self.finish_request(now, link, request) else {
            return;
        };
        if let Some(asker) = request.ask.asker() {
            self.workers.answer(&mut self.out, asker, answer(request));
        }
    }
}
