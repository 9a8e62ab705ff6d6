//! What the tests of the embedded store share.

use std::path::Path;

use trunkline_store::EmbeddedStore;
use trunkline_store::embedded::Options;

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

pub(crate) fn open(path: &Path) -> EmbeddedStore {
    EmbeddedStore::open(path, Options::default()).unwrap()
}
