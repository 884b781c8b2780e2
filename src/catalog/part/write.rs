//! Writes a file of the index.

use super::{OFFSET, Part, UTC, rename_zone, with_zone};
use crate::catalog::CatalogError;
use crate::catalog::spill::Spill;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

/// Rows of a row group. Chosen: about what one tile holds in a full archive, so that a search by tile reads one or two.
const ROW_GROUP: usize = 4096;
/// Rows of a page. Chosen: a few matches cost the decoding of few others.
const PAGE: usize = 512;
/// Rows turned into columns at once. Chosen: a few MB.
const BATCH: usize = 1024;
/// Version of stac-geoparquet that the file follows.
const SPECIFICATION: &str = "1.1.0";

/// Writes the rows of a spill to `root/file`: under a temporary name, synced, renamed.
///
/// # Errors
/// [`CatalogError::Write`], [`CatalogError::Damaged`] for rows that do not fit their columns.
pub(in crate::catalog) fn write(
    root: &Path,
    file: &str,
    (collection, zone): (&str, u8),
    spill: &mut Spill,
) -> Result<Part, CatalogError> {
    let path = root.join(file);
    let folder = path.parent().unwrap_or(root);
    fs::create_dir_all(folder).map_err(CatalogError::write(folder))?;
    let temporary = tempfile::Builder::new()
        .prefix(".tmp-")
        // the mask of the process takes away what the user does not want
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(CatalogError::write(folder))?;
    let mut part = Part {
        file: file.to_string(),
        collection: collection.to_string(),
        zone,
        items: spill.len(),
        imported: spill.imported(),
        bbox: None,
        crosses: false,
        from: i64::MAX,
        to: i64::MIN,
    };
    fill(&path, temporary.as_file(), &mut part, spill)?;
    temporary
        .as_file()
        .sync_all()
        .map_err(CatalogError::write(&path))?;
    temporary
        .persist(&path)
        .map_err(|e| CatalogError::write(&path)(e.error))?;
    Ok(part)
}

fn fill(path: &Path, file: &File, part: &mut Part, spill: &mut Spill) -> Result<(), CatalogError> {
    let wrong = |e: &dyn std::fmt::Display| CatalogError::damaged(path)(e);
    let schema = Arc::new(spill.shape().schema());
    let mut decoder = arrow_json::ReaderBuilder::new(with_zone(&schema, OFFSET))
        .with_batch_size(BATCH)
        .build_decoder()
        .map_err(|e| wrong(&e))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_data_page_row_count_limit(PAGE)
        .set_write_batch_size(PAGE)
        .set_created_by(concat!("probav-ard ", env!("CARGO_PKG_VERSION")).to_string())
        .build();
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(|e| wrong(&e))?;
    let mut types = BTreeSet::new();
    let mut emit = |batch: RecordBatch| -> Result<(), CatalogError> {
        let batch = rename_zone(&batch, UTC).map_err(|e| wrong(&e))?;
        extend(part, &mut types, &batch);
        writer.write(&batch).map_err(|e| wrong(&e))
    };
    spill.in_order(|key, line| {
        decoder
            .decode(line)
            .map_err(|e| wrong(&format!("{}: {e}", key.id)))?;
        if decoder.len() >= BATCH
            && let Some(batch) = decoder.flush().map_err(|e| wrong(&e))?
        {
            emit(batch)?;
        }
        Ok(())
    })?;
    if let Some(batch) = decoder.flush().map_err(|e| wrong(&e))? {
        emit(batch)?;
    }
    let mut geometry = json!({
        "encoding": "WKB",
        "geometry_types": types,
        "covering": { "bbox": {
            "xmin": ["bbox", "xmin"], "ymin": ["bbox", "ymin"], "xmax": ["bbox", "xmax"], "ymax": ["bbox", "ymax"],
        } },
    });
    if let Some(bbox) = part.bbox {
        geometry["bbox"] = json!(bbox);
    }
    let geo = json!({ "version": "1.1.0", "primary_column": "geometry", "columns": { "geometry": geometry } });
    let stac = json!({ "version": SPECIFICATION });
    for (key, value) in [("geo", geo), ("stac-geoparquet", stac)] {
        writer.append_key_value_metadata(KeyValue::new(key.to_string(), value.to_string()));
    }
    writer.close().map_err(|e| wrong(&e))?;
    Ok(())
}

/// Takes the footprints and times of a batch into what is known of the file.
fn extend(part: &mut Part, types: &mut BTreeSet<&'static str>, batch: &RecordBatch) {
    let columns = super::Columns::of(batch);
    for row in 0..batch.num_rows() {
        if let Some((from, to)) = columns.times(row) {
            part.from = part.from.min(from);
            part.to = part.to.max(to);
        }
        if let Some(bbox) = columns.bbox(row) {
            part.crosses |= bbox.crosses();
            part.bbox = Some(part.around().map_or(bbox, |b| b.around(&bbox)).0);
        }
    }
    if part.bbox.is_some_and(|b| b[0] > b[2])
        && let Some(b) = &mut part.bbox
    {
        (b[0], b[2]) = (-180.0, 180.0);
    }
    let geometries = batch
        .column_by_name("geometry")
        .and_then(|c| c.as_binary_opt::<i32>());
    for bytes in geometries.into_iter().flat_map(|g| g.iter().flatten()) {
        types.extend(type_of(bytes));
    }
}

/// Name of the type of a geometry in little-endian well-known binary (OGC 06-103r4, table 1).
fn type_of(bytes: &[u8]) -> Option<&'static str> {
    let code = u32::from_le_bytes(bytes.get(1..5)?.try_into().ok()?);
    let names = [
        "Point",
        "LineString",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiPolygon",
        "GeometryCollection",
    ];
    names
        .get(usize::try_from(code).ok()?.checked_sub(1)?)
        .copied()
}
