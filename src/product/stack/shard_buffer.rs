//! A nameless scratch file that gathers blocks of the stack until whole shards can be coded.
//!
//! A shard needs every step and row of one (year, row of chunks) at once: up to 200 MB over the twelve
//! variables, and the fusion delivers its blocks window by window and row by row. The file keeps what is
//! not complete yet; memory holds one shard of one variable at a time.

use super::{Fill, VARIABLES};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Identity of a set of shards: (chunk along time, chunk along rows).
pub(super) type Key = (usize, usize);

/// A slot holds, for every variable in turn, values in the order (row, step, column).
#[derive(Debug)]
pub(super) struct ShardBuffer {
    file: File,
    steps: usize,
    rows: usize,
    cols: usize,
    slots: BTreeMap<Key, Slot>,
    free: Vec<u64>,
    next: u64,
}

#[derive(Debug)]
struct Slot {
    number: u64,
    /// (step, row) pairs received.
    received: usize,
}

impl ShardBuffer {
    /// Slots of `steps` × `rows` × `cols` cells; the file lies in `folder` and has no name there.
    pub(super) fn new(
        folder: &Path,
        steps: usize,
        rows: usize,
        cols: usize,
    ) -> io::Result<ShardBuffer> {
        Ok(ShardBuffer {
            file: tempfile::tempfile_in(folder)?,
            steps,
            rows,
            cols,
            slots: BTreeMap::new(),
            free: Vec::new(),
            next: 0,
        })
    }

    /// Stores the consecutive steps from `step` on of one row of one variable: `bytes` in order (step, column).
    pub(super) fn put(
        &mut self,
        key: Key,
        variable: usize,
        row: usize,
        step: usize,
        bytes: &[u8],
    ) -> io::Result<()> {
        let number = self.slot(key)?.number;
        let cell = (row * self.steps + step) * self.cols * VARIABLES[variable].fill.size();
        self.file
            .write_all_at(bytes, self.offset(number, variable) + cell as u64)
    }

    /// Notes that `pairs` (step, row) pairs of every variable have come; true when `expected` have.
    pub(super) fn complete(&mut self, key: Key, pairs: usize, expected: usize) -> io::Result<bool> {
        let slot = self.slot(key)?;
        slot.received += pairs;
        Ok(slot.received >= expected)
    }

    /// The first `rows` rows of one variable of a slot, order (row, step, column).
    pub(super) fn get(&self, key: Key, variable: usize, rows: usize) -> io::Result<Vec<u8>> {
        let slot = self.slots.get(&key).ok_or(io::ErrorKind::NotFound)?;
        let mut bytes = vec![0; rows * self.steps * self.cols * VARIABLES[variable].fill.size()];
        self.file
            .read_exact_at(&mut bytes, self.offset(slot.number, variable))?;
        Ok(bytes)
    }

    /// Gives a slot's space back.
    pub(super) fn release(&mut self, key: Key) {
        self.free.extend(self.slots.remove(&key).map(|s| s.number));
    }

    /// True when no slot waits for data.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn slot(&mut self, key: Key) -> io::Result<&mut Slot> {
        if !self.slots.contains_key(&key) {
            let number = match self.free.pop() {
                Some(number) => number,
                None => {
                    self.next += 1;
                    // a hole as long as the slot: the steps that a last, short chunk does not have are never written
                    self.file.set_len(self.offset(self.next, 0))?;
                    self.next - 1
                }
            };
            self.slots.insert(
                key,
                Slot {
                    number,
                    received: 0,
                },
            );
        }
        self.slots
            .get_mut(&key)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn offset(&self, slot: u64, variable: usize) -> u64 {
        let size = |v: &super::Variable| v.fill.size();
        let cells = (self.steps * self.rows * self.cols) as u64;
        let all: usize = VARIABLES.iter().map(size).sum();
        let before: usize = VARIABLES[..variable].iter().map(size).sum();
        cells * (slot * all as u64 + before as u64)
    }
}

impl Fill {
    /// Bytes of `n` fill values.
    pub(super) fn bytes(self, n: usize) -> Vec<u8> {
        match self {
            Fill::I16(v) => v.to_ne_bytes().repeat(n),
            Fill::U16(v) => v.to_ne_bytes().repeat(n),
            Fill::U8(v) => vec![v; n],
        }
    }
}
