//! The namespaces of the tests, after those of the conformance table.

use std::time::Duration;

use trunkline_shared::rules::{Class, DataFormat, Namespace, Rules};

/// `open`: everything on request; `rec`: recovery forced; `pos`: positioning forced, no presence; `watch`: joins forced on
/// everybody; `plain`: ephemeral; `json`: JSON objects only; `closed`: nothing; `ul`: user-limited; the nameless one: for
/// named users.
pub(super) fn rules() -> Rules {
    let named = |name: &str| Namespace {
        name: name.into(),
        ..Namespace::default()
    };
    let subscribable = |name: &str| Namespace {
        allow_subscribe_for_client: true,
        allow_subscribe_for_anonymous: true,
        ..named(name)
    };
    let open = |name: &str| Namespace {
        class: Some(Class::Buffered),
        history_size: 100,
        history_ttl: Duration::from_secs(300),
        presence: true,
        join_leave: true,
        allow_recovery: true,
        allow_positioning: true,
        allow_publish_for_subscriber: true,
        allow_publish_for_anonymous: true,
        allow_presence_for_subscriber: true,
        allow_presence_for_anonymous: true,
        allow_history_for_subscriber: true,
        allow_history_for_anonymous: true,
        ..subscribable(name)
    };
    let publishable = |name: &str| Namespace {
        allow_publish_for_client: true,
        allow_publish_for_anonymous: true,
        ..subscribable(name)
    };
    let namespaces = vec![
        open("open"),
        Namespace {
            force_recovery: true,
            ..open("rec")
        },
        Namespace {
            force_positioning: true,
            presence: false,
            join_leave: false,
            ..open("pos")
        },
        Namespace {
            force_push_join_leave: true,
            ..open("watch")
        },
        publishable("plain"),
        Namespace {
            publication_data_format: DataFormat::JsonObject,
            ..publishable("json")
        },
        named("closed"),
        Namespace {
            allow_user_limited_channels: true,
            ..named("ul")
        },
        Namespace {
            allow_subscribe_for_client: true,
            allow_publish_for_client: true,
            ..named("")
        },
    ];
    Rules::new(1, namespaces).expect("good rules")
}
