//! `trunkline check`: would a process start with this configuration, here and now, and would its peers believe it?
//!
//! It looks as closely as the process itself would, and changes nothing that the process wouldn't.

mod addresses;
mod certificate;
mod certificates;
mod finding;
mod role;
mod store;
mod system;

use std::path::PathBuf;

use clap::Args;
use trunkline_process::{Failure, ProcessArgs};

use super::output;
use finding::{Finding, Verdict};
use role::{Role, Subject};

/// Flags of `trunkline check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The process's configuration file.
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_CONFIG")]
    config: Option<PathBuf>,
    /// Sets one key, over file and environment, as for the process. May be given again.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,
    /// What the configuration is for; without it, what the file's sections say.
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// Print each finding as a line of JSON.
    #[arg(long)]
    json: bool,
}

/// Prints what it finds.
///
/// # Errors
/// When something wouldn't work: exit code 1, or 2 where it is the configuration.
pub(crate) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let role = Role::choose(args.role, args.config.as_deref())?;
    let process = ProcessArgs {
        config: args.config.clone(),
        set: args.set.clone(),
        ..ProcessArgs::default()
    };
    let subject = match process.source().and_then(|source| Ok(role.load(source)?)) {
        Ok(subject) => subject,
        Err(failure) => return refuse(&failure, args.json),
    };
    let findings = findings(&subject, args.config.as_deref());
    print(&findings, args.json)?;
    conclude(&findings)
}

/// A configuration that makes no sense: nothing else can be looked at.
fn refuse(failure: &Failure, json: bool) -> Result<(), Failure> {
    let mistakes = failure.to_string();
    let findings: Vec<_> = mistakes
        .lines()
        .map(|mistake| Finding::fail("configuration", mistake))
        .collect();
    print(&findings, json)?;
    Err(Failure::Configuration(format!(
        "mistakes in the configuration: {}",
        findings.len()
    )))
}

fn findings(subject: &Subject, file: Option<&std::path::Path>) -> Vec<Finding> {
    let mut findings = vec![subject.describe(file)];
    findings.extend(certificates::check(subject));
    findings.extend(addresses::check(subject));
    findings.extend(store::check(subject));
    findings.extend(system::check(subject, file));
    findings
}

fn print(findings: &[Finding], json: bool) -> Result<(), Failure> {
    let line = if json {
        Finding::json
    } else {
        Finding::to_string
    };
    findings
        .iter()
        .try_for_each(|finding| output::print_line(&line(finding)))
}

fn conclude(findings: &[Finding]) -> Result<(), Failure> {
    let failed = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fail);
    match failed.count() {
        0 => Ok(()),
        count => Err(Failure::Run(format!(
            "{count} of {} checks failed",
            findings.len()
        ))),
    }
}
