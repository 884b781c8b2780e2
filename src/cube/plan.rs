//! What a request means on the disk at hand.

use super::area::Edges;
use super::axis::{TimeAxis, overpasses, steps_of};
use super::grid::{self, Layout};
use super::holdings::{self, Holding, Store};
use super::source::Problems;
use super::variables::{CubeVariable, resolve};
use super::{CubeError, MaskRule, Request, Resample, Source};
use crate::types::grid::{GridSpec, TileId};
use std::path::Path;

/// A cube that can be written: where, when and what, with its size.
#[derive(Debug)]
pub struct Plan {
    pub(super) source: Source,
    pub(super) layout: Layout,
    pub(super) axis: TimeAxis,
    pub(super) variables: Vec<CubeVariable>,
    pub(super) mask: MaskRule,
    pub(super) resample: Resample,
    pub(super) holdings: Vec<Holding>,
    pub(super) edges: Option<Edges>,
    pub(super) problems: Problems,
}

/// Finds tiles, grid and steps of a request below the output folder `root`. Reads metadata only.
///
/// ```
/// use probav_ard::cube::{Area, CubeError, GridChoice, Request, Resample, Source, plan};
/// # let folder = tempfile::tempdir().unwrap();
/// # let root = folder.path();
/// let request = Request {
///     area: Area::Points(vec![(4.35, 50.85)]),
///     source: Source::Stack,
///     from: None,
///     to: None,
///     variables: vec!["red".to_string(), "NDVI".to_string()],
///     mask: None,
///     grid: GridChoice::default(),
///     resample: Resample::Nearest,
/// };
/// // nothing was made below `root` yet
/// assert!(matches!(plan(root, &request), Err(CubeError::NoData(_))));
/// ```
///
/// # Errors
/// [`CubeError::Request`] for what contradicts itself or does not exist, [`CubeError::NoData`] where or when there is
/// nothing, [`CubeError::Product`] when a folder cannot be listed.
pub fn plan(root: &Path, request: &Request) -> Result<Plan, CubeError> {
    let source = request.source;
    let variables = resolve(source, &request.variables)?;
    let mask = request.mask.unwrap_or(MaskRule::of(source));
    if matches!(
        (mask, source),
        (MaskRule::Usable, Source::Stack)
            | (
                MaskRule::Observed,
                Source::Acquisitions100 | Source::Acquisitions300
            )
    ) {
        return Err(CubeError::Request(format!(
            "{} has no mask '{}'; the stack has 'observed', acquisitions have 'usable', both 'none'",
            source.name(),
            mask.name()
        )));
    }
    if let (Some(from), Some(to)) = (request.from, request.to)
        && from > to
    {
        return Err(CubeError::Request(format!(
            "the first day {from} comes after the last, {to}"
        )));
    }
    if let super::Area::Points(points) = &request.area
        && let Some(p) = points
            .iter()
            .find(|p| !(-90.0..=90.0).contains(&p.1) || !(-360.0..=360.0).contains(&p.0))
    {
        return Err(CubeError::Request(format!(
            "{},{} is no longitude and latitude",
            p.0, p.1
        )));
    }
    let problems = Problems::default();
    let mut holdings = holdings::find(root, &request.area, source, &problems)?;
    if holdings.is_empty() {
        return Err(match problems.list() {
            none if none.is_empty() => {
                CubeError::NoData(format!("nothing of {} lies in the area", source.name()))
            }
            some => CubeError::Unreadable(some.join("; ")),
        });
    }
    let axis = axis(&holdings, request)?;
    let layout = grid::choose(&request.area, &request.grid, source, &mut holdings)?;
    let edges = match request.area.polygons() {
        [] => None,
        polygons => Some(Edges::of(polygons)),
    };
    Ok(Plan {
        source,
        layout,
        axis,
        variables,
        mask,
        resample: request.resample,
        holdings,
        edges,
        problems,
    })
}

fn axis(holdings: &[Holding], request: &Request) -> Result<TimeAxis, CubeError> {
    let mut steps: Option<std::ops::Range<i32>> = None;
    let mut ids = Vec::new();
    for holding in holdings {
        match &holding.store {
            Store::Stack(stack) => {
                let own = stack.steps();
                steps = Some(match steps {
                    None => own,
                    Some(s) => s.start.min(own.start)..s.end.max(own.end),
                });
            }
            Store::Acquisitions { ids: own, .. } => ids.extend_from_slice(own),
        }
    }
    let (all, cut) = match steps {
        Some(all) => {
            let cut = steps_of(all.clone(), request.from, request.to);
            (TimeAxis::Steps(all), TimeAxis::Steps(cut))
        }
        None => (
            TimeAxis::Overpasses(overpasses(ids.clone(), None, None)),
            TimeAxis::Overpasses(overpasses(ids, request.from, request.to)),
        ),
    };
    match cut.is_empty() || all.is_empty() {
        false => Ok(cut),
        true => Err(CubeError::NoData(match all.len().checked_sub(1) {
            None => "the products in the area have no steps".to_string(),
            Some(last) => format!(
                "nothing lies in these days: the products in the area reach from {} to {}",
                all.span(0).start.date_naive(),
                all.span(last).end.date_naive()
            ),
        })),
    }
}

impl Plan {
    /// The grid; `None` for points.
    pub fn grid(&self) -> Option<GridSpec> {
        match &self.layout {
            Layout::Grid { grid, .. } => Some(*grid),
            Layout::Points(_) => None,
        }
    }

    /// The tile whose grid it is, where it is one's.
    pub fn home(&self) -> Option<TileId> {
        match &self.layout {
            Layout::Grid { home, .. } => home.map(|k| self.holdings[k].tile),
            Layout::Points(_) => None,
        }
    }

    /// Tiles that values may come from, sorted by name.
    pub fn tiles(&self) -> Vec<TileId> {
        self.holdings.iter().map(|h| h.tile).collect()
    }

    /// The steps.
    pub fn axis(&self) -> &TimeAxis {
        &self.axis
    }

    /// The variables, in the order asked for.
    pub fn variables(&self) -> &[CubeVariable] {
        &self.variables
    }

    /// Pixels × steps × variables.
    pub fn cells(&self) -> u64 {
        let (rows, cols) = self.layout.shape();
        [rows, cols, self.axis.len(), self.variables.len()]
            .into_iter()
            .fold(1, |n: u64, k| n.saturating_mul(k as u64))
    }
}
