//! Standard error as the place of log lines: one that can't be written is lost and counted, and nothing else happens.

use std::io::{self, Stderr, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_subscriber::fmt::MakeWriter;

static LINES_LOST: AtomicU64 = AtomicU64::new(0);

/// Log lines of this process that couldn't be written, since its start: the disk is full, or nobody reads any more.
pub fn log_lines_lost() -> u64 {
    LINES_LOST.load(Ordering::Relaxed)
}

/// Makes the writer of each line.
pub(crate) struct LogOutput;

impl<'a> MakeWriter<'a> for LogOutput {
    type Writer = Lossy<'a, Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Lossy {
            to: io::stderr(),
            lost: &LINES_LOST,
        }
    }
}

/// Writes what it can. An error would be printed by the subscriber, to the output that just failed, which panics.
pub(crate) struct Lossy<'a, W> {
    to: W,
    lost: &'a AtomicU64,
}

impl<W: Write> Write for Lossy<'_, W> {
    /// Takes a whole line, as the subscriber gives it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.to.write_all(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes and no more, as a disk that fills.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            match taken {
                0 => Err(io::ErrorKind::StorageFull.into()),
                _ => Ok(taken),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_cannot_be_written_whole_is_lost_and_counted_once() {
        let lost = AtomicU64::new(0);
        let mut output = Lossy {
            to: Full(12),
            lost: &lost,
        };
        for (line, lost_by_then) in [("12 bytes...\n", 0), ("more\n", 1), ("and more\n", 2)] {
            output.write_all(line.as_bytes()).expect("never an error");
            assert_eq!(lost.load(Ordering::Relaxed), lost_by_then, "{line}");
        }
    }
}
