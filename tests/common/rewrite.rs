//! Writes a Level-1C file again in another form, for the tests of variants.

use hdf5::types::FixedAscii;
use ndarray::{Array2, ArrayView2, s};
use std::path::Path;

const STRIPS: [&str; 6] = ["BLUE", "NIR", "RED", "SWIR1", "SWIR2", "SWIR3"];
const ROOT_TEXT: [&str; 6] = [
    "CAMERA",
    "OBSERVATION_START_DATE",
    "OBSERVATION_START_TIME",
    "OBSERVATION_END_DATE",
    "OBSERVATION_END_TIME",
    "PRODUCT_REFERENCE",
];

/// Filter and chunks of the rasters.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Storage {
    /// Shuffle and deflate, 64 lines a chunk.
    #[default]
    Deflate,
    /// Deflate alone, one line a chunk.
    DeflateLines,
    /// SZIP, one line a chunk.
    Szip,
    /// No chunks.
    Contiguous,
}

/// What to change.
#[derive(Clone, Default)]
pub(crate) struct Variant {
    pub storage: Storage,
    /// Pixel 0 on the other side.
    pub flip: bool,
    /// Tie points every 16 lines and pixels instead of 8.
    pub tie_step_16: bool,
    pub no_angles: bool,
    pub one_altitude: bool,
    /// `LEVEL-1C` instead of `LEVEL1C`.
    pub hyphen: bool,
    /// Quality codes of the other table.
    pub other_q_table: bool,
    /// No list of codes in the description of `Q`.
    pub no_q_text: bool,
}

/// Reads `source` and writes it to `target` in the form of `variant`.
pub(crate) fn rewrite(source: &Path, target: &Path, variant: &Variant) -> hdf5::Result<()> {
    let src = hdf5::File::open(source)?;
    let out = hdf5::File::create(target)?;
    for name in ROOT_TEXT {
        let text: FixedAscii<64> = src.attr(name)?.read_1d()?[0];
        out.new_attr::<FixedAscii<64>>()
            .shape(1)
            .create(name)?
            .write(&[text])?;
    }
    if src.attr("CROPPED").is_ok() {
        out.new_attr::<i32>()
            .shape(1)
            .create("CROPPED")?
            .write(&[1])?;
    }
    let dash = if variant.hyphen { "-" } else { "" };
    for strip in STRIPS {
        rasters(
            &src,
            &out.create_group(&format!("LEVEL{dash}1C/{strip}"))?,
            strip,
            variant,
        )?;
        ties(
            &src,
            &out.create_group(&format!("LEVEL{dash}1B/{strip}"))?,
            strip,
            variant,
        )?;
    }
    out.close()
}

fn number<T: hdf5::H5Type>(at: &hdf5::Location, name: &str, value: T) -> hdf5::Result<()> {
    at.new_attr::<T>().shape(1).create(name)?.write(&[value])
}

fn flipped<T: Clone>(data: Array2<T>, flip: bool) -> Array2<T> {
    if flip {
        data.slice(s![.., ..;-1]).to_owned()
    } else {
        data
    }
}

fn raster<T: hdf5::H5Type + Clone>(
    group: &hdf5::Group,
    name: &str,
    data: &Array2<T>,
    storage: Storage,
) -> hdf5::Result<hdf5::Dataset> {
    let (h, w) = data.dim();
    let builder = group.new_dataset::<T>();
    let made = match storage {
        Storage::Deflate => builder
            .chunk((64.min(h), w))
            .shuffle()
            .deflate(4)
            .shape((h, w))
            .create(name)?,
        Storage::DeflateLines => builder
            .chunk((1, w))
            .deflate(4)
            .shape((h, w))
            .create(name)?,
        Storage::Szip => builder
            .chunk((1, w))
            .szip(hdf5::filters::SZip::NearestNeighbor, 8)
            .shape((h, w))
            .create(name)?,
        Storage::Contiguous => builder.shape((h, w)).create(name)?,
    };
    // a flipped array may lie in memory in another order
    made.write(&data.as_standard_layout())?;
    Ok(made)
}

