//! A tile and its halo as a segment sees them.

use super::swath::{CachedSwath, GeometryOnlySwath};
use super::{HALO_MAX, Laps, SceneError, Surroundings, TileContext, Views};
use crate::sources::l1c::Swath;
use crate::stages::mask;
use crate::stages::reproject::{self, Kernel, Request, Sampling};
use crate::types::band::Band;
use crate::types::displacement::Refinement;
use crate::types::grid::{GridSpec, Margin, Resolution};
use crate::types::observation::Observation;
use crate::types::raster::Raster;

/// Share of the land seen without height from which on the user is told (chosen): below it is the rim that a DEM cut
/// to the swath's own edge leaves.
const GAP_WORTH_A_NOTE: f32 = 0.05;

/// A tile and its halo as a segment sees them: the halo is as wide as shadows of this acquisition reach, and native
/// samples are read once for all views.
pub struct SegmentViews<'a> {
    swath: CachedSwath<'a>,
    context: &'a TileContext,
    resolution: Resolution,
    kernel: Kernel,
    halo: Margin,
    gap: f32,
    refinable: bool,
    notes: Vec<String>,
}

impl<'a> SegmentViews<'a> {
    /// Looks where the segment sees the tile, and rules on what the DEM leaves bare.
    ///
    /// # Errors
    /// The tie points or the DEM are unusable; the DEM is missing and the policy says so; it leaves more land without
    /// height than is allowed.
    pub fn open(
        swath: &'a dyn Swath,
        context: &'a TileContext,
        resolution: Resolution,
        kernel: Kernel,
    ) -> Result<SegmentViews<'a>, SceneError> {
        let (ancillary, tile) = (context.ancillary(), context.tile.id);
        let mut notes = context.notes();
        if context.without_dem() {
            let what = "no DEM given (--dem)";
            ancillary
                .on_missing
                .rule(tile, what, "sea level", &mut notes)?;
        }
        let (halo, gap) = scout(swath, context)?;
        let bridged = context.bridged(&halo)?;
        if bridged > 0 {
            notes.push(format!(
                "the DEM misses a row or column between two of its files: {bridged} of its cells were interpolated"
            ));
        }
        if gap > ancillary.dem_gap {
            let names: Vec<String> = ancillary
                .dem
                .iter()
                .map(|p| p.display().to_string())
                .collect();
            return Err(SceneError::DemGap {
                file: names.join(", "),
                tile,
                percent: gap * 100.0,
            });
        }
        if gap > GAP_WORTH_A_NOTE {
            notes.push(format!(
                "the DEM has no heights for {:.0} % of the land seen: no data there",
                gap * 100.0
            ));
        }
        Ok(SegmentViews {
            swath: CachedSwath::new(swath),
            context,
            resolution,
            kernel,
            halo,
            gap,
            refinable: false,
            notes,
        })
    }

    /// Keeps native samples, and so many lines and pixels more on every side, for views that a refinement moves.
    pub fn refinable(self, margin: usize) -> Self {
        SegmentViews {
            swath: self.swath.with_margin(margin),
            refinable: true,
            ..self
        }
    }

    /// Width of the halo, 300 m pixels.
    pub fn halo(&self) -> Margin {
        self.halo
    }

    /// Share (0–1) of the observed land that has no height.
    pub fn land_without_height(&self) -> f32 {
        self.gap
    }

    /// What a user should know of the heights.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The views through a refined mapping.
    pub fn through<'v>(&'v self, refinement: Option<&'v Refinement>) -> impl Views + 'v {
        Through {
            views: self,
            refinement,
        }
    }

    /// Distances between the native samples behind each pixel of an observation on the tile's own grid.
    ///
    /// # Errors
    /// The tie points or the DEM are unusable.
    pub fn sampling(
        &self,
        refinement: Option<&Refinement>,
        observation: &Observation,
    ) -> Result<Sampling, SceneError> {
        let heights = self
            .context
            .heights_for(&observation.grid, self.resolution)?;
        let request = self.request(&heights, observation.grid);
        reproject::sampling(&self.swath, &request, refinement, observation)
            .map_err(SceneError::below)
    }

    fn request<'h>(&self, heights: &'h Raster<f32>, grid: GridSpec) -> Request<'h> {
        Request {
            grid,
            heights,
            kernel: self.kernel,
        }
    }

    fn observe(
        &self,
        grid: GridSpec,
        refinement: Option<&Refinement>,
        heights: &Raster<f32>,
    ) -> Result<Option<Observation>, SceneError> {
        reproject::observe_refined(&self.swath, &self.request(heights, grid), refinement)
            .map_err(SceneError::below)
    }

    /// Gives native samples free after the last view: only a refinement observes a second time.
    fn last_view(&self) {
        if !self.refinable {
            self.swath.forget();
        }
    }
}

/// Views through a mapping, refined or not.
struct Through<'v, 'a> {
    views: &'v SegmentViews<'a>,
    refinement: Option<&'v Refinement>,
}

impl Views for Through<'_, '_> {
    fn grid(&self) -> GridSpec {
        self.views.context.tile.grid(self.views.resolution)
    }

    fn is_cut(&self) -> bool {
        self.views.resolution == Resolution::M300
    }

    fn without_heights(&self) -> bool {
        self.views.context.without_dem()
    }

    fn around(&self, laps: &dyn Laps) -> Result<Surroundings, SceneError> {
        let views = self.views;
        let tile = &views.context.tile;
        let padded = tile.grid(Resolution::M300).widened(&views.halo);
        let heights = views.context.heights_for(&padded, views.resolution)?;
        laps.lap("terrain");
        let around = views.observe(padded, self.refinement, &heights)?;
        laps.lap("observe");
        if self.is_cut() {
            views.last_view();
        }
        Ok(around.map_or(Surroundings::Unseen, |o| Surroundings::Seen(Box::new(o))))
    }

    fn within(&self, laps: &dyn Laps) -> Result<Option<Observation>, SceneError> {
        let views = self.views;
        let grid = self.grid();
        let heights = views.context.heights(&grid)?;
        laps.lap("terrain");
        let observation = views.observe(grid, self.refinement, &heights)?;
        laps.lap("observe");
        views.last_view();
        Ok(observation)
    }
}

/// A first coarse view without samples: how wide the halo must be (300 m pixels), and the share of the land seen that
/// has no height.
fn scout(swath: &dyn Swath, context: &TileContext) -> Result<(Margin, f32), SceneError> {
    let (grid, level) = context.scout();
    let request = Request {
        grid,
        heights: &level,
        kernel: Kernel::Nearest,
    };
    let seen = reproject::observe_refined(&GeometryOnlySwath(swath), &request, None)
        .map_err(SceneError::below)?;
    let Some(seen) = seen else {
        // a sliver may lie between the points looked at
        return Ok((Margin::even(HALO_MAX), 0.0));
    };
    let halo = mask::halo_margin(&seen);
    let sees = |r, c| !seen.toa[Band::Red][(r, c)].is_nan();
    Ok((halo, context.gap(&halo, sees)?))
}
