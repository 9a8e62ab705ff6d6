//! History over HTTP, over real processes.

mod harness;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::papers::{link_section, make_certificates};
use harness::process::Process;
use harness::{api, own_ip, wait_until};
use serde_json::{Value, json};

/// Published before anybody reads.
const PUBLISHED: u64 = 1000;

fn node(dir: &Path, link: &str) -> Process {
    let config = format!(
        "[backbone]\nlisten = \"{link}\"\n[store]\npath = \"{}/store\"\n[admin]\nlisten = \"127.0.0.1:0\"\n{}\
         [[namespace]]\nname = \"live\"\nclass = \"buffered\"\nhistory_size = 100000\nhistory_ttl = \"1h\"\n\
         allow_history_for_client = true\nallow_history_for_anonymous = true\n",
        dir.display(),
        link_section(dir, "backbone-1", ""),
    );
    Process::start(dir, "backbone", "backbone-1", &config)
}

fn edge(dir: &Path, link: &str) -> Process {
    let config = format!(
        "[edge]\nlisten = \"{}:0\"\nbackbones = [\"{link}\"]\ndrain_seconds = 1\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [client]\nallow_anonymous_connect_without_token = true\n[api]\nkey = \"dev\"\n{}",
        own_ip(),
        link_section(dir, "edge-1", ""),
    );
    Process::start(dir, "edge", "edge-1", &config)
}

/// A node, and an edge that clients read from.
struct Mesh {
    dir: tempfile::TempDir,
    node: Process,
    edge: Process,
}

impl Mesh {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
        let node = node(dir.path(), &format!("{}:0", own_ip()));
        let edge = edge(dir.path(), &node.address("link"));
        Self { dir, node, edge }
    }

    fn publish(&self, number: u64) {
        publish(&self.edge.address("listen"), number);
    }

    fn page(&self, address: &str) -> Page {
        page(&self.edge.address("listen"), address, &[])
    }

    fn metric(&self, line: &str) -> Option<u64> {
        let url = format!("http://{}/metrics", self.edge.address("admin"));
        let mut response = ureq::get(url).call().expect("metrics");
        let text = response.body_mut().read_to_string().expect("text");
        let value = text.lines().find_map(|shown| shown.strip_prefix(line))?;
        value.trim().parse().ok()
    }
}

fn publish(listen: &str, number: u64) {
    let message = json!({ "channel": "live:1", "data": { "number": number } });
    let answer = api(listen, "publish", &message);
    assert!(answer["error"].is_null(), "{answer}");
}

struct Page {
    status: u16,
    etag: String,
    cache_control: String,
    body: Vec<u8>,
}

fn page(listen: &str, address: &str, headers: &[(&str, &str)]) -> Page {
    let mut request = ureq::get(format!(
        "http://{listen}/v1/channels/live:1/messages{address}"
    ))
    .config()
    .http_status_as_error(false)
    .build();
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.call().expect("the edge answers");
    let header = |name: &str| {
        let value = response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    Page {
        status: response.status().as_u16(),
        etag: header("etag"),
        cache_control: header("cache-control"),
        body: response.body_mut().read_to_vec().expect("a body"),
    }
}

impl Page {
    fn json(&self) -> Value {
        assert_eq!(self.status, 200);
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn next(&self) -> Option<String> {
        self.json()["next"].as_str().map(str::to_owned)
    }

    /// The numbers that were published, newest first.
    fn numbers(&self) -> Vec<u64> {
        let body = self.json();
        let messages = body["messages"].as_array().expect("a list").iter();
        let numbers = messages.map(|message| message["data"]["number"].as_u64());
        numbers.map(|number| number.expect("a number")).collect()
    }
}

#[test]
fn history_is_read_in_pages_that_everybody_shares_until_their_epoch_ends() {
    let mesh = Mesh::start();
    (1..=PUBLISHED).for_each(|number| mesh.publish(number));
    many_first_readers_cost_one_question(&mesh);
    let second = walking_back_meets_each_message_once(&mesh);
    who_has_a_page_gets_304(&mesh, &second);
    what_is_removed_is_on_no_page(&mesh, &second);
    a_restart_ends_the_epoch(mesh, &second);
}

fn many_first_readers_cost_one_question(mesh: &Mesh) {
    let listen = mesh.edge.address("listen");
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..200)
            .map(|_| scope.spawn(|| page(&listen, "", &[]).numbers().len()))
            .collect();
        for reader in readers {
            assert_eq!(reader.join().expect("it reads"), 50);
        }
    });
    let pages = mesh.metric("trunkline_edge_history_questions_total{what=\"page\"}");
    assert_eq!(pages, Some(1));
    let answered = mesh.metric("trunkline_edge_history_requests_total{status=\"2xx\"}");
    assert_eq!(answered, Some(200));
}

