//! Where pages come from: the cache, else the channel's owner, asked once for all who want the same.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use trunkline_shared::limits::ANSWER_BYTES_MAX;
use trunkline_shared::rules::Namespace;
use trunkline_shared::{Channel, Epoch, Position};

use super::counters::{HistoryCounters, HistoryReport, add};
use super::flights::{Boarding, Flights, Outcome, Question, landed};
use super::page::Page;
use super::positions::{Known, Positions};
use super::query::{PageQuery, Place};
use super::range::Range;
use super::rendered::Rendered;
use super::trouble::Trouble;
use crate::ask::Asker;

/// Bytes that a page takes besides its bodies.
const PAGE_OVERHEAD: u64 = 512;

/// Bytes of a page, as far as the cache has to guess how many it will hold.
const PAGE_GUESS: u64 = 4096;

/// Names a page. Two of the same key are equal as long as both live.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    channel: Channel,
    epoch: Epoch,
    range: Range,
}

#[derive(Clone, Debug)]
struct Weight;

impl Weighter<Key, Arc<Rendered>> for Weight {
    fn weight(&self, key: &Key, page: &Arc<Rendered>) -> u64 {
        PAGE_OVERHEAD + key.channel.as_str().len() as u64 + page.weight()
    }
}

/// Pages of all channels.
#[derive(Debug)]
pub(super) struct Source {
    asker: Asker,
    /// `None`: every page is asked of its owner.
    pages: Option<Cache<Key, Arc<Rendered>, Weight>>,
    flights: Flights<Key, Arc<Rendered>>,
    positions: Arc<Positions>,
    pub(super) counters: Arc<HistoryCounters>,
}

impl Source {
    /// Makes one with so many bytes of cache; 0: none.
    pub(super) fn new(asker: Asker, cache_bytes: u64) -> Self {
        let counters = Arc::new(HistoryCounters::default());
        let positions = Positions::new(asker.clone(), Arc::clone(&counters));
        let count = usize::try_from(cache_bytes / PAGE_GUESS).unwrap_or(usize::MAX);
        let pages = (cache_bytes > 0)
            .then(|| Cache::with_weighter(count.clamp(64, 1 << 20), cache_bytes, Weight));
        Self {
            asker,
            pages,
            flights: Flights::default(),
            positions: Arc::new(positions),
            counters,
        }
    }

    pub(super) const fn asker(&self) -> &Asker {
        &self.asker
    }

    /// All counts.
    pub(super) fn report(&self) -> HistoryReport {
        let bytes = self.pages.as_ref().map_or(0, Cache::weight);
        self.counters.report(bytes)
    }

    /// The page that is asked for, as new as the request unless it can't change.
    pub(super) async fn page(
        self: &Arc<Self>,
        channel: &Channel,
        namespace: &Namespace,
        query: &PageQuery,
    ) -> Outcome<Arc<Rendered>> {
        let known = match self.recent(channel, query) {
            Some(known) => known,
            None => self.positions.now(channel).await?,
        };
        let Position { epoch, offset } = known.head;
        if query
            .epoch
            .as_ref()
            .is_some_and(|asked| *asked != epoch.to_string())
        {
            return Err(Trouble::StaleEpoch);
        }
        let key = Key {
            channel: channel.clone(),
            epoch,
            range: Range::of(query.place, query.limit, offset),
        };
        match self.kept(&key, known, namespace) {
            Some(page) => {
                add(&self.counters.hits);
                Ok(page)
            }
            None => {
                add(&self.counters.misses);
                self.read(key, known, namespace).await
            }
        }
    }

    /// Where the channel stood a moment ago, if that is enough for a page that doesn't change.
    fn recent(&self, channel: &Channel, query: &PageQuery) -> Option<Known> {
        self.pages.as_ref()?;
        let asked = query.epoch.as_ref()?;
        let known = self.positions.recent(channel)?;
        let Position { epoch, offset } = known.head;
        let is_settled =
            query.place != Place::Newest && Range::of(query.place, query.limit, offset).is_settled;
        (is_settled && *asked == epoch.to_string()).then_some(known)
    }

    fn kept(&self, key: &Key, known: Known, namespace: &Namespace) -> Option<Arc<Rendered>> {
        let page = self.pages.as_ref()?.get(key)?;
        let (now, head) = (self.asker.now().unix, known.head.offset);
        page.life
            .goes_on(now, head, known.floor, namespace)
            .then_some(page)
    }

    async fn read(
        self: &Arc<Self>,
        key: Key,
        known: Known,
        namespace: &Namespace,
    ) -> Outcome<Arc<Rendered>> {
        loop {
            match self.flights.board(&key) {
                Boarding::Joined(answer) => {
                    add(&self.counters.waits);
                    let page = landed(answer).await?;
                    // The question may have been put before a removal of which this request knows; the next one wasn't.
                    if page.life.is_above(known.floor) {
                        return Ok(page);
                    }
                }
                Boarding::First(answer, question) => {
                    question.start();
                    // It may have come between the look into the cache and this.
                    if let Some(page) = self.kept(&key, known, namespace) {
                        self.flights.land(&key, question, Ok(Arc::clone(&page)));
                        return Ok(page);
                    }
                    let namespace = namespace.clone();
                    tokio::spawn(read_page(Arc::clone(self), key, known, namespace, question));
                    return landed(answer).await;
                }
            }
        }
    }

    /// Makes the page of a key from what its owner says.
    async fn make(&self, key: &Key, known: Known, namespace: Namespace) -> Outcome<Arc<Rendered>> {
        let publications = match key.range.question() {
            None => Vec::new(),
            Some(query) => {
                add(&self.counters.pages);
                let (deadline, channel) = (self.asker.deadline(), key.channel.clone());
                let asked = self
                    .asker
                    .history(deadline, channel, query, ANSWER_BYTES_MAX);
                let past = asked.await?;
                if past.head.epoch != key.epoch {
                    return Err(Trouble::StaleEpoch);
                }
                past.publications
            }
        };
        let page = Page::new(&key.range, key.epoch, known.head.offset, publications);
        let channel = key.channel.clone();
        // A worker's thread has connections to look after meanwhile.
        let write = move || Arc::new(Rendered::new(channel.as_str(), &namespace, &page));
        tokio::task::spawn_blocking(write)
            .await
            .map_err(|_| Trouble::Away)
    }
}

async fn read_page(
    source: Arc<Source>,
    key: Key,
    known: Known,
    namespace: Namespace,
    question: Question<Arc<Rendered>>,
) {
    let outcome = source.make(&key, known, namespace).await;
    if let (Ok(page), Some(pages)) = (&outcome, &source.pages)
        && page.may_be_kept
    {
        pages.insert(key.clone(), Arc::clone(page));
    }
    source.flights.land(&key, question, outcome);
}
