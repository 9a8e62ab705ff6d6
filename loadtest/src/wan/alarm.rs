//! Waking at a moment. Tokio's own timer counts whole milliseconds, which is a tenth of a short link's delay; on Linux the
//! kernel's is used instead, elsewhere an arrival may be told up to a millisecond late.

#[cfg(target_os = "linux")]
mod precise {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::{Duration, Instant};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A timer of one task.
    #[derive(Debug)]
    pub(crate) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        /// Makes it, inside of a runtime.
        ///
        /// # Errors
        /// When the process has no file descriptor left.
        #[expect(
            deprecated,
            reason = "what replaces it is unsafe, for types that could close their file; this one owns it"
        )]
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
        }

        /// Returns at that moment or right after it. May be dropped before.
        pub(crate) async fn until(&self, moment: Instant) {
            let wait = moment.saturating_duration_since(Instant::now());
            if !wait.is_zero() && self.ring_after(wait).await.is_err() {
                tokio::time::sleep_until(moment.into()).await;
            }
        }

        async fn ring_after(&self, wait: Duration) -> io::Result<()> {
            // Setting it again also forgets an earlier moment that has passed unread.
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once(wait)?)?;
            let mut times = [0; 8];
            let read = |timer: &OwnedFd| Ok(rustix::io::read(timer, &mut times)?);
            self.0.async_io(Interest::READABLE, read).await.map(drop)
        }
    }

    fn once(wait: Duration) -> io::Result<Itimerspec> {
        Ok(Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec::try_from(wait).map_err(io::Error::other)?,
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod coarse {
    use std::io;
    use std::time::Instant;

    /// A timer of one task.
    #[derive(Debug)]
    pub(crate) struct Alarm;

    impl Alarm {
        /// Makes it.
        ///
        /// # Errors
        /// Never.
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Returns within a millisecond after that moment. May be dropped before.
        pub(crate) async fn until(&self, moment: Instant) {
            tokio::time::sleep_until(moment.into()).await;
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) use coarse::Alarm;
#[cfg(target_os = "linux")]
pub(super) use precise::Alarm;
