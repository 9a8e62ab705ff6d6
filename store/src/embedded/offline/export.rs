//! Writing a store out, row by row.

use std::io::{self, Write};

use super::line::{End, HeadLine, Header, KeyLine, Line, MessageLine, SlotLine, VERSION};
use super::{OfflineStore, rows};
use crate::embedded::directory;
use crate::embedded::disk::DiskError;

/// Why an export was cut short; what was written so far lacks its last line.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A row can't be read.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// The export can't be written.
    #[error("the export can't be written: {0}")]
    Output(#[from] io::Error),
}

impl OfflineStore {
    /// Writes slots, heads, messages and idempotency keys, a line of JSON each, between a header and a last line that counts them; returns
    /// how many lines of rows. One row is in memory at a time.
    ///
    /// # Errors
    /// At the first row that is damaged, and when it can't be written.
    pub fn export(&self, mut out: impl Write) -> Result<u64, ExportError> {
        let out: &mut dyn Write = &mut out;
        let header = Header {
            version: VERSION,
            created: directory::now().0,
            birth: self.disk.birth().0,
        };
        write_line(out, &Line::TrunklineStore(header))?;
        let end = self.export_rows(out)?;
        write_line(out, &Line::End(end))?;
        out.flush()?;
        Ok(end.slots + end.heads + end.messages + end.keys)
    }

    fn export_rows(&self, out: &mut dyn Write) -> Result<End, ExportError> {
        let (disk, snapshot) = (&self.disk, self.disk.snapshot());
        let mut end = End::default();
        for row in rows::each(&snapshot, &disk.slots, rows::slot) {
            let (slot, row) = row?;
            write_line(out, &Line::Slot(SlotLine::new(slot, row)))?;
            end.slots += 1;
        }
        for row in rows::each(&snapshot, &disk.heads, rows::head) {
            let (slot, channel, row) = row?;
            write_line(out, &Line::Head(HeadLine::new(slot, &channel, row)))?;
            end.heads += 1;
        }
        for row in rows::each(&snapshot, &disk.messages, rows::message) {
            let (slot, channel, message) = row?;
            let line = MessageLine::new(slot, &channel, message);
            write_line(out, &Line::Message(Box::new(line)))?;
            end.messages += 1;
        }
        for row in rows::each(&snapshot, &disk.idempotency_keys, rows::idempotency_key) {
            let (key, row) = row?;
            write_line(out, &Line::IdempotencyKey(KeyLine::new(&key, row)))?;
            end.keys += 1;
        }
        Ok(end)
    }
}

fn write_line(out: &mut dyn Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
