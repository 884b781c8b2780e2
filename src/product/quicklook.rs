//! Pictures: false colour of SWIR, NIR and RED with a fixed stretch, so that dates compare.
//!
//! Vegetation is green, bare soil pinkish, snow and ice cloud cyan, water cloud white. Without data a
//! pixel is transparent.

mod crop;
mod overview;
mod text;

pub(super) use overview::Overview;

use super::ProductError;
use crate::types::reflectance::{NODATA, SCALE};
use crate::types::status::sm;
use crop::Crop;
use ndarray::Array2;
use std::path::Path;

/// Title of an acquisition's picture.
pub(super) const TITLE: &str =
    "False colour (SWIR, NIR, RED); outlines: cloud yellow, cloud shadow magenta, snow cyan";

/// Reflectance shown as full red, green and blue (docs/sources/products.md, False colour).
const FULL: [f32; 3] = [0.45, 0.55, 0.35];
/// Exponent of the stretch, lifts dark land (docs/sources/products.md, False colour).
const GAMMA: f32 = 0.75;
/// Largest side of a picture, pixels: what fits a screen beside text; chosen by eye.
const LARGEST: usize = 600;

/// Colours of outlines.
const OUTLINES: [(u16, [u8; 3]); 3] = [
    (sm::CLOUD, [255, 220, 0]),
    (sm::SHADOW, [230, 0, 230]),
    (sm::SNOW, [0, 230, 255]),
];

/// One colour of a picture.
type Rgba = [u8; 4];

/// PNG of an acquisition: reflectance counts of BLUE, RED, NIR, SWIR and SM16 on one grid. It shows what was observed,
/// with a margin (the whole grid when nothing was), reduced or enlarged by a whole factor to at most 600 pixels a side;
/// the text `Position` of the PNG says which rows and columns these are.
///
/// # Errors
/// [`ProductError::Encode`] when the picture cannot be coded.
pub(super) fn acquisition(
    rho: [&Array2<i16>; 4],
    status: &Array2<u16>,
) -> Result<Vec<u8>, ProductError> {
    let (height, width) = status.dim();
    let [_, red, nir, _] = rho;
    let seen = |r: usize, c: usize| nir[(r, c)] != NODATA && red[(r, c)] != NODATA;
    let part = Crop::of_seen(height, width, seen)
        .unwrap_or_else(|| Crop::whole(height, width))
        .framed(height, width);
    let factor = part.side().div_ceil(LARGEST).max(1);
    let enlarged = (LARGEST / part.side().max(1)).max(1);
    let (top, left) = (part.rows.start, part.cols.start);
    let (h, w) = (part.rows.len() / factor, part.cols.len() / factor);
    let class = |r: usize, c: usize| status[(top + r * factor, left + c * factor)] & sm::CLASS;
    let stretch = Stretch::new();
    let mut picture = Canvas::new(w * enlarged, h * enlarged);
    for r in 0..h {
        for c in 0..w {
            let mean =
                |band: usize| mean_of(rho[band], top + r * factor, left + c * factor, factor);
            let mut colour = stretch.false_colour([mean(3), mean(2), mean(1)]);
            if let Some((_, tint)) = OUTLINES.iter().find(|(k, _)| *k == class(r, c)) {
                let edge = |r2: usize, c2: usize| r2 < h && c2 < w && class(r2, c2) != class(r, c);
                if edge(r.wrapping_sub(1), c)
                    || edge(r + 1, c)
                    || edge(r, c.wrapping_sub(1))
                    || edge(r, c + 1)
                {
                    colour = [tint[0], tint[1], tint[2], 255];
                }
            }
            picture.block(r * enlarged, c * enlarged, enlarged, colour);
        }
    }
    picture.png(Path::new("QUICKLOOK.png"), &part.text(factor, enlarged))
}

/// Mean reflectance of a square of counts, NaN without data.
fn mean_of(band: &Array2<i16>, row: usize, col: usize, size: usize) -> f32 {
    let (mut sum, mut n) = (0i32, 0);
    for r in row..row + size {
        for c in col..col + size {
            let v = band[(r, c)];
            if v != NODATA {
                sum += i32::from(v);
                n += 1;
            }
        }
    }
    if n == 0 {
        f32::NAN
    } else {
        sum as f32 * SCALE / n as f32
    }
}

/// The stretch by steps finer than a shade: a power a pixel and colour would cost more than the PNG.
#[derive(Debug, Clone)]
struct Stretch {
    shades: Vec<u8>,
}

impl Stretch {
    /// Steps from black to full: 16 a shade; chosen.
    const STEPS: f32 = 4095.0;

