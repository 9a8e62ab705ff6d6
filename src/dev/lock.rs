//! One mesh per directory: a second one would overwrite the files of the first.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow};

/// The file that is locked while a mesh runs; it has the pid of who runs it.
const FILE: &str = "dev.lock";

/// A directory that is this process's; others may have it when this is dropped, or when the process has ended.
#[derive(Debug)]
pub(crate) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes a directory, which is made when absent.
    ///
    /// # Errors
    /// When another mesh runs in it.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))?;
        let path = dir.join(FILE);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("{}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(dir, &mut file)),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{}", path.display()));
            }
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

fn taken(dir: &Path, file: &mut File) -> anyhow::Error {
    let mut pid = String::new();
    let _ = file.read_to_string(&mut pid);
    anyhow!(
        "another mesh runs in {} (pid {}): give this one a --dir of its own",
        dir.display(),
        pid.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_for_one_at_a_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = DirLock::take(dir.path()).expect("nobody has it");
        let error = DirLock::take(dir.path()).expect_err("the first has it");
        let pid = format!("(pid {})", std::process::id());
        assert!(error.to_string().contains(&pid), "{error}");
        drop(first);
        DirLock::take(dir.path()).expect("nobody has it any more");
    }
}
