//! Notices two processes of one name: a copied certificate, or an edge started twice.
//!
//! A crashed edge's old link stands until its idle time-out, beside that of the process which took its place: only what
//! lasts longer is meant here.

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline_shared::{Incarnation, Instant, LinkId};

/// The lives that are linked under each name.
pub(crate) struct Doubles {
    patience: Duration,
    names: BTreeMap<String, Name>,
}

#[derive(Default)]
struct Name {
    links: Vec<(LinkId, Incarnation)>,
    /// Since when it has two lives or more.
    double_since: Option<Instant>,
    is_told: bool,
}

impl Name {
    /// Lives with a link.
    fn lives(&self) -> usize {
        let mut lives: Vec<_> = self.links.iter().map(|(_, life)| life.0).collect();
        lives.sort_unstable();
        lives.dedup();
        lives.len()
    }

    fn on_change(&mut self, now: Instant) {
        if self.lives() < 2 {
            (self.double_since, self.is_told) = (None, false);
        } else {
            self.double_since.get_or_insert(now);
        }
    }

    fn is_double(&self, now: Instant, patience: Duration) -> bool {
        self.double_since
            .is_some_and(|since| since + patience <= now)
    }
}

impl Doubles {
    /// Takes for two processes what lasts for `patience`.
    pub(crate) const fn new(patience: Duration) -> Self {
        Self {
            patience,
            names: BTreeMap::new(),
        }
    }

    /// A link of a life is up.
    pub(crate) fn on_up(&mut self, now: Instant, name: &str, link: (LinkId, Incarnation)) {
        let entry = self.names.entry(name.to_owned()).or_default();
        entry.links.push(link);
        entry.on_change(now);
    }

    /// A link is down.
    pub(crate) fn on_down(&mut self, now: Instant, name: &str, link: LinkId) {
        let Some(entry) = self.names.get_mut(name) else {
            return;
        };
        entry.links.retain(|(known, _)| *known != link);
        entry.on_change(now);
        if entry.links.is_empty() {
            self.names.remove(name);
        }
    }

    /// When [`Self::take_news`] has something to tell.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let untold = self.names.values().filter(|name| !name.is_told);
        let since = untold.filter_map(|name| name.double_since).min()?;
        Some(since + self.patience)
    }

    /// Names that have two processes and weren't told yet.
    pub(crate) fn take_news(&mut self, now: Instant) -> Vec<String> {
        let patience = self.patience;
        let news = self
            .names
            .iter_mut()
            .filter(|(_, name)| !name.is_told && name.is_double(now, patience));
        news.map(|(text, name)| {
            name.is_told = true;
            text.clone()
        })
        .collect()
    }

    /// How many names have two processes.
    pub(crate) fn count(&self, now: Instant) -> usize {
        let names = self.names.values();
        names
            .filter(|name| name.is_double(now, self.patience))
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn life(link: u64, life: u8) -> (LinkId, Incarnation) {
        (LinkId(link), Incarnation([life; 16]))
    }

    #[test]
    fn two_lives_that_stay_are_told_once() {
        let mut doubles = Doubles::new(PATIENCE);
        doubles.on_up(at(0), "edge-1", life(1, 1));
        assert_eq!(doubles.poll_timeout(), None);
        doubles.on_up(at(5), "edge-1", life(2, 2));
        assert_eq!(doubles.poll_timeout(), Some(at(25)));
        assert_eq!(
            (doubles.count(at(24)), doubles.take_news(at(24)).len()),
            (0, 0)
        );
        assert_eq!(doubles.take_news(at(25)), ["edge-1"]);
        assert_eq!(
            (doubles.take_news(at(99)).len(), doubles.poll_timeout()),
            (0, None)
        );
        assert_eq!(doubles.count(at(99)), 1);
        doubles.on_down(at(100), "edge-1", LinkId(1));
        assert_eq!(doubles.count(at(100)), 0);
    }

    #[test]
    fn an_old_link_that_ends_in_time_is_nobodys_double() {
        let mut doubles = Doubles::new(PATIENCE);
        doubles.on_up(at(0), "edge-1", life(1, 1));
        doubles.on_up(at(5), "edge-1", life(2, 2));
        doubles.on_down(at(15), "edge-1", LinkId(1));
        assert_eq!(
            (doubles.take_news(at(60)).len(), doubles.poll_timeout()),
            (0, None)
        );
    }

    #[test]
    fn two_links_of_one_life_are_one_process() {
        let mut doubles = Doubles::new(PATIENCE);
        doubles.on_up(at(0), "edge-1", life(1, 1));
        doubles.on_up(at(1), "edge-1", life(2, 1));
        assert_eq!(doubles.poll_timeout(), None);
    }
}
