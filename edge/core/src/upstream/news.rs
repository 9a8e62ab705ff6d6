//! News of the mesh: views, of which the newest wins, and rules.

use std::sync::Arc;

use trunkline_shared::frame::ToNode;
use trunkline_shared::rules::Rules;
use trunkline_shared::{Instant, LinkId, Payload, RingView};

use super::Upstream;
use super::links::Link;
use crate::exchange::ToWorker;

impl Upstream {
    /// Takes a node's view: the newest one wins, and whoever has an older one is shown ours.
    pub(super) fn on_view(&mut self, now: Instant, link: LinkId, view: RingView) {
        if view.check().is_err() {
            self.counters.views_or_rules_invalid += 1;
            return;
        }
        let known = self.links.get_mut(&link);
        let is_first = known.is_some_and(|state| state.view.replace(view.version).is_none());
        let newer = self
            .routing
            .view
            .as_ref()
            .is_none_or(|ours| ours.version < view.version);
        if newer {
            self.routing.view = Some(Arc::new(view));
            self.reroute(now);
        } else if is_first {
            self.hold_presences_until_shown(now, link);
        }
        self.end_holds(now);
        self.show_view();
    }

    fn show_view(&mut self) {
        let Some(view) = self.routing.view.clone() else {
            return;
        };
        let older = |(id, link): (&LinkId, &Link)| {
            let is_behind = link.view.is_some_and(|theirs| theirs < view.version);
            (is_behind && link.told < Some(view.version)).then_some(*id)
        };
        let behind: Vec<LinkId> = self.links.iter().filter_map(older).collect();
        for link in behind {
            if let Some(state) = self.links.get_mut(&link) {
                state.told = Some(view.version);
            }
            self.send_control(link, ToNode::ShowView(RingView::clone(&view)));
        }
    }

    /// Takes the rules of a node if they are newer than ours, or those that the newest view names.
    pub(super) fn on_rules(&mut self, now: Instant, json: &Payload) {
        let Ok(rules) = serde_json::from_slice::<Rules>(json.bytes()) else {
            self.counters.views_or_rules_invalid += 1;
            return;
        };
        let named = self.routing.view.as_ref().map(|view| view.rules_version);
        let wanted = self.routing.rules.as_ref().is_none_or(|ours| {
            rules.version != ours.version
                && (rules.version > ours.version || named == Some(rules.version))
        });
        if wanted {
            self.adopt_rules(now, Arc::new(rules));
        }
    }

    fn adopt_rules(&mut self, now: Instant, rules: Arc<Rules>) {
        self.routing.rules = Some(Arc::clone(&rules));
        for worker in self.workers.ids() {
            self.workers
                .tell(&mut self.out, worker, ToWorker::Rules(Arc::clone(&rules)));
        }
        self.reslot_channels(now);
        self.unpark_all(now);
    }
}
