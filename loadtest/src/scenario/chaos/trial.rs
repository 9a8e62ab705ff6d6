//! One run: load, the fault at a random moment, the repair, the three accounts.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, sleep};

use super::load::Load;
use super::mesh::{EDGES, Mesh};
use super::probe::Probe;
use super::stored;
use crate::args::Fault;
use crate::report::Report;
use crate::scenario::follow::Log;
use crate::scenario::processes::Lab;
use crate::scenario::proof::{Accounts, Fate, Kind, Verdict, judge};

/// Load before the fault, in milliseconds.
const BEFORE: std::ops::Range<u64> = 300..1500;

/// From the fault to its repair, in milliseconds. A link is cut for less and for more than its idle time-out.
const CUT: std::ops::Range<u64> = 200..3000;
const OUTAGE: std::ops::Range<u64> = 50..800;

/// What a seed draws.
#[derive(Clone, Copy, Debug)]
struct Dice {
    before: Duration,
    outage: Duration,
    /// Which edge, where one is meant.
    place: usize,
}

impl Dice {
    fn throw(seed: u64, fault: Fault) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let outage = if fault == Fault::Link { CUT } else { OUTAGE };
        let mut micros = |millis: std::ops::Range<u64>| {
            Duration::from_micros(rng.random_range(millis.start * 1000..millis.end * 1000))
        };
        let (before, outage) = (micros(BEFORE), micros(outage));
        Self {
            before,
            outage,
            place: rng.random_range(0..EDGES.len()),
        }
    }
}

/// A run that is over.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    accounts: Accounts,
    dice: Dice,
    /// Publishes without an answer when the fault came.
    open: usize,
    in_flight: usize,
    /// From the end of the repair to the first acknowledgement.
    back: Duration,
}

/// When the fault began to act, and when its repair began.
#[derive(Clone, Copy, Debug)]
struct Moments {
    broken: Instant,
    repair: Instant,
}

/// Makes the run of a seed in a directory of its own.
///
/// # Errors
/// When it can't be made, or the mesh doesn't come back.
pub(super) async fn run(lab: &mut Lab, dir: PathBuf, fault: Fault, seed: u64) -> Result<Outcome> {
    let dice = Dice::throw(seed, fault);
    let mut mesh = Mesh::start(lab, &dir, fault).await?;
    let probe = match fault {
        Fault::DiskFull | Fault::Postgres => Some(Probe::start(&mesh).await?),
        Fault::Edge | Fault::Backbone | Fault::All | Fault::Link => None,
    };
    let load = Load::start(&mesh).await?;
    sleep(dice.before).await;
    let open = load.0.book.open();
    let moments = break_and_repair(&mut mesh, &load, fault, dice, probe).await?;
    let back = load.wait_until_back(Instant::now()).await?;
    let channels = load.0.channels.clone();
    let (sent, witnesses) = load.end(&mesh).await?;
    if let [name, ..] = *mesh.ended() {
        bail!("{name} has ended by itself");
    }
    let stored = read_stored(&mut mesh, &channels).await?;
    let Moments { broken, repair } = moments;
    let in_flight = sent.iter().filter(|one| one.was_in_flight(broken, repair));
    let in_flight = in_flight.count();
    let accounts = Accounts {
        sent,
        stored,
        witnesses,
    };
    Ok(Outcome {
        verdict: judge(accounts.evidence()),
        in_flight,
        accounts,
        dice,
        open,
        back,
    })
}

/// Breaks what the fault breaks, looks at what must go on meanwhile, and puts it right again.
async fn break_and_repair(
    mesh: &mut Mesh<'_>,
    load: &Load,
    fault: Fault,
    dice: Dice,
    probe: Option<Probe>,
) -> Result<Moments> {
    let inflicted = Instant::now();
    mesh.inflict(dice.place).await?;
    let broken = match fault {
        // Until then the node had some bytes of room.
        Fault::DiskFull => load.wait_until_refused(inflicted).await?,
        Fault::Edge | Fault::Backbone | Fault::Postgres | Fault::All | Fault::Link => inflicted,
    };
    if let Some(mut probe) = probe {
        let went_on = probe.goes_on(mesh).await;
        went_on.context("while the store was away")?;
    }
    sleep(dice.outage).await;
    let repair = Instant::now();
    mesh.repair(dice.place).await?;
    Ok(Moments { broken, repair })
}

/// Reads all channels from processes that remember nothing.
async fn read_stored(mesh: &mut Mesh<'_>, channels: &[String]) -> Result<Vec<Log>> {
    mesh.forget().await?;
    let reader = &mesh.apis()?[0];
    let mut stored = Vec::new();
    for channel in channels {
        let read = stored::read(reader, channel).await;
        stored.push(read.with_context(|| channel.clone())?);
    }
    Ok(stored)
}

impl Outcome {
    /// Whether publishes were under way at the fault.
    pub(super) const fn counts(&self) -> bool {
        self.in_flight > 0
    }

    /// What the run says of itself, in one line.
    pub(super) fn line(&self) -> String {
        format!(
            "fault after {:.1?} for {:.1?}; {} unanswered then, {} in flight; acked {}, refused {}, cut off {} of {}, kept {}; \
             subscribers connected again {} times, were told of a gap {} times; back {:.1?} after the repair",
            self.dice.before,
            self.dice.outage,
            self.open,
            self.in_flight,
            self.accounts.count(Fate::Acked),
            self.accounts.count(Fate::Refused),
            self.accounts.count(Fate::CutOff),
            self.accounts.sent.len(),
            self.accounts.kept(),
            self.accounts.times_cut_off(),
            self.accounts.times_told(),
            self.back,
        )
    }

    /// Adds the run's figures.
    pub(super) fn add_to(&self, report: &mut Report) {
        let acked = self.accounts.count(Fate::Acked);
        let mut add = |name: &str, count: usize| report.add(name, "", count as f64);
        add("publishes", self.accounts.sent.len());
        add("acknowledged", acked);
        add("in flight at the fault", self.in_flight);
        add("kept", self.accounts.kept());
        for kind in Kind::ALL {
            add(kind.name(), self.verdict.count(kind));
        }
        add("subscribers told of a gap", self.accounts.times_told());
        add("missed and told", self.verdict.missed_and_told);
        report.add(
            "back after the repair",
            "ms",
            self.back.as_secs_f64() * 1000.0,
        );
    }
}
