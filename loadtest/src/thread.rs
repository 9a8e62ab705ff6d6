//! Work on a thread of its own, so that a busy reader doesn't delay what must keep time.

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Runs `work` on a new thread with a runtime of its own, and waits for what it returns.
///
/// # Errors
/// When the thread can't be started, or dies, or `work` fails.
pub(crate) async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce(&Runtime) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (done, result) = oneshot::channel();
    let thread = move || drop(done.send(with_runtime(work)));
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(thread)?;
    result
        .await
        .with_context(|| format!("the thread {name} has died"))?
}

fn with_runtime<T>(work: impl FnOnce(&Runtime) -> Result<T>) -> Result<T> {
    work(&Builder::new_current_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_work_returns_comes_back() {
        let answer = run("test", |runtime| Ok(runtime.block_on(async { 42 }))).await;
        assert_eq!(answer.expect("it works"), 42);
        let failed = run::<()>("test", |_| anyhow::bail!("no")).await;
        assert_eq!(failed.expect_err("it fails").to_string(), "no");
    }
}
