//! A product folder being filled.

use super::geotiff::{self, Layer, Sample};
use super::layers::LayerSpec;
use super::publish::Staging;
use super::record::{self, RUN};
use super::stac::asset::{self, Fingerprint};
use super::stac::item::Summary;
use super::{AcquisitionId, ProductError, checksums, stac};
use crate::types::grid::GridSpec;
use ndarray::ArrayView2;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Layers and files become STAC assets as they are written.
pub(super) struct Folder {
    staging: Staging,
    id: AcquisitionId,
    grid: GridSpec,
    pub(super) assets: Map<String, Value>,
}

impl Folder {
    pub(super) fn begin(
        target: &Path,
        id: &AcquisitionId,
        grid: GridSpec,
    ) -> Result<Folder, ProductError> {
        Ok(Folder {
            staging: Staging::begin(target)?,
            id: *id,
            grid,
            assets: Map::new(),
        })
    }

    pub(super) fn layer<T: Sample>(
        &mut self,
        spec: &LayerSpec,
        data: &[ArrayView2<'_, T>],
    ) -> Result<(), ProductError> {
        let name = self.id.file_name(spec.name);
        let bands: Vec<_> = spec
            .bands
            .iter()
            .zip(data)
            .enumerate()
            .map(|(k, (name, data))| Layer {
                name,
                data: data.view(),
                scale: spec.scale_of(k),
                nodata: spec.nodata.map(f64::from),
            })
            .collect();
        let tags = spec.tags(&self.id.to_string());
        let bytes = geotiff::encode(Path::new(&name), &self.grid, &bands, spec.overviews, &tags)?;
        let sum = self.staging.write_summed(&name, &bytes)?;
        let file = Fingerprint::new(bytes.len(), &sum);
        let asset = asset::layer(spec, &name, &self.grid, &file);
        self.assets.insert(spec.name.to_string(), asset);
        Ok(())
    }

    pub(super) fn picture(&mut self, title: &str, png: &[u8]) -> Result<(), ProductError> {
        let name = format!("{}_QUICKLOOK.png", self.id);
        let sum = self.staging.write_summed(&name, png)?;
        let asset = asset::plain(&name, "image/png", title, &["thumbnail", "overview"]);
        let asset = asset::with_fingerprint(asset, &Fingerprint::new(png.len(), &sum));
        self.assets.insert("QUICKLOOK".to_string(), asset);
        Ok(())
    }

    /// The run record goes without a checksum: its timings differ from run to run, items do not. The counts of
    /// `summary` stand in where the caller's facts have none.
    pub(super) fn record(
        &mut self,
        source: Option<&str>,
        facts: Value,
        summary: &Summary,
    ) -> Result<(), ProductError> {
        let mut run = record::named(&self.id.to_string(), source, facts);
        if run["counts"].is_null() {
            run["counts"] = summary.properties();
        }
        self.staging.write(RUN, &checksums::seal(&mut run))?;
        let asset = asset::plain(RUN, "application/json", "Record of the run", &["metadata"]);
        self.assets.insert("RUN".to_string(), asset);
        Ok(())
    }

    pub(super) fn finish(self, item: Value) -> Result<PathBuf, ProductError> {
        self.staging.write(stac::ITEM, &stac::to_bytes(&item))?;
        self.staging.publish()
    }
}
