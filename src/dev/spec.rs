//! What a child of dev mode is started with, and started again.

use serde_json::{Value, json};
use trunkline_process::Ready;

/// How one process is started.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// The subcommand: `backbone` or `edge`.
    pub(crate) command: &'static str,
    pub(crate) name: String,
    /// Its configuration file.
    pub(crate) config: Value,
    /// Flags beside those that every child is given.
    pub(crate) flags: Vec<String>,
}

impl Spec {
    /// Keeps the addresses that the process got, so that it has them again when it is started again: others know them.
    pub(crate) fn settle(&mut self, ready: &Ready) {
        self.config["admin"]["listen"] = json!(ready.admin);
        if let Some(link) = ready.link {
            self.config["backbone"]["listen"] = json!(link);
        }
        if let Some(listen) = ready.listen {
            self.config["edge"]["listen"] = json!(listen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_started_again_where_it_was() {
        let address = |port: u16| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let mut spec = Spec {
            command: "backbone",
            name: "backbone-1".to_owned(),
            config: json!({ "backbone": { "listen": address(0) }, "admin": { "listen": address(0) } }),
            flags: Vec::new(),
        };
        spec.settle(&Ready {
            name: spec.name.clone(),
            pid: 1,
            listen: None,
            admin: address(9190),
            link: Some(address(7443)),
        });
        assert_eq!(spec.config["backbone"]["listen"], "127.0.0.1:7443");
        assert_eq!(spec.config["admin"]["listen"], "127.0.0.1:9190");
        assert!(spec.config.get("edge").is_none());
    }
}
