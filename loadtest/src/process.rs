//! Processes under measurement: their CPU and their memory, from `/proc`.

use std::fs;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};

/// A process that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    /// What figures call it.
    pub(crate) name: String,
    pid: u32,
}

impl FromStr for Watched {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, pid) = text.split_once('=').unwrap_or(("server", text));
        let pid = pid.parse().map_err(|error| format!("{pid}: {error}"))?;
        Ok(Self::new(name, pid))
    }
}

impl Watched {
    pub(crate) fn new(name: &str, pid: u32) -> Self {
        Self {
            name: name.to_owned(),
            pid,
        }
    }

    /// User and system time of all its threads, those that have ended included. The kernel tells it in ticks of 10 ms.
    ///
    /// # Errors
    /// When the process isn't there.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = self.read("stat")?;
        let ticks = ticks(&stat).with_context(|| format!("/proc/{}/stat: {stat}", self.pid))?;
        Ok(Duration::from_secs_f64(
            ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
        ))
    }

    /// Resident bytes.
    ///
    /// # Errors
    /// When the process isn't there.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let statm = self.read("statm")?;
        let pages = statm
            .split(' ')
            .nth(1)
            .and_then(|pages| pages.parse::<u64>().ok());
        let pages = pages.with_context(|| format!("/proc/{}/statm: {statm}", self.pid))?;
        Ok(pages * rustix::param::page_size() as u64)
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.pid);
        fs::read_to_string(&path).with_context(|| format!("{} isn't there: {path}", self.name))
    }
}

/// `utime` and `stime`: the 14th and 15th field of `/proc/PID/stat`, of which the second, a name, may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

/// CPU of several processes between two moments.
#[derive(Debug)]
pub(crate) struct CpuWatch<'a> {
    watched: &'a [Watched],
    before: Vec<Duration>,
}

impl<'a> CpuWatch<'a> {
    pub(crate) fn start(watched: &'a [Watched]) -> Result<Self> {
        Ok(Self {
            watched,
            before: watched.iter().map(Watched::cpu).collect::<Result<_>>()?,
        })
    }

    /// CPU used since the start, by process.
    pub(crate) fn used(&self) -> Result<Vec<(&'a str, Duration)>> {
        let pairs = self.watched.iter().zip(&self.before);
        pairs
            .map(|(watched, before)| Ok((&*watched.name, watched.cpu()?.saturating_sub(*before))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_user_and_system_time_whatever_the_name() {
        let stat =
            "42 (a) b (c) S 1 42 42 0 -1 4194304 1000 0 0 0 123 45 7 8 20 0 5 0 100 1000 200 18446";
        assert_eq!(ticks(stat), Some(168));
        assert_eq!(ticks("42 (a) S 1"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn this_process_has_memory_and_time() {
        let own = Watched::new("own", std::process::id());
        assert!(own.resident_bytes().expect("it is there") > 100_000);
        assert!(own.cpu().is_ok());
    }

    #[test]
    fn a_process_may_have_a_name() {
        assert_eq!("edge=7".parse(), Ok(Watched::new("edge", 7)));
        assert_eq!("7".parse(), Ok(Watched::new("server", 7)));
        assert!("edge".parse::<Watched>().is_err());
    }
}
