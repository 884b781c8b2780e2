//! The strips of a swath, one after the other: each is mapped, read and resampled once.

use super::ReprojectError;
use super::cells::Cells;
use super::directions::Directions;
use super::job::{Job, Shared};
use super::layers::{StripGeometry, hidden};
use super::mapping::Mapping;
use super::nodes::Nodes;
use super::resample::{Plane, UNSEEN, farther, single};
use super::tie_point_model::TiePointModel;
use super::window::Window;
use crate::sources::l1c::Swath;
use crate::types::band::{Band, Strip};
use crate::types::displacement::{Displacement, Refinement};
use crate::types::grid::GridSpec;
use crate::types::raster::BandStack;
use ndarray::Array2;

/// The VNIR strips, the one whose angles and time stand for all of them first.
pub(super) const VNIR: [Strip; 3] = [Strip::Red, Strip::Nir, Strip::Blue];

/// What the strips of a swath are resampled with.
pub(super) struct Strips<'a> {
    /// The swath.
    pub(super) swath: &'a dyn Swath,
    /// What is removed from the mapping of each band.
    pub(super) refinement: Option<&'a Refinement>,
    /// Working grid and kernel.
    pub(super) shared: Shared<'a>,
}

/// The SWIR strips that were seen.
#[derive(Default)]
pub(super) struct Swir {
    /// Their geometry.
    pub(super) strips: [Option<StripGeometry>; 3],
    /// Which one each output pixel took, 255 for none.
    pub(super) choice: Vec<u8>,
}

impl Strips<'_> {
    /// Mapping and, if wanted, directions of a strip; `None` if it does not see the grid.
    pub(super) fn map(
        &self,
        strip: Strip,
        with_directions: bool,
    ) -> Result<Option<(Mapping, Option<Directions>)>, ReprojectError> {
        let shift = self.refinement.map(|r| r[strip.band().index()]);
        map_strip(self.swath, strip, self.shared.nodes, shift, with_directions)
    }

    /// Resamples the VNIR strips and finds what terrain hides; the first strip that is seen, with its geometry.
    pub(super) fn vnir(
        &self,
        cells: &mut Cells,
        bands: &mut Bands,
    ) -> Result<Option<(Strip, StripGeometry)>, ReprojectError> {
        let shared = self.shared;
        let mut leading: Option<(Strip, StripGeometry)> = None;
        for strip in VNIR {
            let Some((mapping, directions)) = self.map(strip, leading.is_none())? else {
                continue;
            };
            let Some(window) = read_window(self.swath, strip, &mapping, cells.factor)? else {
                continue;
            };
            if let Some(directions) = &directions {
                cells.hidden = hidden(shared.nodes, cells, shared.heights, directions, shared.isa);
            }
            let mut plane = Plane::empty(cells.grid.len(), 1);
            let job = Job {
                shared,
                cells,
                mapping: &mapping,
                window: &window,
            };
            single(&job, &mut plane);
            bands.put(strip.band(), plane.toa, plane.flags);
            if let Some(directions) = directions {
                leading = Some((
                    strip,
                    StripGeometry {
                        mapping,
                        directions,
                    },
                ));
            }
        }
        Ok(leading)
    }

    /// Resamples the SWIR strips: each pixel takes one of them.
    pub(super) fn swir(&self, cells: &Cells, bands: &mut Bands) -> Result<Swir, ReprojectError> {
        let mut strips: [Option<StripGeometry>; 3] = [None, None, None];
        let mut plane = Plane::empty(cells.grid.len(), 3);
        for (k, strip) in Strip::SWIR.into_iter().enumerate() {
            let Some((mapping, directions)) = self.map(strip, true)? else {
                continue;
            };
            let Some(window) = read_window(self.swath, strip, &mapping, cells.factor)? else {
                continue;
            };
            let job = Job {
                shared: self.shared,
                cells,
                mapping: &mapping,
                window: &window,
            };
            farther(&job, k as u8, self.swath.shape(strip).1, &mut plane);
            strips[k] = directions.map(|directions| StripGeometry {
                mapping,
                directions,
            });
        }
        if strips.iter().any(Option::is_some) {
            bands.put(Band::Swir, plane.toa, plane.flags);
        }
        Ok(Swir {
            strips,
            choice: plane.choice,
        })
    }
}

