//! A block of the stack on its way to disk.

use ndarray::{ArrayView2, ArrayView3, s};
use std::ops::Range;

/// A block of the stack: some steps of some rows, all columns. Shapes are (step, row, column); values and
/// no data as in [`super::VARIABLES`].
#[derive(Debug, Clone)]
pub struct StackRows<'a> {
    /// Surface reflectance counts, BLUE RED NIR SWIR.
    pub rho: [ArrayView3<'a, i16>; 4],
    /// 1 σ counts, same order.
    pub unc: [ArrayView3<'a, u16>; 4],
    /// PROVENANCE.
    pub provenance: ArrayView3<'a, u8>,
    /// DAYS.
    pub days: ArrayView3<'a, u8>,
    /// N100.
    pub n100: ArrayView3<'a, u8>,
    /// N300.
    pub n300: ArrayView3<'a, u8>,
}

impl StackRows<'_> {
    /// The first shape that differs from `expected`.
    pub(super) fn odd_shape(
        &self,
        expected: (usize, usize, usize),
    ) -> Option<(usize, usize, usize)> {
        let bytes = [&self.provenance, &self.days, &self.n100, &self.n300];
        let dims = self.rho.iter().map(|a| a.dim());
        let dims = dims.chain(self.unc.iter().map(|a| a.dim()));
        dims.chain(bytes.iter().map(|a| a.dim()))
            .find(|d| *d != expected)
    }

    /// Bytes of the steps `steps` of one row of a variable, order (step, column).
    pub(super) fn bytes(&self, variable: usize, steps: Range<usize>, row: usize) -> Vec<u8> {
        let cut = s![steps.start..steps.end, row, ..];
        match variable {
            0..4 => native(self.rho[variable].slice(cut), i16::to_ne_bytes),
            4..8 => native(self.unc[variable - 4].slice(cut), u16::to_ne_bytes),
            8 => native(self.provenance.slice(cut), u8::to_ne_bytes),
            9 => native(self.days.slice(cut), u8::to_ne_bytes),
            10 => native(self.n100.slice(cut), u8::to_ne_bytes),
            _ => native(self.n300.slice(cut), u8::to_ne_bytes),
        }
    }
}

fn native<T: Copy, const N: usize>(values: ArrayView2<'_, T>, bytes: fn(T) -> [u8; N]) -> Vec<u8> {
    let mut out = vec![0; values.len() * N];
    for (place, v) in out.chunks_exact_mut(N).zip(values) {
        place.copy_from_slice(&bytes(*v));
    }
    out
}
