//! The server API as rows and set-ups call it.

use serde_json::{Value, json};
use ureq::Agent;

use super::mesh::{Edge, mesh};

/// Calls of the API of one edge, over kept connections.
pub(super) struct Api {
    agent: Agent,
    base: String,
}

impl Api {
    pub(super) fn of(edge: Edge) -> Self {
        let config = Agent::config_builder().http_status_as_error(false);
        Self {
            agent: config.build().into(),
            base: format!("http://{}/api", mesh().address(edge)),
        }
    }

    /// Sends a body as it is, with a header; returns the status and the body of the answer.
    pub(super) fn post(
        &self,
        path: &str,
        header: Option<(&str, &str)>,
        body: &str,
    ) -> (u16, String) {
        let mut request = self.agent.post(format!("{}/{path}", self.base));
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let mut response = request.send(body).expect("the API answers");
        let text = response.body_mut().read_to_string().expect("text");
        (response.status().as_u16(), text)
    }

    /// The status of a GET.
    pub(super) fn get(&self, path: &str) -> u16 {
        let request = self.agent.get(format!("{}/{path}", self.base));
        let request = request.header("X-API-Key", "dev");
        request.call().expect("the API answers").status().as_u16()
    }

    /// A call with the key; the answer, whose status must be 200, is JSON.
    pub(super) fn call(&self, method: &str, body: &Value) -> Value {
        self.call_raw(method, &body.to_string())
    }

    /// As [`Self::call`], with a body as it is.
    pub(super) fn call_raw(&self, method: &str, body: &str) -> Value {
        let (status, text) = self.post(method, Some(("X-API-Key", "dev")), body);
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("the answer is JSON")
    }

    /// Publishes `{"n": n}` and returns the epoch; the offset must be `n`.
    pub(super) fn publish(&self, channel: &str, n: u64) -> String {
        let answer = self.call(
            "publish",
            &json!({ "channel": channel, "data": { "n": n } }),
        );
        let epoch = answer["result"]["epoch"].as_str();
        let epoch = epoch.unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert_eq!(answer, json!({ "result": { "offset": n, "epoch": epoch } }));
        epoch
    }

    /// Publishes the first `count` messages of a channel and returns its epoch.
    pub(super) fn fill(&self, channel: &str, count: u64) -> String {
        (1..=count).fold(String::new(), |_, n| self.publish(channel, n))
    }
}

/// A publication that [`Api::publish`] made, as clients get it.
pub(super) fn publication(n: u64) -> Value {
    json!({ "data": { "n": n }, "offset": n })
}

/// Several of them.
pub(super) fn publications(numbers: impl IntoIterator<Item = u64>) -> Value {
    numbers.into_iter().map(publication).collect()
}
