//! Runs rwarp for `scripts/bench-peers geometry` (see there for the files):
//!
//! ```text
//! rwarp-peer DIR LINES PIXELS BANDS EPSG ULX ULY PIXEL SIZE nearest|cubic REPEAT
//! ```

use rwarp::geoloc_transform::{
    GenImgGeolocTransformer, GeolocArrays, GeolocConvention, GeolocOptions, PixelGeo,
};
use rwarp::warp::{KernelScaling, Nodata, ResampleAlg, SourceBuffer, WarpOptions, warp};
use std::error::Error;
use std::fs;
use std::path::Path;

/// CPU seconds of this process.
fn cpu() -> f64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `t` is a valid place for the answer
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + 1e-9 * t.tv_nsec as f64
}

/// Bytes of a line of `/proc/self/status`.
fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with(key));
    let kib = line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn doubles(path: &Path) -> Result<Vec<f64>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    Ok(bytes
        .as_chunks::<8>()
        .0
        .iter()
        .map(|b| f64::from_le_bytes(*b))
        .collect())
}

/// From band by band to pixel by pixel.
fn interleaved(path: &Path, bands: usize) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let words = bytes.as_chunks::<4>().0;
    let n = words.len() / bands.max(1);
    Ok((0..n * bands)
        .map(|k| f32::from_le_bytes(words[k % bands * n + k / bands]))
        .collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let a: Vec<String> = std::env::args().collect();
    let [
        _,
        dir,
        lines,
        pixels,
        bands,
        epsg,
        ulx,
        uly,
        pixel,
        size,
        kernel,
        repeat,
    ] = &a[..]
    else {
        return Err(
            "usage: rwarp-peer DIR LINES PIXELS BANDS EPSG ULX ULY PIXEL SIZE KERNEL REPEAT".into(),
        );
    };
    let dir = Path::new(dir);
    let (nrow, ncol, nbands): (usize, usize, usize) =
        (lines.parse()?, pixels.parse()?, bands.parse()?);
    let (size, pixel): (usize, f64) = (size.parse()?, pixel.parse()?);
    let corner = [ulx.parse()?, pixel, 0.0, uly.parse()?, 0.0, -pixel];
    let data = interleaved(&dir.join("val.f32"), nbands)?;
    let source = SourceBuffer {
        data: &data,
        ncol,
        nrow,
        nbands,
        col_off: 0,
        row_off: 0,
    };
    let kernel = match kernel.as_str() {
        "cubic" => ResampleAlg::Cubic,
        _ => ResampleAlg::NearestNeighbour,
    };
    let mut options = WarpOptions::new(kernel).with_src_nodata(Nodata::Value(f64::NAN));
    options.scaling = KernelScaling::Point;
    let (mut seconds, mut peak, mut out) = (Vec::new(), 0, Vec::new());
    for k in 0..repeat.parse::<usize>()? {
        let (lon, lat) = (
            doubles(&dir.join("lon.f64"))?,
            doubles(&dir.join("lat.f64"))?,
        );
        // SAFETY: takes no pointer and may be called at any time
        #[cfg(target_env = "gnu")]
        unsafe {
            libc::malloc_trim(0)
        };
        let before = status("VmRSS:");
        let _ = fs::write("/proc/self/clear_refs", "5");
        let start = cpu();
        let how = GeolocOptions::default()
            .with_convention(GeolocConvention::PixelCenter)
            .with_lon_wrap(true);
        let transform = GenImgGeolocTransformer::new(
            PixelGeo::Geoloc(GeolocArrays::new(lon, lat, ncol, nrow, how)?),
            "+proj=longlat +datum=WGS84 +no_defs",
            PixelGeo::affine(corner)?,
            &format!("EPSG:{epsg}"),
        )?;
        out = warp(&transform, &source, size, size, &options);
        seconds.push(cpu() - start);
        if k == 0 {
            peak = status("VmHWM:").saturating_sub(before);
        }
    }
    let planes = (0..nbands).flat_map(|b| out.iter().skip(b).step_by(nbands.max(1)));
    fs::write(
        dir.join("out.f32"),
        planes.flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>(),
    )?;
    println!(r#"{{"cpu_s": {seconds:?}, "peak_bytes": {peak}}}"#);
    Ok(())
}
