//! Reading and writing line by line, with a digest of it all.

use std::io::{self, BufRead, Read, Write};

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;

use super::{MAX_LINE, import::ImportFault};

/// The digest of all lines so far.
struct Sum(Context);

impl Sum {
    fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    fn so_far(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.clone().finish().as_ref());
        bytes
    }
}

pub(super) struct Writer<W> {
    to: W,
    sum: Sum,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, sum: Sum::new() }
    }

    /// Writes `line`, unless no import would read it: then `false`.
    pub(super) fn write(&mut self, line: &impl Serialize) -> io::Result<bool> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        if bytes.len() > MAX_LINE {
            return Ok(false);
        }
        self.sum.0.update(&bytes);
        self.to.write_all(&bytes)?;
        Ok(true)
    }

    pub(super) fn sum(&self) -> [u8; 32] {
        self.sum.so_far()
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

pub(super) struct Reader<R> {
    from: R,
    /// The line that was read last, with its end.
    line: Vec<u8>,
    number: u64,
    /// Of all lines before it.
    sum: Sum,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, line: Vec::new(), number: 0, sum: Sum::new() }
    }

    /// The next line; `None` where there are no more. A line without an end is
    /// a file that was cut off.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, ImportFault> {
        self.sum.0.update(&self.line);
        self.line.clear();
        self.number += 1;
        let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        let read = (&mut self.from).take(most).read_until(b'\n', &mut self.line).map_err(ImportFault::Read)?;
        match self.line.strip_suffix(b"\n") {
            Some(line) => Ok(Some(line)),
            None if read == 0 => Ok(None),
            None if read == MAX_LINE => Err(ImportFault::TooLong),
            None => Err(ImportFault::CutOff),
        }
    }

    /// The number of the line that was read last, or could not be read.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The digest of all lines before it.
    pub(super) fn sum(&self) -> [u8; 32] {
        self.sum.so_far()
    }

    /// How long it is.
    pub(super) const fn length(&self) -> usize {
        self.line.len()
    }
}