    fn new() -> Stretch {
        let shade = |k: u16| (255.0 * (f32::from(k) / Stretch::STEPS).powf(GAMMA)).round() as u8;
        Stretch {
            shades: (0..=Stretch::STEPS as u16).map(shade).collect(),
        }
    }

    fn shade(&self, value: f32, full: f32) -> u8 {
        self.shades[((value / full).clamp(0.0, 1.0) * Stretch::STEPS + 0.5) as usize]
    }

    /// Colour of SWIR, NIR and RED reflectance. Without SWIR (its swath differs) a pixel is grey.
    fn false_colour(&self, [swir, nir, red]: [f32; 3]) -> Rgba {
        if nir.is_nan() || red.is_nan() {
            return [0; 4];
        }
        if swir.is_nan() {
            let grey = self.shade(0.5 * (nir + red), FULL[1]);
            return [grey, grey, grey, 255];
        }
        [
            self.shade(swir, FULL[0]),
            self.shade(nir, FULL[1]),
            self.shade(red, FULL[2]),
            255,
        ]
    }
}

/// An RGBA picture in memory.
#[derive(Debug, Clone)]
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Canvas {
        Canvas {
            width,
            height,
            pixels: vec![0; width * height * 4],
        }
    }

    /// Sets a pixel; outside the picture nothing happens.
    fn set(&mut self, row: usize, col: usize, colour: Rgba) {
        if row < self.height && col < self.width {
            let at = (row * self.width + col) * 4;
            self.pixels[at..at + 4].copy_from_slice(&colour);
        }
    }

    /// Sets a square of pixels from its upper-left corner.
    fn block(&mut self, row: usize, col: usize, side: usize, colour: Rgba) {
        for r in row..row + side {
            for c in col..col + side {
                self.set(r, c, colour);
            }
        }
    }

    /// The PNG with a text that tells its position on the grid.
    fn png(&self, path: &Path, position: &str) -> Result<Vec<u8>, ProductError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        encoder
            .add_text_chunk("Position".to_string(), position.to_string())
            .map_err(ProductError::encode(path))?;
        let mut writer = encoder.write_header().map_err(ProductError::encode(path))?;
        writer
            .write_image_data(&self.pixels)
            .map_err(ProductError::encode(path))?;
        writer.finish().map_err(ProductError::encode(path))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(png: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height, pixels)
    }

    #[test]
    fn a_corner_fills_the_picture_and_says_where_it_lies() {
        let band = |v: i16| {
            let mut a = Array2::from_elem((366, 366), NODATA);
            a.slice_mut(ndarray::s![10..50, 200..240]).fill(v);
            a
        };
        let (red, nir) = (band(400), band(4500));
        let png = acquisition([&red, &red, &nir, &red], &Array2::zeros((366, 366))).unwrap();
        let (w, h, pixels) = decode(&png);
        // 40 cells and a margin of 2 on each side, 13 pixels a cell
        assert_eq!((w, h), (572, 572));
        let filled = pixels.chunks(4).filter(|p| p[3] == 255).count();
        assert!(filled * 10 > 8 * (w * h) as usize);
        let position = b"rows 8..52, columns 198..242 of the grid";
        assert!(png.windows(position.len()).any(|w| w == position));
    }

    #[test]
    fn the_title_names_the_outlined_classes_as_the_legend_does() {
        let classes = crate::types::status::SM_FIELDS[0].classes;
        for (class, _) in OUTLINES {
            let words = classes.iter().find(|c| u16::from(c.0) == class).unwrap().2;
            let first = words.to_lowercase();
            let first = first.split(" or ").next().unwrap();
            assert!(TITLE.contains(&format!(" {first} ")), "{words}");
        }
    }

    #[test]
    fn vegetation_is_green_and_missing_data_transparent() {
        let band = |v: i16| {
            let mut a = Array2::from_elem((1098, 1098), v);
            a.slice_mut(ndarray::s![..100, ..100]).fill(NODATA);
            a
        };
        let (blue, red, nir, swir) = (band(300), band(400), band(4500), band(1800));
        let mut status = Array2::<u16>::zeros((1098, 1098));
        status
            .slice_mut(ndarray::s![600..700, 600..700])
            .fill(sm::CLOUD);
        let (w, h, pixels) = decode(&acquisition([&blue, &red, &nir, &swir], &status).unwrap());
        assert_eq!((w, h), (549, 549));
        let at = |r: usize, c: usize| &pixels[(r * 549 + c) * 4..][..4];
        assert_eq!(at(10, 10), [0, 0, 0, 0]);
        let land = at(100, 100);
        assert!(land[1] > land[0] && land[0] > land[2] && land[3] == 255);
        assert_eq!(at(300, 320), [255, 220, 0, 255]);
        assert_eq!(at(320, 320), land, "inside an outline the picture stays");
    }
}
