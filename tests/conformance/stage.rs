//! What a row is run with: an encoding, and a class of namespace.

use serde_json::Value;
use trunkline_protocol::Encoding;

use super::client::Client;

/// One run of a row, with channels of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage {
    pub(super) encoding: Encoding,
    class: Class,
}

#[derive(Clone, Copy, Debug)]
enum Class {
    Buffered,
    Durable,
}

impl Stage {
    /// Buffered and durable, each in both encodings.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let classes = [Class::Buffered, Class::Durable].into_iter();
        classes.flat_map(|class| Encoding::ALL.map(|encoding| Self { encoding, class }))
    }

    /// The channel of a row in a namespace of this class.
    pub(super) fn channel(self, namespace: &str, row: &str) -> String {
        let suffix = match self.class {
            Class::Buffered => "",
            Class::Durable => "-durable",
        };
        format!("{namespace}{suffix}:{row}-{:?}", self.encoding)
    }

    /// User 42, connected.
    pub(super) fn user(self) -> Client {
        Client::user(self.encoding, "42")
    }

    /// What user 42 is answered to one command, right after its connect.
    pub(super) fn ask(self, request: Value) -> Value {
        self.user().ask(request)
    }
}
