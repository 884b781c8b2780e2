//! Reads a file of the index: a few columns of the rows that may match, or whole rows.

use super::{OFFSET, rename_zone};
use crate::catalog::CatalogError;
use crate::catalog::geometry::{self, Bbox};
use crate::catalog::shape::Shape;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StructArray};
use arrow_schema::SchemaRef;
use geo::Geometry;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::arrow::{ProjectionMask, parquet_column};
use parquet::file::metadata::PageIndexPolicy;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Rows read at once.
const BATCH: usize = 1024;

/// An open file of the index.
#[derive(Debug)]
pub(in crate::catalog) struct PartFile {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
}

/// Lowest and highest text or number of a column in a row group, where the file tells.
pub(in crate::catalog) type Range<T> = Option<(T, T)>;

impl PartFile {
    /// Opens a file and reads what it says of itself.
    ///
    /// # Errors
    /// [`CatalogError::Read`], [`CatalogError::Damaged`].
    pub(in crate::catalog) fn open(path: &Path) -> Result<PartFile, CatalogError> {
        let file = File::open(path).map_err(CatalogError::read(path))?;
        let options = ArrowReaderOptions::new().with_offset_index_policy(PageIndexPolicy::Optional);
        let metadata =
            ArrowReaderMetadata::load(&file, options).map_err(CatalogError::damaged(path))?;
        Ok(PartFile {
            path: path.to_path_buf(),
            file,
            metadata,
        })
    }

    /// The columns.
    pub(in crate::catalog) fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// The shape of its rows.
    pub(in crate::catalog) fn shape(&self) -> Shape {
        Shape::of_schema(self.schema())
    }

    /// Number of row groups.
    pub(in crate::catalog) fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Index of the first row of a row group.
    pub(in crate::catalog) fn first_row(&self, group: usize) -> usize {
        let rows =
            |g| usize::try_from(self.metadata.metadata().row_group(g).num_rows()).unwrap_or(0);
        (0..group).map(rows).sum()
    }

    /// Lowest and highest text of a column, a row group an entry.
    pub(in crate::catalog) fn texts(&self, column: &str) -> Vec<Range<String>> {
        self.ranges(column, |a, i| {
            let a = a.as_string_opt::<i32>()?;
            a.is_valid(i).then(|| a.value(i).to_string())
        })
    }

    /// Lowest and highest time of a column, microseconds since 1970.
    pub(in crate::catalog) fn times(&self, column: &str) -> Vec<Range<i64>> {
        self.ranges(column, |a, i| {
            let a = a.as_primitive_opt::<TimestampMicrosecondType>()?;
            a.is_valid(i).then(|| a.value(i))
        })
    }

    /// Lowest and highest number of a column.
    pub(in crate::catalog) fn numbers(&self, column: &str) -> Vec<Range<f64>> {
        self.ranges(column, |a, i| {
            if let Some(a) = a.as_primitive_opt::<Float64Type>() {
                return a.is_valid(i).then(|| a.value(i));
            }
            let a = a.as_primitive_opt::<Int64Type>()?;
            a.is_valid(i).then(|| a.value(i) as f64)
        })
    }

    fn ranges<T>(
        &self,
        column: &str,
        get: impl Fn(&ArrayRef, usize) -> Option<T>,
    ) -> Vec<Range<T>> {
        let parquet = self.metadata.metadata();
        let groups = parquet.row_groups();
        let read = || -> Option<(ArrayRef, ArrayRef)> {
            let schema = parquet.file_metadata().schema_descr();
            parquet_column(schema, self.schema(), column)?;
            let statistics = StatisticsConverter::try_new(column, self.schema(), schema).ok()?;
            Some((
                statistics.row_group_mins(groups).ok()?,
                statistics.row_group_maxes(groups).ok()?,
            ))
        };
        let Some((lowest, highest)) = read() else {
            return groups.iter().map(|_| None).collect();
        };
        (0..groups.len())
            .map(|i| Some((get(&lowest, i)?, get(&highest, i)?)))
            .collect()
    }

    /// Lowest and highest west, south, east and north of the footprints, a row group an entry.
    pub(in crate::catalog) fn boxes(&self) -> Vec<Range<Bbox>> {
        let parquet = self.metadata.metadata();
        let schema = parquet.file_metadata().schema_descr();
        let at = |side: &str| {
            let is_side =
                |c: &parquet::schema::types::ColumnDescPtr| c.path().parts() == ["bbox", side];
            schema.columns().iter().position(is_side)
        };
        let sides = ["xmin", "ymin", "xmax", "ymax"].map(at);
        let of_group = |group: &parquet::file::metadata::RowGroupMetaData| {
            let (mut low, mut high) = ([0.0; 4], [0.0; 4]);
            for (i, side) in sides.iter().enumerate() {
                let statistics = group.column((*side)?).statistics()?;
                let parquet::file::statistics::Statistics::Double(s) = statistics else {
                    return None;
                };
                (low[i], high[i]) = (*s.min_opt()?, *s.max_opt()?);
            }
            Some((Bbox(low), Bbox(high)))
        };
        parquet.row_groups().iter().map(of_group).collect()
    }

