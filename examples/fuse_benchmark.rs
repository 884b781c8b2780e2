//! Fuses a series of the fusion benchmark (HDF5: `acquisition/{day,vza,obs}{100,300}`, `obs` as acquisition, band, row,
//! column in counts) and writes values and σ as Zarr, to be scored against its truth (docs/sources/fusion.md).
//!
//! ```text
//! cargo run --release --example fuse_benchmark -- temperate.h5 OUT/temperate.zarr [--tile N] [--params FILE.toml]
//! ```
//!
//! `--tile N` repeats the scene N × N times, for timing; the result is then that of the first copy.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use ndarray::{Array2, Array4, s};
use probav_ard::stages::fusion::{
    Acquisition, FusionParams, Pixels, Series, Sink, StackBlock, StoreError, fuse,
};
use probav_ard::types::grid::GridSpec;
use probav_ard::types::progress::Silent;
use probav_ard::types::reflectance::NODATA;
use probav_ard::types::status::usable;
use std::error::Error;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use zarrs::array::{ArrayBuilder, data_type};

/// The benchmark as an archive.
struct Benchmark {
    rho: [Array4<i16>; 2],
    acquisitions: [Vec<Acquisition>; 2],
    tile: usize,
}

impl Benchmark {
    fn open(path: &Path, tile: usize) -> Result<Self, Box<dyn Error>> {
        let file = hdf5::File::open(path)?;
        let acquisitions = file.group("acquisition")?;
        let read = |kind: &str| -> Result<(Array4<i16>, Vec<Acquisition>), Box<dyn Error>> {
            let days = acquisitions
                .dataset(&format!("day{kind}"))?
                .read_1d::<i32>()?;
            let vza = acquisitions
                .dataset(&format!("vza{kind}"))?
                .read_1d::<f32>()?;
            let rho = acquisitions
                .dataset(&format!("obs{kind}"))?
                .read::<i16, ndarray::Ix4>()?
                .mapv(|v| if v == -9999 { NODATA } else { v });
            let acquisitions = days.iter().zip(&vza).map(|(day, vza)| Acquisition {
                time: first_day() + TimeDelta::days(i64::from(*day)) + TimeDelta::hours(12),
                vza: *vza,
            });
            Ok((rho, acquisitions.collect()))
        };
        let (fine, fine_looks) = read("100")?;
        let (coarse, coarse_looks) = read("300")?;
        Ok(Benchmark {
            rho: [fine, coarse],
            acquisitions: [fine_looks, coarse_looks],
            tile,
        })
    }

    fn grid(&self, kind: usize) -> GridSpec {
        let (_, _, rows, cols) = self.rho[kind].dim();
        GridSpec {
            epsg: 32631,
            ulx: 500_000.0,
            uly: 5_600_000.0,
            pixel: [100.0, 300.0][kind],
            width: cols * self.tile,
            height: rows * self.tile,
        }
    }

    fn read(&self, kind: usize, acquisition: usize, rows: Range<usize>) -> Pixels {
        let a = &self.rho[kind];
        let (_, _, h, w) = a.dim();
        let shape = (rows.len(), w * self.tile);
        let rho: [Array2<i16>; 4] = std::array::from_fn(|b| {
            let scene = a.slice(s![acquisition, b, .., ..]);
            let mut out = Array2::from_elem(shape, NODATA);
            for (r, mut line) in out.rows_mut().into_iter().enumerate() {
                for copy in 0..self.tile {
                    line.slice_mut(s![copy * w..(copy + 1) * w])
                        .assign(&scene.row((rows.start + r) % h));
                }
            }
            out
        });
        let usable = rho[1].mapv(|v| {
            if v == NODATA {
                usable::CLOUD
            } else {
                usable::USABLE
            }
        });
        Pixels {
            rho,
            sigma: None,
            usable,
        }
    }
}

fn first_day() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2014, 1, 1, 0, 0, 0)
        .single()
        .unwrap_or_default()
}