/// Values and flags of the bands that were seen.
pub(super) struct Bands {
    grid: GridSpec,
    bands: [Option<(Array2<f32>, Array2<u8>)>; 4],
}

impl Bands {
    /// None seen yet.
    pub(super) fn none(grid: GridSpec) -> Bands {
        Bands {
            grid,
            bands: [None, None, None, None],
        }
    }

    fn put(&mut self, band: Band, toa: Vec<f32>, flags: Vec<u8>) {
        self.bands[band.index()] = Some((
            square(&self.grid, toa, f32::NAN),
            square(&self.grid, flags, UNSEEN),
        ));
    }

    /// Bands side by side, an absent one unseen; `None` where no pixel of any is seen.
    pub(super) fn stacked(self) -> Option<(BandStack<f32>, BandStack<u8>)> {
        let (toa, flags) = stack(self.bands, self.grid);
        let seen = |flags: &Array2<u8>| flags.iter().any(|f| *f & UNSEEN != UNSEEN);
        flags.bands.iter().any(seen).then_some((toa, flags))
    }
}

/// Mapping and, if wanted, directions of a strip; `None` if it does not see the grid.
pub(super) fn map_strip(
    swath: &dyn Swath,
    strip: Strip,
    nodes: &Nodes,
    shift: Option<Displacement>,
    with_directions: bool,
) -> Result<Option<(Mapping, Option<Directions>)>, ReprojectError> {
    let shape = swath.shape(strip);
    if shape.0 == 0 || shape.1 == 0 {
        return Ok(None);
    }
    let ties = swath.ties(strip)?;
    let range = (
        nodes.heights.0 - nodes.heights.1,
        nodes.heights.0 + nodes.heights.1,
    );
    let Some(model) = TiePointModel::new(strip, &ties, &nodes.frame, nodes.bounds(), range)? else {
        return Ok(None);
    };
    let Some(mapping) = Mapping::new(nodes, model, shape, shift) else {
        return Ok(None);
    };
    let directions = with_directions.then(|| Directions::new(nodes, &mapping, &ties));
    Ok(Some((mapping, directions)))
}

/// Samples of a strip, ready for means where they are made.
pub(super) fn read_window(
    swath: &dyn Swath,
    strip: Strip,
    mapping: &Mapping,
    factor: usize,
) -> Result<Option<Window>, ReprojectError> {
    let mut window = Window::read(swath, strip, mapping.reach)?;
    if let Some(window) = window.as_mut().filter(|_| factor > 1) {
        window.survey();
    }
    Ok(window)
}

/// Bands side by side; an absent one is unseen.
fn stack(
    bands: [Option<(Array2<f32>, Array2<u8>)>; 4],
    grid: GridSpec,
) -> (BandStack<f32>, BandStack<u8>) {
    let shape = (grid.height, grid.width);
    let pairs = bands.map(|b| {
        b.unwrap_or_else(|| {
            (
                Array2::from_elem(shape, f32::NAN),
                Array2::from_elem(shape, UNSEEN),
            )
        })
    });
    let [a, b, c, d] = pairs;
    (
        BandStack {
            grid,
            bands: [a.0, b.0, c.0, d.0],
        },
        BandStack {
            grid,
            bands: [a.1, b.1, c.1, d.1],
        },
    )
}

/// Values row by row as an array; `none` everywhere if they are not as many as the pixels.
pub(super) fn square<T: Clone>(grid: &GridSpec, values: Vec<T>, none: T) -> Array2<T> {
    let shape = (grid.height, grid.width);
    Array2::from_shape_vec(shape, values).unwrap_or_else(|_| Array2::from_elem(shape, none))
}
