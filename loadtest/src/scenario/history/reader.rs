//! Late joiners: each reads the newest page, walks back, and asks once more for the newest one, which it has by then.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;

use super::page::Walk;
use super::shelf::Shelf;
use crate::args::HistoryArgs;
use crate::http::{Answer, Http};
use crate::latency::Latency;
use crate::target::Target;

/// Where joiners read, and what they have read together.
pub(super) struct Readers<'a> {
    args: &'a HistoryArgs,
    from: &'a Target,
    channel: &'a str,
    shelf: RefCell<Shelf>,
    times: RefCell<Times>,
    started: Cell<usize>,
}

/// How long what took.
#[derive(Debug)]
pub(super) struct Times {
    /// A page until its last byte.
    pub(super) page: Latency,
    /// The answer that the newest page is still the same.
    pub(super) same: Latency,
    /// A joiner, from before its connect to its last page.
    pub(super) joiner: Latency,
    /// All of them.
    pub(super) whole: Duration,
}

impl<'a> Readers<'a> {
    pub(super) fn new(args: &'a HistoryArgs, from: &'a Target, channel: &'a str) -> Self {
        Self {
            args,
            from,
            channel,
            shelf: RefCell::new(Shelf::new(channel)),
            times: RefCell::new(Times {
                page: Latency::new(),
                same: Latency::new(),
                joiner: Latency::new(),
                whole: Duration::ZERO,
            }),
            started: Cell::new(0),
        }
    }

    /// Lets all joiners read, as many at a time as may; returns what they have read and how long it took.
    ///
    /// # Errors
    /// When an answer isn't the expected page.
    pub(super) async fn read(self) -> Result<(Times, Shelf)> {
        let start = Instant::now();
        let places = (0..self.args.concurrency).map(|_| self.one_after_another());
        try_join_all(places).await?;
        let mut times = self.times.into_inner();
        times.whole = start.elapsed();
        Ok((times, self.shelf.into_inner()))
    }

    async fn one_after_another(&self) -> Result<()> {
        while self.started.get() < self.args.joiners {
            let number = self.started.replace(self.started.get() + 1);
            let joined = self.join().await;
            joined.with_context(|| format!("joiner {number}"))?;
        }
        Ok(())
    }

    async fn join(&self) -> Result<()> {
        let start = Instant::now();
        let mut http = Http::connect(self.from).await?;
        let newest = format!("?limit={}", self.args.limit);
        let etag = self.walk(&mut http, newest.clone()).await?;
        self.times.borrow_mut().joiner.record(start.elapsed());
        let asked = Instant::now();
        let condition = format!("If-None-Match: {etag}\r\n");
        let answer = self.get(&mut http, &newest, &condition).await?;
        self.times.borrow_mut().same.record(asked.elapsed());
        ensure!(
            answer.is(304) && answer.header("etag") == Some(&*etag),
            "who has the newest page got: {}",
            answer.status()
        );
        Ok(())
    }

    /// Reads from the newest page back; returns the name of its content.
    async fn walk(&self, http: &mut Http, newest: String) -> Result<String> {
        let mut walk = Walk::new(self.args.messages as u64);
        let (mut address, mut first) = (Some(newest), None);
        for _ in 0..self.args.pages {
            let Some(asked_for) = address else { break };
            let asked = Instant::now();
            let answer = self.get(http, &asked_for, "").await?;
            self.times.borrow_mut().page.record(asked.elapsed());
            let mut shelf = self.shelf.borrow_mut();
            let shelved = shelf.take(&asked_for, answer)?;
            first.get_or_insert_with(|| shelved.etag.clone());
            address = walk.take(&shelved.page)?;
        }
        first.context("no page was asked for")
    }

    async fn get(&self, http: &mut Http, query: &str, headers: &str) -> Result<Answer> {
        let Target { host, path, .. } = self.from;
        let encoding = if self.args.gzip {
            "Accept-Encoding: gzip\r\n"
        } else {
            ""
        };
        let request = format!(
            "GET {path}/v1/channels/{}/messages{query} HTTP/1.1\r\nHost: {host}\r\n{encoding}{headers}\r\n",
            self.channel
        );
        http.exchange(request.as_bytes()).await
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use clap::Parser;
    use serde_json::json;

    use super::*;
    use crate::args::{Cli, Command};
    use crate::scenario::floor_pages::{ServedPage, serve_here};

    /// A page of messages that leads to those below it.
    fn page(query: &str, offsets: RangeInclusive<u64>) -> ServedPage {
        let message = |offset| json!({ "offset": offset, "data": { "t": 1, "n": offset } });
        let next = (*offsets.start() > 1).then(|| format!("?before={}", offsets.start()));
        let messages: Vec<_> = offsets.rev().map(message).collect();
        let body = json!({ "channel": "chat:1", "epoch": "e", "messages": messages, "next": next });
        ServedPage {
            address: format!("/v1/channels/chat:1/messages{query}"),
            etag: format!("\"{query}\""),
            is_gzip: false,
            body: body.to_string().into_bytes(),
        }
    }

    /// Lets 7 joiners, 3 at a time, walk through 5 messages.
    async fn read(pages: &[ServedPage]) -> Result<(Times, Shelf)> {
        let words = "loadtest history --joiners 7 --concurrency 3 --messages 5 --limit 3";
        let cli = Cli::parse_from(words.split(' '));
        let Command::History(args) = cli.command else {
            panic!("{cli:?}");
        };
        let target = serve_here(pages);
        Readers::new(&args, &target, "chat:1").read().await
    }

    #[tokio::test]
    async fn every_joiner_reads_every_page_and_asks_again_for_the_newest() {
        let pages = [page("?limit=3", 3..=5), page("?before=3", 1..=2)];
        let (times, shelf) = read(&pages).await.expect("whole");
        let counts = [&times.page, &times.same, &times.joiner].map(Latency::count);
        assert_eq!(counts, [14, 7, 7]);
        assert_eq!(shelf.pages().len(), 2);
    }

    #[tokio::test]
    async fn a_hole_between_pages_and_a_page_that_is_missing_are_failures() {
        let hole = [page("?limit=3", 4..=5), page("?before=4", 1..=2)];
        let error = read(&hole).await.expect_err("message 3 is missing");
        assert!(
            format!("{error:#}").contains("where 3 was due"),
            "{error:#}"
        );
        let missing = [page("?limit=3", 3..=5)];
        let error = read(&missing).await.expect_err("nothing is there");
        assert!(format!("{error:#}").contains("404"), "{error:#}");
    }
}
