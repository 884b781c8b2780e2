//! The masks of one date between two passes, packed by blocks of rows: masks are smooth, and a
//! tenth of their size is typical.

use super::rows;
use crate::pipeline::error::PipelineError;
use crate::types::status::Masks;
use ndarray::{Array2, Axis, concatenate};
use std::ops::Range;

/// zstd level: the fastest, these bytes live for seconds.
const LEVEL: i32 = 1;

/// Masks of one date, block by block. Boxed, so that nothing of the room that packing needs is kept.
#[derive(Debug, Default)]
pub(super) struct Packed(Vec<Box<[u8]>>);

impl Packed {
    /// Packs whole masks.
    pub(super) fn of(masks: &Masks, blocks: &[Range<usize>]) -> Result<Packed, PipelineError> {
        let mut packed = Packed::default();
        for range in blocks {
            packed.push(&Masks {
                sm: rows(&masks.sm, range),
                qx: rows(&masks.qx, range),
                sat: rows(&masks.sat, range),
                usable: rows(&masks.usable, range),
            })?;
        }
        Ok(packed)
    }

    /// Packs one more block.
    pub(super) fn push(&mut self, masks: &Masks) -> Result<(), PipelineError> {
        let mut bytes = Vec::with_capacity(masks.sm.len() * 6);
        // low and high bytes apart: each is smoother than both together
        for layer in [&masks.sm, &masks.qx] {
            bytes.extend(layer.iter().map(|v| v.to_le_bytes()[0]));
            bytes.extend(layer.iter().map(|v| v.to_le_bytes()[1]));
        }
        bytes.extend(masks.sat.iter());
        bytes.extend(masks.usable.iter());
        let packed = zstd::bulk::compress(&bytes, LEVEL).map_err(lost)?;
        self.0.push(packed.into_boxed_slice());
        Ok(())
    }

    /// Unpacks one block.
    pub(super) fn block(&self, k: usize, width: usize) -> Result<Masks, PipelineError> {
        let packed = self.0.get(k).ok_or_else(|| lost("a block is missing"))?;
        let bytes = zstd::stream::decode_all(&packed[..]).map_err(lost)?;
        let n = bytes.len() / 6;
        let height = n / width.max(1);
        let plane = |i: usize| &bytes[i * n..(i + 1) * n];
        let byte =
            |i: usize| Array2::from_shape_vec((height, width), plane(i).to_vec()).map_err(lost);
        let word = |i: usize| {
            let words = plane(i)
                .iter()
                .zip(plane(i + 1))
                .map(|(lo, hi)| u16::from_le_bytes([*lo, *hi]))
                .collect();
            Array2::from_shape_vec((height, width), words).map_err(lost)
        };
        Ok(Masks {
            sm: word(0)?,
            qx: word(2)?,
            sat: byte(4)?,
            usable: byte(5)?,
        })
    }

    /// Unpacks all blocks.
    pub(super) fn all(&self, blocks: usize, width: usize) -> Result<Masks, PipelineError> {
        let parts: Vec<Masks> = (0..blocks)
            .map(|k| self.block(k, width))
            .collect::<Result<_, _>>()?;
        Ok(Masks {
            sm: join(parts.iter().map(|m| &m.sm))?,
            qx: join(parts.iter().map(|m| &m.qx))?,
            sat: join(parts.iter().map(|m| &m.sat))?,
            usable: join(parts.iter().map(|m| &m.usable))?,
        })
    }
}

fn join<'a, T: Clone + 'a>(
    parts: impl Iterator<Item = &'a Array2<T>>,
) -> Result<Array2<T>, PipelineError> {
    let views: Vec<_> = parts.map(|part| part.view()).collect();
    concatenate(Axis(0), &views).map_err(lost)
}

fn lost(reason: impl std::fmt::Display) -> PipelineError {
    PipelineError::Worker(format!("masks between two passes are lost: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_come_back_as_they_went() {
        let mut n = 0u32;
        let mut noise = || {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            n >> 12
        };
        let masks = Masks {
            sm: Array2::from_shape_fn((7, 5), |_| noise() as u16),
            qx: Array2::from_shape_fn((7, 5), |_| noise() as u16),
            sat: Array2::from_shape_fn((7, 5), |_| noise() as u8),
            usable: Array2::from_shape_fn((7, 5), |_| noise() as u8),
        };
        let packed = Packed::of(&masks, &[0..3, 3..6, 6..7]).unwrap();
        assert_eq!(packed.all(3, 5).unwrap(), masks);
        assert_eq!(packed.block(1, 5).unwrap().sm, rows(&masks.sm, &(3..6)));
        assert!(packed.block(3, 5).is_err());
    }
}
