//! Where PostgreSQL's programs are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where Debian puts each version's, off the path.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The directory with the programs of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs(PathBuf);

impl Programs {
    /// The newest version of Debian's, else what is on the path.
    ///
    /// # Errors
    /// When there is none.
    pub fn find() -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = newest(Path::new(DEBIAN))
            .or_else(|| std::env::split_paths(&path).find(|dir| has_server(dir)));
        found.map(Self).with_context(|| {
            format!("no PostgreSQL in {DEBIAN}/*/bin or on the path: apt-get install postgresql")
        })
    }

    /// Where one of them is.
    pub fn path(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }
}

/// The programs of the highest version under a directory.
fn newest(all: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(all).into_iter().flatten().flatten();
    let numbered = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        Some((number, version.path().join("bin")))
    });
    let usable = numbered.filter(|(_, dir)| has_server(dir));
    usable.max().map(|(_, dir)| dir)
}

fn has_server(dir: &Path) -> bool {
    dir.join("initdb").is_file() && dir.join("postgres").is_file()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_newest_version_that_has_a_server_is_taken() {
        let all = tempfile::tempdir().expect("a directory");
        for (version, programs) in [
            ("9", &["initdb", "postgres"][..]),
            ("15", &["initdb", "postgres"]),
            ("17", &["psql"]),
        ] {
            let dir = all.path().join(version).join("bin");
            fs::create_dir_all(&dir).expect("made");
            for program in programs {
                fs::write(dir.join(program), "").expect("written");
            }
        }
        assert_eq!(newest(all.path()), Some(all.path().join("15/bin")));
        assert_eq!(newest(&all.path().join("absent")), None);
    }
}