/// Walks while somebody publishes; returns the address of a complete page.
fn walking_back_meets_each_message_once(mesh: &Mesh) -> String {
    let listen = mesh.edge.address("listen");
    let walked = Arc::new(AtomicBool::new(false));
    let (until, publisher_listen) = (Arc::clone(&walked), listen.clone());
    let publisher = std::thread::spawn(move || {
        (PUBLISHED + 1..)
            .take_while(|_| !until.load(Ordering::Relaxed))
            .for_each(|number| publish(&publisher_listen, number));
    });
    let mut page = mesh.page("");
    let mut seen = page.numbers();
    let second = page.next().expect("there is more");
    while let Some(next) = page.next() {
        page = mesh.page(&next);
        assert!(page.cache_control.starts_with("public, max-age="));
        assert!(page.cache_control.ends_with(", immutable"));
        seen.extend(page.numbers());
    }
    walked.store(true, Ordering::Relaxed);
    publisher.join().expect("it publishes");
    let top = seen[0];
    assert!(top >= PUBLISHED);
    assert_eq!(seen, (1..=top).rev().collect::<Vec<u64>>());
    second
}

fn who_has_a_page_gets_304(mesh: &Mesh, address: &str) {
    let listen = mesh.edge.address("listen");
    let first = mesh.page(address);
    let again = page(&listen, address, &[("if-none-match", &first.etag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.etag, first.etag);
    let gzip = page(&listen, address, &[("accept-encoding", "gzip")]);
    assert!(gzip.body.len() < first.body.len());
    assert_eq!(gzip.body[..2], [0x1f, 0x8b]);
}

fn what_is_removed_is_on_no_page(mesh: &Mesh, complete: &str) {
    let listen = mesh.edge.address("listen");
    assert_ne!(mesh.page(complete).numbers(), [0; 0]);
    let removed = api(&listen, "history_remove", &json!({ "channel": "live:1" }));
    assert_eq!(removed, json!({ "result": {} }));
    let newest = mesh.page("");
    assert_eq!((newest.numbers(), newest.next()), (vec![], None));
    // A page that can't change is served for a second without a question.
    let emptied = wait_until("the end of a page", || {
        let page = mesh.page(complete);
        page.numbers().is_empty().then_some(page)
    });
    assert_eq!(emptied.cache_control, "public, no-cache");
    mesh.publish(7);
    assert_eq!(mesh.page("").numbers(), [7]);
}

fn a_restart_ends_the_epoch(mesh: Mesh, old: &str) {
    let Mesh {
        dir,
        node: first,
        edge,
    } = mesh;
    let (link, listen) = (first.address("link"), edge.address("listen"));
    first.kill();
    let _second = node(dir.path(), &link);
    let gone = wait_until("the end of the epoch", || {
        let page = page(&listen, old, &[]);
        (page.status == 404).then_some(page)
    });
    assert_eq!(gone.cache_control, "no-store");
    let newest = wait_until("the new epoch", || {
        let page = page(&listen, "", &[]);
        (page.status == 200).then_some(page)
    });
    assert_eq!(newest.numbers(), [0; 0]);
}
