//! One file of the index: items of one collection and UTM zone as GeoParquet, sorted by tile and time.

mod read;
mod write;

pub(super) use read::{Columns, PartFile, lines};
pub(super) use write::write;

use super::geometry::Bbox;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the list of files knows of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    /// Path below `OUT/items`.
    pub file: String,
    /// Collection of its items.
    pub collection: String,
    /// UTM zone of its items, 0 where they have none.
    pub zone: u8,
    /// Number of items.
    pub items: usize,
    /// Items among them that were imported.
    pub imported: usize,
    /// West, south, east, north of all footprints, degrees; absent where no item has one.
    pub bbox: Option<[f64; 4]>,
    /// A footprint crosses the antimeridian.
    pub crosses: bool,
    /// First instant, microseconds since 1970.
    pub from: i64,
    /// Last instant.
    pub to: i64,
}

impl Part {
    /// Box around its items.
    pub(super) fn around(&self) -> Option<Bbox> {
        self.bbox.map(Bbox)
    }
}

/// Name of Coordinated Universal Time that Arrow's reader and writer of JSON understand.
const OFFSET: &str = "+00:00";
/// The name that files carry.
const UTC: &str = "UTC";

/// A schema with another name of UTC in its columns of time.
fn with_zone(schema: &Schema, zone: &str) -> SchemaRef {
    let fields = schema.fields().iter().map(|f| match f.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            let named = DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()));
            Arc::new(f.as_ref().clone().with_data_type(named))
        }
        _ => f.clone(),
    });
    let fields: Vec<_> = fields.collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// A batch with another name of UTC in its columns of time.
fn rename_zone(batch: &RecordBatch, zone: &str) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let rename = |column: &ArrayRef| -> ArrayRef {
        match column.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(times) if times.timezone().is_some() => {
                Arc::new(times.clone().with_timezone(zone))
            }
            _ => column.clone(),
        }
    };
    let columns = batch.columns().iter().map(rename).collect();
    RecordBatch::try_new(with_zone(&batch.schema(), zone), columns)
}
