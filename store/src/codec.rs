//! How a value lies in a store: a version byte, the fields one after another, and a checksum of it all.
//!
//! Numbers are big-endian; texts and bytes have their length (u32) before them. The checksum (CRC-32) finds what the
//! database's own checksums can't: a value that this program wrote wrongly or cut.

/// Why a value can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Its bytes aren't those that were written.
    #[error("checksum doesn't fit")]
    Checksum,
    /// It was written by a later version of this program, or is no value of ours.
    #[error("version {0} is unknown")]
    UnknownVersion(u8),
    /// It ends too early or too late, or holds what can't be there.
    #[error("field {0} makes no sense")]
    Field(&'static str),
}

/// Writes the fields of a value.
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    /// Begins a value; `size` bytes of fields are expected.
    pub(crate) fn new(version: u8, size: usize) -> Self {
        let mut bytes = Vec::with_capacity(1 + size + 4);
        bytes.push(version);
        Self(bytes)
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// Bytes of a length that the reader knows.
    pub(crate) fn raw(&mut self, value: &[u8]) {
        self.0.extend_from_slice(value);
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.u32(u32::try_from(value.len()).expect("no field has 4 GiB: frames have 1 MiB"));
        self.raw(value);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let checksum = crc32fast::hash(&self.0);
        self.u32(checksum);
        self.0
    }
}

/// Reads the fields of a value; total over any bytes.
pub(crate) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Checks checksum and version.
    pub(crate) fn new(value: &'a [u8], version: u8) -> Result<Self, DecodeError> {
        match Self::of_any(value)? {
            (found, decoder) if found == version => Ok(decoder),
            (found, _) => Err(DecodeError::UnknownVersion(found)),
        }
    }

    /// Checks the checksum; returns the version, which the caller checks.
    pub(crate) fn of_any(value: &'a [u8]) -> Result<(u8, Self), DecodeError> {
        let (fields, checksum) = value.split_last_chunk().ok_or(DecodeError::Checksum)?;
        if crc32fast::hash(fields) != u32::from_be_bytes(*checksum) {
            return Err(DecodeError::Checksum);
        }
        let (found, fields) = fields.split_first().ok_or(DecodeError::Checksum)?;
        Ok((*found, Self(fields)))
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self
            .0
            .split_first_chunk()
            .ok_or(DecodeError::Field(field))?;
        self.0 = rest;
        Ok(*array)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_be_bytes)
    }

    pub(crate) fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = usize::try_from(self.u32(field)?).map_err(|_| DecodeError::Field(field))?;
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(DecodeError::Field(field))?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes(field)?).map_err(|_| DecodeError::Field(field))
    }

    /// All that is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Checks that nothing is left.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Field("end"))
        }
    }
}
