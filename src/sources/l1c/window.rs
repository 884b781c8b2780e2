//! From counts and codes to reflectance and quality bits.

use super::store::{Scratch, Store};
use super::swath::StripWindow;
use crate::types::observation::quality;
use hdf5::types::{IntSize, TypeDescriptor};
use ndarray::{Array2, ArrayViewMut2, Axis};
use rayon::prelude::*;
use serde::Serialize;
use std::fs::File;
use std::ops::Range;

/// reflectance = (count − offset) / scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Packing {
    /// Counts per unit of reflectance.
    pub scale: f64,
    /// Count of zero reflectance.
    pub offset: f64,
    /// Count without value.
    pub no_data: f64,
}

/// The two rasters of one strip.
#[derive(Debug)]
pub(super) struct Rasters {
    pub(super) toa: Store,
    pub(super) quality: Store,
    pub(super) packing: Packing,
}

/// Some lines of a window, to be filled.
struct Block<'a> {
    /// Lines of the raster.
    lines: Range<usize>,
    toa: ArrayViewMut2<'a, f32>,
    flags: ArrayViewMut2<'a, u8>,
}

/// What could not be read: dataset, words.
pub(super) struct Failed<'a> {
    pub(super) store: &'a Store,
    pub(super) reason: String,
}

impl Rasters {
    /// Decodes a rectangle inside the rasters; blocks of lines in parallel, so that nothing but the
    /// result ever has the size of the window.
    pub(super) fn window(
        &self,
        file: &File,
        bits: &[u8; 256],
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, Failed<'_>> {
        let size = (lines.len(), pixels.len());
        let mut toa = Array2::<f32>::zeros(size);
        let mut flags = Array2::<u8>::zeros(size);
        let blocks = self.blocks(lines.clone());
        let mut parts = Vec::with_capacity(blocks.len());
        let (mut toa_rest, mut flags_rest) = (toa.view_mut(), flags.view_mut());
        for block in blocks {
            let (toa_part, rest) = toa_rest.split_at(Axis(0), block.len());
            toa_rest = rest;
            let (flags_part, rest) = flags_rest.split_at(Axis(0), block.len());
            flags_rest = rest;
            parts.push(Block {
                lines: block,
                toa: toa_part,
                flags: flags_part,
            });
        }
        parts
            .into_par_iter()
            .try_for_each_init(Scratch::default, |scratch, block| {
                self.fill(block, file, bits, pixels.clone(), scratch)
            })?;
        Ok(StripWindow {
            line0: lines.start,
            pixel0: pixels.start,
            toa,
            quality: flags,
        })
    }

    /// Quality codes of a rectangle; what is no code (of a signed or wide type) becomes 255.
    pub(super) fn codes(
        &self,
        file: &File,
        lines: Range<usize>,
        pixels: Range<usize>,
        scratch: &mut Scratch,
    ) -> Result<Array2<u8>, String> {
        if matches!(self.quality.kind, TypeDescriptor::Integer(_)) {
            let codes = self.quality.read::<i16>(file, lines, pixels, scratch)?;
            return Ok(codes.mapv(|c| u8::try_from(c).unwrap_or(u8::MAX)));
        }
        self.quality.read::<u8>(file, lines, pixels, scratch)
    }

    /// Ranges of lines that begin where chunks of both rasters begin, so that none is decoded twice.
    fn blocks(&self, lines: Range<usize>) -> Vec<Range<usize>> {
        let (a, b) = (self.toa.block_lines(), self.quality.block_lines());
        let step = if a.max(b) % a.min(b) == 0 {
            a.max(b)
        } else {
            a.max(b).max(self.toa.shape.0)
        };
        let mut blocks = Vec::new();
        let mut at = lines.start;
        while at < lines.end {
            let next = ((at / step + 1) * step).min(lines.end);
            blocks.push(at..next);
            at = next;
        }
        blocks
    }

    /// Reads and decodes one block.
    fn fill(
        &self,
        block: Block<'_>,
        file: &File,
        bits: &[u8; 256],
        pixels: Range<usize>,
        scratch: &mut Scratch,
    ) -> Result<(), Failed<'_>> {
        let failed = |store| move |reason| Failed { store, reason };
        let lines = block.lines.clone();
        let codes = self
            .codes(file, lines.clone(), pixels.clone(), scratch)
            .map_err(failed(&self.quality))?;
        if matches!(self.toa.kind, TypeDescriptor::Integer(IntSize::U2)) {
            let counts = self
                .toa
                .read::<i16>(file, lines, pixels, scratch)
                .map_err(failed(&self.toa))?;
            self.decode(&counts, &codes, bits, block, f32::from);
        } else {
            let counts = self
                .toa
                .read::<f32>(file, lines, pixels, scratch)
                .map_err(failed(&self.toa))?;
            self.decode(&counts, &codes, bits, block, |v| v);
        }
        Ok(())
    }

    fn decode<T: Copy>(
        &self,
        counts: &Array2<T>,
        codes: &Array2<u8>,
        bits: &[u8; 256],
        mut block: Block<'_>,
        to_f32: impl Fn(T) -> f32,
    ) {
        let scale = self.packing.scale as f32;
        let offset = self.packing.offset as f32;
        let no_data = self.packing.no_data as f32;
        let rows = (block.toa.rows_mut().into_iter()).zip(block.flags.rows_mut());
        for ((toa, flags), (counts, codes)) in rows.zip(counts.rows().into_iter().zip(codes.rows()))
        {
            // windows and blocks are contiguous: plain slices, which the compiler turns into vectors
            let (Some(toa), Some(flags)) = (toa.into_slice(), flags.into_slice()) else {
                continue;
            };
            let (Some(counts), Some(codes)) = (counts.to_slice(), codes.to_slice()) else {
                continue;
            };
            for (flag, &code) in flags.iter_mut().zip(codes) {
                *flag = bits[usize::from(code)];
            }
            for ((value, flag), &count) in toa.iter_mut().zip(flags).zip(counts) {
                let count = to_f32(count);
                let empty = (count == no_data) | !count.is_finite();
                *flag |= if empty { quality::MISSING } else { 0 };
                let missing = *flag & quality::MISSING != 0;
                *value = if missing {
                    f32::NAN
                } else {
                    (count - offset) / scale
                };
            }
        }
    }
}
