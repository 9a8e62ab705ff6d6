//! A bare HTTP server: hyper, a table of prepared pages, nothing else. It answers what an edge answers to those who read
//! the same pages, as far as they look at it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, Command};

use crate::args::FloorPagesArgs;
use crate::target::Target;

/// A page and its address, from the slash.
#[derive(Clone, Debug)]
pub(super) struct ServedPage {
    pub(super) address: String,
    pub(super) etag: String,
    pub(super) is_gzip: bool,
    pub(super) body: Vec<u8>,
}

/// The line before a page's body.
#[derive(Debug, Serialize, Deserialize)]
struct Announced {
    address: String,
    etag: String,
    is_gzip: bool,
    bytes: usize,
}

type Pages = BTreeMap<String, Answered>;

/// What an address is answered with.
#[derive(Debug)]
struct Answered {
    etag: HeaderValue,
    is_gzip: bool,
    body: Bytes,
}

/// Reads pages, then serves them until standard input ends.
///
/// # Errors
/// When the pages make no sense or the address is taken.
pub(crate) fn run(args: &FloorPagesArgs) -> Result<()> {
    let mut input = std::io::stdin().lock();
    let pages = read_pages(&mut input, args.pages)?;
    let listener = std::net::TcpListener::bind(args.listen)?;
    listener.set_nonblocking(true)?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    // As many threads as an edge has workers; inside of another runtime none can be entered.
    std::thread::Builder::new()
        .name("floor".to_owned())
        .spawn(|| tokio::runtime::Runtime::new()?.block_on(serve(listener, pages)))?;
    std::io::copy(&mut input, &mut std::io::sink())?;
    Ok(())
}

fn read_pages(input: &mut impl BufRead, count: usize) -> Result<Pages> {
    let mut pages = Pages::new();
    for _ in 0..count {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let announced: Announced = serde_json::from_str(&line).context("a page's line")?;
        let mut body = vec![0; announced.bytes];
        input.read_exact(&mut body)?;
        let answered = Answered {
            etag: HeaderValue::from_str(&announced.etag)?,
            is_gzip: announced.is_gzip,
            body: body.into(),
        };
        pages.insert(announced.address, answered);
    }
    Ok(pages)
}

async fn serve(listener: std::net::TcpListener, pages: Pages) -> Result<()> {
    let (listener, pages) = (TcpListener::from_std(listener)?, Arc::new(pages));
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let pages = Arc::clone(&pages);
        let service = service_fn(move |request| {
            std::future::ready(Ok::<_, Infallible>(answer(&pages, &request)))
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        // A reader that goes in the middle has told its own story.
        tokio::spawn(async move { drop(connection.await) });
    }
}

fn answer(pages: &Pages, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let address = request.uri().path_and_query();
    let page = address.and_then(|address| pages.get(address.as_str()));
    let mut response = Response::new(Full::default());
    let Some(page) = page else {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, page.etag.clone());
    if request.headers().get(IF_NONE_MATCH) == Some(&page.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if page.is_gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = Full::new(page.body.clone());
    response
}

/// That server in a process of its own. It ends with this one.
#[derive(Debug)]
pub(super) struct FloorPages {
    target: Target,
    child: Child,
    _input: ChildStdin,
}

impl FloorPages {
    /// Starts it with pages.
    ///
    /// # Errors
    /// When it can't be started.
    pub(super) async fn start(pages: Vec<ServedPage>) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("floor-pages")
            .args(["--pages", &pages.len().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the floor can't be started")?;
        let mut input = child.stdin.take().context("no standard input")?;
        for page in pages {
            input.write_all(&announced(&page)?).await?;
            input.write_all(&page.body).await?;
        }
        input.flush().await?;
        let output = child.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(output).lines();
        let address = lines.next_line().await?.context("the floor has ended")?;
        let address: SocketAddr = address.parse().context("no address")?;
        Ok(Self {
            target: Target {
                host: address.to_string(),
                address,
                path: String::new(),
            },
            child,
            _input: input,
        })
    }

    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn pid(&self) -> Result<u32> {
        self.child.id().context("the floor has ended")
    }
}

fn announced(page: &ServedPage) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Announced {
        address: page.address.clone(),
        etag: page.etag.clone(),
        is_gzip: page.is_gzip,
        bytes: page.body.len(),
    })?;
    line.push(b'\n');
    Ok(line)
}

/// Serves pages from a task of this runtime; returns where.
#[cfg(test)]
pub(super) fn serve_here(pages: &[ServedPage]) -> Target {
    let mut input = Vec::new();
    for page in pages {
        input.extend(announced(page).expect("JSON"));
        input.extend(&page.body);
    }
    let pages = read_pages(&mut &input[..], pages.len()).expect("they are whole");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket may");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, pages));
    format!("http://{address}").parse().expect("a URL")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;

    fn page(address: &str, body: &str) -> ServedPage {
        ServedPage {
            address: address.to_owned(),
            etag: format!("\"{}\"", body.len()),
            is_gzip: false,
            body: body.as_bytes().to_vec(),
        }
    }

    #[tokio::test]
    async fn each_address_is_answered_with_its_page() {
        let target = serve_here(&[
            page("/a?limit=1", "{\"one\":\n1}"),
            page("/a?before=1", "two"),
        ]);
        let get = async |path| http::get(&target, path).await.expect("it answers");
        assert_eq!(get("/a?limit=1").await.ok().expect("200"), b"{\"one\":\n1}");
        assert_eq!(get("/a?before=1").await.header("etag"), Some("\"3\""));
        assert!(get("/a").await.is(404));
    }
}
