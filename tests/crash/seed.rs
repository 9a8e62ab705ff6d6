//! Moments drawn from a seed, and how many runs are made of them.

use std::time::{SystemTime, UNIX_EPOCH};

/// A small generator (splitmix64): the same seed draws the same moments.
pub(crate) struct Seed {
    number: u64,
    state: u64,
}

impl Seed {
    pub(crate) const fn new(number: u64) -> Self {
        Self {
            number,
            state: number,
        }
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// Draws a number below `bound`.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Makes runs, each from its own seed, until `TRUNKLINE_RUNS` (else `default`) of them count; prints what each says.
///
/// `TRUNKLINE_SEED=N` makes the one run of that seed. A run counts where it returns `true`.
///
/// # Panics
/// When of twice as many runs not enough count.
pub(crate) fn runs(what: &str, default: usize, mut run: impl FnMut(&mut Seed) -> (bool, String)) {
    let replayed = number("TRUNKLINE_SEED");
    let wanted = match replayed {
        Some(_) => 1,
        None => number("TRUNKLINE_RUNS").map_or(default, |count| {
            usize::try_from(count).expect("a number of runs")
        }),
    };
    let first = replayed.unwrap_or_else(fresh);
    let (mut made, mut counted) = (0, 0);
    while counted < wanted && made < 2 * wanted {
        let mut seed = Seed::new(first.wrapping_add(made as u64));
        eprintln!("{what}: TRUNKLINE_SEED={}", seed.number());
        let (counts, said) = run(&mut seed);
        made += 1;
        counted += usize::from(counts);
        eprintln!(
            "{what}: {said}{}",
            if counts { "" } else { "; doesn't count" }
        );
    }
    eprintln!("{what}: {counted} of {made} runs had unanswered publishes at that moment");
    assert!(
        counted == wanted || replayed.is_some(),
        "too few runs had unanswered publishes"
    );
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
    )
}

/// Seconds since 1970: another one each time, and short enough to type.
fn fresh() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
