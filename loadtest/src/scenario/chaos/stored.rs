//! What the store holds, read by the server API page by page.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::config::API_KEY;
use crate::http;
use crate::payload::Numbered;
use crate::scenario::follow::{Got, Log};
use crate::target::Target;

#[derive(Debug, Deserialize)]
struct Answer {
    result: Option<Page>,
    error: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Page {
    publications: Vec<Publication>,
}

#[derive(Debug, Deserialize)]
struct Publication {
    offset: u64,
    data: Numbered,
}

/// Asks the server API of an edge.
///
/// # Errors
/// When the edge doesn't answer with status 200.
pub(super) async fn ask(edge: &Target, method: &str, body: &str) -> Result<Vec<u8>> {
    let headers = format!("X-API-Key: {API_KEY}\r\n");
    let answer = http::post(edge, &format!("/api/{method}"), &headers, body).await?;
    answer.ok()
}

/// Reads a whole channel from its first message on, as if it were what somebody got.
///
/// # Errors
/// When a page is refused, or a message isn't ours.
pub(super) async fn read(edge: &Target, channel: &str) -> Result<Log> {
    let mut log = Log::default();
    loop {
        let after = log.got.last().map_or(0, |got| got.offset);
        let body = format!(r#"{{"channel":"{channel}","limit":-1,"since":{{"offset":{after}}}}}"#);
        let text = ask(edge, "history", &body).await?;
        let answer: Answer = serde_json::from_slice(&text).context("a page of history")?;
        ensure!(answer.error.is_none(), "history: {:?}", answer.error);
        let page = answer.result.context("a page of history")?;
        if page.publications.is_empty() {
            return Ok(log);
        }
        for Publication { offset, data } in page.publications {
            ensure!(
                log.got.last().is_none_or(|last| last.offset < offset),
                "history goes back from page to page, at {offset}"
            );
            log.on_message(Got {
                number: data.number,
                offset,
                due: data.time,
                came: data.time,
            });
        }
    }
}