impl Series for Benchmark {
    fn fine_grid(&self) -> GridSpec {
        self.grid(0)
    }
    fn coarse_grid(&self) -> GridSpec {
        self.grid(1)
    }
    fn fine(&self) -> &[Acquisition] {
        &self.acquisitions[0]
    }
    fn coarse(&self) -> &[Acquisition] {
        &self.acquisitions[1]
    }
    fn read_fine(&self, acquisition: usize, rows: Range<usize>) -> Result<Pixels, StoreError> {
        Ok(self.read(0, acquisition, rows))
    }
    fn read_coarse(&self, acquisition: usize) -> Result<Pixels, StoreError> {
        Ok(self.read(1, acquisition, 0..self.grid(1).height))
    }
}

/// Keeps the first copy of the scene: (step, band, row, column).
struct Keep {
    value: Array4<i16>,
    sigma: Array4<u16>,
    provenance: [u64; 6],
}

impl Sink for Keep {
    fn write(&mut self, first_row: usize, block: &StackBlock) -> Result<(), StoreError> {
        let (_, _, h, w) = self.value.dim();
        for p in &block.provenance {
            self.provenance[usize::from(*p)] += 1;
        }
        let rows = block.rho[0].dim().1.min(h.saturating_sub(first_row));
        let steps = block.steps.start as usize..block.steps.end as usize;
        for b in 0..4 {
            let to = s![
                steps.clone(),
                b,
                first_row.min(h)..first_row.min(h) + rows,
                ..
            ];
            let from = s![.., ..rows, ..w];
            self.value.slice_mut(to).assign(&block.rho[b].slice(from));
            self.sigma.slice_mut(to).assign(&block.unc[b].slice(from));
        }
        Ok(())
    }
}

fn write_zarr(path: &Path, keep: &Keep) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(path)?;
    let store = Arc::new(zarrs::filesystem::FilesystemStore::new(path)?);
    zarrs::group::GroupBuilder::new()
        .build(store.clone(), "/")?
        .store_metadata()?;
    let shape: Vec<u64> = keep.value.shape().iter().map(|n| *n as u64).collect();
    let value = ArrayBuilder::new(shape.clone(), shape.clone(), data_type::int16(), NODATA)
        .build(store.clone(), "/value")?;
    value.store_metadata()?;
    value.store_chunk(
        &[0, 0, 0, 0],
        keep.value.iter().copied().collect::<Vec<i16>>(),
    )?;
    let sigma = ArrayBuilder::new(shape.clone(), shape, data_type::uint16(), u16::MAX)
        .build(store, "/sigma")?;
    sigma.store_metadata()?;
    sigma.store_chunk(
        &[0, 0, 0, 0],
        keep.sigma.iter().copied().collect::<Vec<u16>>(),
    )?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: fuse_benchmark BENCH.h5 OUT.zarr [--tile N] [--params FILE.toml]";
    let mut args = std::env::args().skip(1);
    let (bench, out) = (args.next().ok_or(usage)?, args.next().ok_or(usage)?);
    let (mut tile, mut params) = (1, FusionParams::default());
    while let Some(flag) = args.next() {
        let value = args.next().ok_or(usage)?;
        match flag.as_str() {
            "--tile" => tile = value.parse()?,
            "--params" => params = toml::from_str(&std::fs::read_to_string(value)?)?,
            _ => return Err(usage.into()),
        }
    }
    let series = Benchmark::open(Path::new(&bench), tile)?;
    let (_, _, h, w) = series.rho[0].dim();
    let steps = series
        .acquisitions
        .iter()
        .flatten()
        .map(|l| (l.time - first_day()).num_days() / 5 + 1)
        .max()
        .unwrap_or(0) as usize;
    let mut keep = Keep {
        value: Array4::from_elem((steps, 4, h, w), NODATA),
        sigma: Array4::from_elem((steps, 4, h, w), u16::MAX),
        provenance: [0; 6],
    };
    let clock = Instant::now();
    let report = fuse(&series, 0..steps as i32, &params, &mut keep, &Silent)?;
    let seconds = clock.elapsed().as_secs_f64();
    let count = (series.fine_grid().len() * steps) as f64;
    println!(
        "{seconds:.2} s wall, {:.0} ns per pixel-step on {} threads; provenance {:?}; {report:?}",
        seconds / count * 1e9,
        rayon::current_num_threads(),
        keep.provenance
    );
    write_zarr(Path::new(&out), &keep)
}
