//! A product folder being filled.

use super::geotiff::{self, Form, Layer, Sample};
use super::layers::{self, LayerSpec, acquisition_tags};
use super::publish::Staging;
use super::record::{self, RUN};
use super::stac::asset;
use super::stac::item::Summary;
use super::{AcquisitionId, ProductError, checksums, stac, style};
use crate::types::grid::GridSpec;
use crate::types::status::SM_FIELDS;
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
        let units: Vec<_> = (0..bands.len()).map(|k| spec.unit_of(k)).collect();
        let mut tags = spec.tags(&self.id.to_string());
        tags.extend(acquisition_tags(&self.id));
        let form = Form {
            overviews: spec.overviews,
            tags: &tags,
            units: &units,
            palette: &spec.palette(),
        };
        let bytes = geotiff::encode(Path::new(&name), &self.grid, &bands, &form)?;
        if let Some(names) = style::categories(spec) {
            self.staging
                .write(&format!("{name}.aux.xml"), names.as_bytes())?;
        }
        self.staging.write(&name, &bytes)?;
        self.assets
            .insert(spec.name.to_string(), asset::layer(spec, &name));
        Ok(())
    }

    /// The status map with its style.
    pub(super) fn status_map(&mut self, sm: &ArrayView2<'_, u16>) -> Result<(), ProductError> {
        self.layer(&layers::SM, &[sm.view()])?;
        let style = style::status_map(sm, SM_FIELDS);
        let name = format!("{}_{}.qml", self.id, layers::SM.name);
        self.staging.write(&name, style.as_bytes())
    }

    pub(super) fn picture(&mut self, png: &[u8]) -> Result<(), ProductError> {
        let name = format!("{}_QUICKLOOK.png", self.id);
        self.staging.write(&name, png)?;
        let asset = asset::plain(&name, "image/png", &["thumbnail", "overview"]);
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
        let asset = asset::plain(RUN, "application/json", &["metadata"]);
        self.assets.insert("RUN".to_string(), asset);
        let list = asset::plain(checksums::CHECKSUMS, "application/json", &["metadata"]);
        self.assets.insert("CHECKSUMS".to_string(), list);
        Ok(())
    }

    pub(super) fn finish(self, item: Value) -> Result<PathBuf, ProductError> {
        self.staging.write(stac::ITEM, &stac::item_bytes(&item))?;
        self.staging.publish()
    }
}
