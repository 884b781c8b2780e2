//! Where each value comes from: provenance, days to the nearest acquisition, numbers of acquisitions.

use super::axis::AcquisitionTime;
use super::block::FineBlock;
use super::cube::{CoarseCube, known};
use super::model::WindowModel;
use super::output::RowOut;
use super::pixel::{GroupPlace, Observation};
use super::provenance;
use super::simd::LANES;

/// Days of a step (definition: docs/sources/fusion.md, Calendar).
const STEP: i32 = 5;
/// Day within a step that holds its centre (definition).
const MIDDLE: i32 = 2;
/// Largest number of days told apart (definition: of the layer `days`).
const FAR: i32 = 254;
/// Bits of the days in a code of [`CoarseCube::seen`] (definition).
const DAYS: u8 = 31;

/// Work space of one thread: 100 m days (as bits) and numbers per step of a group.
#[derive(Debug, Default)]
pub(super) struct Origins {
    days: Vec<[u8; LANES]>,
    numbers: Vec<[u8; LANES]>,
}

impl Origins {
    /// Provenance, days to the nearest acquisition, numbers of acquisitions; empties what was never covered.
    #[inline(always)]
    pub(super) fn write(
        &mut self,
        model: &WindowModel,
        seen: &[Observation],
        place: GroupPlace,
        block: &FineBlock,
        out: &mut RowOut,
    ) {
        let GroupPlace { row, col, .. } = place;
        let cube = &model.cube;
        self.count_fine(model, seen);
        for l in 0..LANES.min(block.cols - col) {
            let pixel = Pixel {
                row: row / 3,
                cell: (col + l) / 3,
                lane: l,
                first: col + l,
                width: block.width,
            };
            let cell = pixel.row * cube.cols + pixel.cell;
            if !model.covered[cell] {
                out.empty(&pixel, 0..4);
                continue;
            }
            if !cube.swir {
                out.empty(&pixel, 3..4);
            }
            let donor = cube.known[cell] == known::DONOR;
            self.look_back(cube, &pixel, donor, out);
            self.look_ahead(cube, &pixel, out);
        }
    }

    /// Days and numbers of the 100 m acquisitions of a group, per step.
    #[inline(always)]
    fn count_fine(&mut self, model: &WindowModel, seen: &[Observation]) {
        self.days.clear();
        self.days.resize(model.cube.steps, [0; LANES]);
        self.numbers.clear();
        self.numbers.resize(model.cube.steps, [0; LANES]);
        for s in seen {
            let m: &AcquisitionTime = &model.times[s.date];
            for l in 0..LANES {
                if s.fit_weight[l] > 0.0 {
                    self.days[m.step][l] |= 1 << m.day;
                    self.numbers[m.step][l] = self.numbers[m.step][l].saturating_add(1);
                }
            }
        }
    }

    /// Numbers, provenance and days to the nearest acquisition of the step or before it.
    #[inline(always)]
    fn look_back(&self, cube: &CoarseCube, pixel: &Pixel, donor: bool, out: &mut RowOut) {
        let mut last: Option<i32> = None;
        for t in 0..cube.steps {
            let at = pixel.at(t);
            let coarse = cube.seen_at(pixel.row, t, pixel.cell);
            let (n100, n300) = (self.numbers[t][pixel.lane], coarse >> 5);
            let mask = self.days[t][pixel.lane] | (coarse & DAYS);
            let day = t as i32 * STEP;
            let here = nearest_day(mask);
            let past = last.map(|d| day + MIDDLE - d);
            let gap = match (here, past) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            out.days[at] = gap.map_or(u8::MAX, |g| g.clamp(0, FAR) as u8);
            out.n100[at] = n100;
            out.n300[at] = n300;
            out.provenance[at] = if donor {
                provenance::NEIGHBOUR
            } else if n100 > 0 {
                provenance::OBSERVED
            } else if n300 > 0 {
                provenance::FUSED_300M
            } else if last.is_some() {
                provenance::PREDICTED
            } else {
                provenance::EXTRAPOLATED
            };
            if mask != 0 {
                last = Some(day + 7 - mask.leading_zeros() as i32);
            }
        }
    }

    /// Days to the next acquisition where it is nearer; what has none after it is extrapolated.
    #[inline(always)]
    fn look_ahead(&self, cube: &CoarseCube, pixel: &Pixel, out: &mut RowOut) {
        let mut next: Option<i32> = None;
        for t in (0..cube.steps).rev() {
            let at = pixel.at(t);
            let mask = self.days[t][pixel.lane] | (cube.seen_at(pixel.row, t, pixel.cell) & DAYS);
            let day = t as i32 * STEP;
            match next {
                Some(d) => {
                    let g = (d - day - MIDDLE).clamp(0, FAR) as u8;
                    out.days[at] = out.days[at].min(g);
                }
                None if out.provenance[at] == provenance::PREDICTED => {
                    out.provenance[at] = provenance::EXTRAPOLATED;
                }
                None => {}
            }
            if mask != 0 {
                next = Some(day + mask.trailing_zeros() as i32);
            }
        }
    }
}

/// One pixel of a row, and the cell it lies in.
pub(super) struct Pixel {
    /// Row and column of the cell.
    row: usize,
    cell: usize,
    /// Lane of its group.
    lane: usize,
    /// Its place in the first step of a row's arrays, and how many values further the next step is.
    first: usize,
    pub width: usize,
}

impl Pixel {
    /// Its place in a step of a row's arrays.
    #[inline(always)]
    pub(super) fn at(&self, step: usize) -> usize {
        step * self.width + self.first
    }
}

/// Days from the step's middle to the nearest day of a mask.
#[inline(always)]
fn nearest_day(mask: u8) -> Option<i32> {
    match mask {
        0 => None,
        m if m & 0b00100 != 0 => Some(0),
        m if m & 0b01010 != 0 => Some(1),
        _ => Some(2),
    }
}