    /// Reads columns (all where `None`) of row groups (all where `None`), of them selected rows only.
    ///
    /// # Errors
    /// [`CatalogError::Read`], [`CatalogError::Damaged`].
    pub(in crate::catalog) fn read(
        &self,
        columns: Option<&[&str]>,
        groups: Option<Vec<usize>>,
        rows: Option<RowSelection>,
    ) -> Result<ParquetRecordBatchReader, CatalogError> {
        let file = self
            .file
            .try_clone()
            .map_err(CatalogError::read(&self.path))?;
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_batch_size(BATCH);
        if let Some(names) = columns {
            let roots = names.iter().filter_map(|n| self.schema().index_of(n).ok());
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            builder = builder.with_projection(mask);
        }
        if let Some(groups) = groups {
            builder = builder.with_row_groups(groups);
        }
        if let Some(rows) = rows {
            builder = builder.with_row_selection(rows);
        }
        builder.build().map_err(CatalogError::damaged(&self.path))
    }

    /// Path of the file.
    pub(in crate::catalog) fn path(&self) -> &Path {
        &self.path
    }
}

/// The rows of a batch, each one line of JSON with its line end.
///
/// # Errors
/// Words of the encoder.
pub(in crate::catalog) fn lines(batch: &RecordBatch) -> Result<Vec<u8>, arrow_schema::ArrowError> {
    let batch = rename_zone(batch, OFFSET)?;
    let mut writer = arrow_json::LineDelimitedWriter::new(Vec::new());
    writer.write(&batch)?;
    writer.finish()?;
    Ok(writer.into_inner())
}

/// The columns of a batch that every search looks at.
pub(in crate::catalog) struct Columns<'a> {
    batch: &'a RecordBatch,
    bbox: Option<[&'a Float64Array; 4]>,
}

impl<'a> Columns<'a> {
    /// Of a batch; columns it does not have are empty.
    pub(in crate::catalog) fn of(batch: &'a RecordBatch) -> Columns<'a> {
        let bbox = || -> Option<[&'a Float64Array; 4]> {
            let all: &StructArray = batch.column_by_name("bbox")?.as_struct_opt()?;
            let side = |name| all.column_by_name(name)?.as_primitive_opt::<Float64Type>();
            Some([side("xmin")?, side("ymin")?, side("xmax")?, side("ymax")?])
        };
        Columns {
            batch,
            bbox: bbox(),
        }
    }

    /// Text of a column in a row.
    pub(in crate::catalog) fn text(&self, column: &str, row: usize) -> Option<&'a str> {
        let a = self.batch.column_by_name(column)?.as_string_opt::<i32>()?;
        a.is_valid(row).then(|| a.value(row))
    }

    /// Time of a column in a row, microseconds since 1970.
    pub(in crate::catalog) fn time(&self, column: &str, row: usize) -> Option<i64> {
        let a = self.batch.column_by_name(column)?;
        let a = a.as_primitive_opt::<TimestampMicrosecondType>()?;
        a.is_valid(row).then(|| a.value(row))
    }

    /// First and last instant of an item: `datetime`, or the interval.
    pub(in crate::catalog) fn times(&self, row: usize) -> Option<(i64, i64)> {
        let instant = self.time("datetime", row);
        let from = self.time("start_datetime", row).or(instant)?;
        let to = self.time("end_datetime", row).or(instant).unwrap_or(from);
        Some((from, to))
    }

    /// Box around the footprint.
    pub(in crate::catalog) fn bbox(&self, row: usize) -> Option<Bbox> {
        let sides = self.bbox?;
        sides[0]
            .is_valid(row)
            .then(|| Bbox(sides.map(|s| s.value(row))))
    }

    /// The footprint.
    pub(in crate::catalog) fn footprint(&self, row: usize) -> Option<Geometry> {
        let a = self
            .batch
            .column_by_name("geometry")?
            .as_binary_opt::<i32>()?;
        a.is_valid(row).then(|| geometry::read_wkb(a.value(row)))?
    }

    /// Any column.
    pub(in crate::catalog) fn column(&self, name: &str) -> Option<&'a ArrayRef> {
        self.batch.column_by_name(name)
    }
}
