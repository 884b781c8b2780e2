//! Checks of the inputs before anything is computed.

use crate::sources::tables::RtTable;
use crate::stages::atmosphere::AtmosphereError;
use crate::stages::atmosphere::angles::used_nodes;
use crate::types::geometry::EastNorth;
use crate::types::grid::NodeGrid;
use crate::types::observation::Observation;
use crate::types::radiative_transfer::AtmosphereState;
use ndarray::Array2;

/// A quantity and the values it can have.
struct Quantity {
    name: &'static str,
    unit: &'static str,
    low: f32,
    high: f32,
}

// ranges are chosen wider than any atmosphere on record, so that a value in another unit falls outside; slightly negative
// values come from packing, sums of shares from rounding
const AOD550: Quantity = Quantity {
    name: "AOD550",
    unit: "",
    low: -0.01,
    high: 10.0,
};
// chosen, as above
const OZONE: Quantity = Quantity {
    name: "ozone",
    unit: "cm-atm",
    low: 0.05,
    high: 0.8,
};
// chosen, as above
const WATER: Quantity = Quantity {
    name: "water vapour",
    unit: "g cm⁻²",
    low: -0.01,
    high: 10.0,
};
// chosen, as above
const SHARE: Quantity = Quantity {
    name: "share of an aerosol type",
    unit: "",
    low: 0.0,
    high: 1.001,
};
// chosen, as above
const MODEL_HEIGHT: Quantity = Quantity {
    name: "model height",
    unit: "m",
    low: -1000.0,
    high: 9000.0,
};

/// Grids, camera, shapes and values fit together.
pub(super) fn inputs(
    table: &RtTable,
    obs: &Observation,
    state: &AtmosphereState,
) -> Result<(), AtmosphereError> {
    if state.nodes.grid != obs.grid || state.nodes.step == 0 {
        return Err(AtmosphereError::Grid {
            source_file: obs.source.clone(),
        });
    }
    if table.camera() != obs.camera {
        return Err(AtmosphereError::Camera {
            table: table.camera(),
            camera: obs.camera,
            source_file: obs.source.clone(),
        });
    }
    let shape = |field, found: &[usize], expected: (usize, usize)| {
        if found == [expected.0, expected.1] {
            Ok(())
        } else {
            Err(AtmosphereError::Shape {
                field,
                found: found.to_vec(),
                expected: vec![expected.0, expected.1],
            })
        }
    };
    let pixels = (obs.grid.height, obs.grid.width);
    let a = &obs.angles;
    for (name, field) in [
        ("solar zenith", &a.sza),
        ("solar azimuth", &a.saa),
        ("VNIR view zenith", &a.vnir_vza),
        ("VNIR view azimuth", &a.vnir_vaa),
        ("SWIR view zenith", &a.swir_vza),
        ("SWIR view azimuth", &a.swir_vaa),
        ("height", &obs.height),
    ] {
        shape(name, field.shape(), pixels)?;
    }
    for band in &obs.toa.bands {
        shape("TOA reflectance", band.shape(), pixels)?;
    }
    let at_nodes = state.nodes.shape();
    let used = used_nodes(&state.nodes, |r, c| obs.is_observed(r, c));
    for (quantity, field) in [
        (&AOD550, &state.aod550),
        (&OZONE, &state.ozone),
        (&WATER, &state.tcwv),
    ] {
        shape(quantity.name, field.shape(), at_nodes)?;
        quantity.check(field, &used, &state.nodes)?;
    }
    for share in state.shares.iter().flatten() {
        shape(SHARE.name, share.shape(), at_nodes)?;
        SHARE.check(share, &used, &state.nodes)?;
    }
    if let Some(z) = &state.model_height {
        shape(MODEL_HEIGHT.name, z.shape(), at_nodes)?;
        MODEL_HEIGHT.check(z, &used, &state.nodes)?;
    }
    Ok(())
}

impl Quantity {
    /// Every value at a node in use is within the range.
    fn check(
        &self,
        field: &Array2<f32>,
        used: &Array2<bool>,
        nodes: &NodeGrid,
    ) -> Result<(), AtmosphereError> {
        let Quantity {
            name,
            unit,
            low,
            high,
        } = *self;
        match field
            .indexed_iter()
            .find(|(ij, v)| used[*ij] && !(low..=high).contains(*v))
        {
            None => Ok(()),
            Some(((i, j), &value)) => {
                let EastNorth {
                    east: easting,
                    north: northing,
                } = nodes.position(i, j);
                Err(AtmosphereError::Implausible {
                    variable: name,
                    value,
                    unit,
                    low,
                    high,
                    easting,
                    northing,
                })
            }
        }
    }
}
