//! Flags that all our processes have, and what a process does with its result.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use trunkline_shared::config::{ConfigErrors, Source};

use crate::tell::tell;

/// Flags of an edge and of a node.
#[derive(Clone, Debug, Default, Args)]
pub struct ProcessArgs {
    /// Configuration file; without it, only defaults, environment and flags hold.
    #[arg(long, value_name = "FILE", env = "TRUNKLINE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Sets one key, over file and environment: edge.listen=127.0.0.1:0. May be given again.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
    /// File to write once ready: {"name","pid","listen","admin","link"}.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Stop when standard input ends, so that a child doesn't outlive its parent.
    #[arg(long)]
    pub exit_with_parent: bool,
}

/// Why a process ends otherwise than well.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It was told nonsense: exit code 2.
    #[error("{0}")]
    Configuration(String),
    /// It couldn't go on: exit code 1.
    #[error("{0}")]
    Run(String),
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Configuration(errors.to_string())
    }
}

impl Failure {
    /// The process's exit code (`names.md`: 0 clean, 1 failure, 2 configuration or usage).
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 2,
            Self::Run(_) => 1,
        }
    }
}

impl ProcessArgs {
    /// Reads the configuration: file, then environment, then flags.
    ///
    /// # Errors
    /// When the file can't be read or isn't TOML, or a flag isn't `SECTION.KEY=VALUE`.
    pub fn source(&self) -> Result<Source, Failure> {
        let file = self.config.as_ref().map(|path| path.display().to_string());
        let text = match &self.config {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| unreadable(&path.display().to_string(), &error))?,
        };
        let environment = std::env::vars_os();
        let environment = environment.filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut source = match (Source::parse(&text, environment), file) {
            (Ok(source), Some(file)) => source.of_file(file),
            (Ok(source), None) => source,
            (Err(errors), file) => {
                let file = file.unwrap_or_default();
                return Err(Failure::Configuration(format!("{file}: {errors}")));
            }
        };
        for setting in &self.set {
            let (section, key, value) = parse_setting(setting).ok_or_else(|| {
                Failure::Configuration(format!("--set {setting}: not SECTION.KEY=VALUE"))
            })?;
            source.set(section, &key, value);
        }
        Ok(source)
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> Failure {
    let hint = if error.kind() == std::io::ErrorKind::NotFound {
        "; --config names it, config.example.toml shows what may stand in it"
    } else {
        ""
    };
    Failure::Configuration(format!("{file}: {error}{hint}"))
}

/// Takes `section.key.inner=value` apart; inner keys are joined as [`Source::set`] wants them.
fn parse_setting(setting: &str) -> Option<(&str, String, &str)> {
    let (path, value) = setting.split_once('=')?;
    let (section, key) = path.split_once('.')?;
    Some((section, key.replace('.', "__"), value))
}

/// Ends a process with its result: one line on standard error per mistake, and the exit code.
pub fn main_with(name: &str, result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure
                .to_string()
                .lines()
                .for_each(|line| tell(format_args!("{name}: {line}")));
            ExitCode::from(failure.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
    #[serde(default)]
    struct Edge {
        listen: String,
        workers: u16,
    }

    fn args(text: &str, set: &[&str]) -> (tempfile::NamedTempFile, ProcessArgs) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        let set = set.iter().map(ToString::to_string).collect();
        let args = ProcessArgs {
            config: Some(file.path().to_owned()),
            set,
            ..ProcessArgs::default()
        };
        (file, args)
    }

    #[test]
    fn flags_win_over_the_file() {
        let (_file, args) = args("[edge]\nlisten = \"a:1\"\nworkers = 1", &["edge.workers=4"]);
        let mut source = args.source().expect("a configuration");
        assert_eq!(
            source.section::<Edge>("edge"),
            Edge {
                listen: "a:1".into(),
                workers: 4
            }
        );
    }

    #[test]
    fn a_missing_file_names_itself() {
        let args = ProcessArgs {
            config: Some("/nonexistent/trunkline.toml".into()),
            ..ProcessArgs::default()
        };
        let failure = args.source().expect_err("no file");
        assert!(
            failure
                .to_string()
                .starts_with("/nonexistent/trunkline.toml: "),
            "{failure}"
        );
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn a_setting_without_a_section_is_refused() {
        let (_file, args) = args("", &["workers=4"]);
        assert_eq!(
            args.source().expect_err("nonsense").to_string(),
            "--set workers=4: not SECTION.KEY=VALUE"
        );
    }
}
