//! What a broken invariant does to a process.

/// Makes any panic, on any thread or task, end the process after its message.
///
/// Machines assert what must hold. One that has stopped half-way keeps a slot or a connection that nobody serves while
/// the process says that it is ready; a process that ends is started again, and what was acknowledged is kept.
pub fn abort_on_panic() {
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        show(panic);
        tracing::error!(%panic, "broken invariant");
        std::process::abort();
    }));
}
