//! Users over several workers.

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::client::Client;
use super::fixture::{Thread, config};
use crate::admin;

const SECRET: &str = "secret";

async fn user(thread: &Thread, name: &str) -> Client {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let token = encode(&Header::default(), &json!({"sub": name}), &key).expect("a token");
    Client::connected_with(thread.address, &token).await
}

#[tokio::test]
async fn a_user_on_two_workers_counts_once() {
    let mut config = config();
    config.client.token.hmac_secret_key = SECRET.to_owned();
    let threads = [Thread::start(config.clone()), Thread::start(config)];
    let _clients = [
        user(&threads[0], "ann").await,
        user(&threads[0], "ann").await,
        user(&threads[0], "bob").await,
        user(&threads[1], "ann").await,
        Client::connected(threads[1].address).await,
    ];
    let workers = threads.each_ref().map(|thread| thread.tell.clone());
    assert_eq!(admin::users(&workers).await, 3);
}