fn rasters(
    src: &hdf5::File,
    group: &hdf5::Group,
    strip: &str,
    variant: &Variant,
) -> hdf5::Result<()> {
    let from = src.group(&format!("LEVEL1C/{strip}"))?;
    let toa: Array2<i16> = from.dataset("TOA")?.read_2d()?;
    let q: Array2<u8> = from.dataset("Q")?.read_2d()?;
    let width = toa.ncols() as i32;
    for name in ["FIRST_LINE", "FIRST_COLUMN"] {
        if let Ok(attr) = from.attr(name) {
            let mut value: i32 = attr.read_1d()?[0];
            if variant.flip && name == "FIRST_COLUMN" {
                let whole = if strip.starts_with("SWIR") {
                    1024
                } else {
                    5200
                };
                value = whole - value - width;
            }
            number(group, name, value)?;
        }
    }
    let made = raster(group, "TOA", &flipped(toa, variant.flip), variant.storage)?;
    number(&made, "SCALE", 2000f32)?;
    number(&made, "OFFSET", 0f32)?;
    number(&made, "NO_DATA", -1i16)?;
    // the two code tables run in opposite order, docs/sources/l1c.md, Quality codes
    let q = if variant.other_q_table {
        q.mapv(|c| 6 - c)
    } else {
        q
    };
    let made = raster(group, "Q", &flipped(q, variant.flip), variant.storage)?;
    if !variant.no_q_text {
        let b = "0=Correct, 1=Missing, 2=WasSaturated, 3=BecameSaturated, 4=BecameNegative, 5=Interpolated, 6=BorderCompressed";
        let a = "6=Correct, 5=Missing, 4=WasSaturated, 3=BecameSaturated, 2=BecameNegative, 1=Interpolated, 0=BorderCompressed";
        let text = FixedAscii::<200>::from_ascii(if variant.other_q_table { a } else { b })
            .expect("ASCII");
        made.new_attr::<FixedAscii<200>>()
            .shape(1)
            .create("DESCRIPTION")?
            .write(&[text])?;
    }
    Ok(())
}

/// Every second tie point, one more by quadratic extrapolation where the last would fall inside.
fn decimated(data: ArrayView2<f32>) -> Array2<f32> {
    let rows = |a: ArrayView2<f32>| {
        let n = a.nrows();
        let mut kept = a.slice(s![..;2, ..]).to_owned();
        if n.is_multiple_of(2) {
            let (p, q, r) = (a.row(n - 3), a.row(n - 2), a.row(n - 1));
            let next = &p - &(&q * 3.0) + &(&r * 3.0);
            kept.push_row(next.view()).expect("same width");
        }
        kept
    };
    rows(rows(data).t()).t().to_owned()
}

fn ties(src: &hdf5::File, group: &hdf5::Group, strip: &str, variant: &Variant) -> hdf5::Result<()> {
    let from = src.group(&format!("LEVEL1B/{strip}"))?;
    let width = src.dataset(&format!("LEVEL1C/{strip}/TOA"))?.shape()[1];
    for name in ["LN1", "LT1", "LN2", "LT2", "SZA", "SAA", "VZA", "VAA"] {
        let angle = name.ends_with('A');
        if (variant.no_angles && angle) || (variant.one_altitude && name.ends_with('2')) {
            continue;
        }
        let data = from.dataset(name)?;
        let mut values: Array2<f32> = data.read_2d()?;
        if variant.flip {
            values = shifted(values, width);
        }
        let step = if variant.tie_step_16 {
            values = decimated(values.view());
            16
        } else {
            8
        };
        let made = raster(group, name, &values, Storage::Contiguous)?;
        if !angle {
            number(
                &made,
                "ALTITUDE",
                if name.ends_with('1') { 0f32 } else { 5000f32 },
            )?;
            number(&made, "LINE_STEP", step)?;
            number(&made, "PIXEL_STEP", step)?;
        }
    }
    Ok(())
}

/// Tie points of the mirrored raster: positions 0, 8, … counted from the other side. Where the raster's width less one
/// is no multiple of 8 the new positions fall between the old ones: cubic through the four nearest.
fn shifted(values: Array2<f32>, width: usize) -> Array2<f32> {
    let (h, n) = values.dim();
    Array2::from_shape_fn((h, n), |(i, j)| {
        let at = (width as f64 - 1.0 - 8.0 * j as f64) / 8.0;
        let k = (at.floor() as isize - 1).clamp(0, n as isize - 4) as usize;
        let t = at - k as f64;
        let w = [
            -(t - 1.0) * (t - 2.0) * (t - 3.0) / 6.0,
            t * (t - 2.0) * (t - 3.0) / 2.0,
            -t * (t - 1.0) * (t - 3.0) / 2.0,
            t * (t - 1.0) * (t - 2.0) / 6.0,
        ];
        (0..4)
            .map(|m| w[m] * f64::from(values[(i, k + m)]))
            .sum::<f64>() as f32
    })
}
