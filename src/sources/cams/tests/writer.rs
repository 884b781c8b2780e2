//! Writes CAMS-like files in the three conventions.

use super::Variable;
use netcdf::Extents;
use std::ops::Range;
use std::path::Path;

/// 2018-06-20 00 UTC.
const START: i64 = 1_529_452_800;
const STEP: i64 = 3 * 3600;
/// Forecast steps a run.
const LEADS: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Convention {
    Classic,
    Forecast,
    Reanalysis,
}

/// Smooth fields and what is wrong with the file that holds them.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub lon: Vec<f64>,
    pub origin: f64,
    pub lat: Vec<f64>,
    pub ascending: bool,
    /// Longitudes are written modulo 360 where this is 360, within −180…180 where it is 0.
    pub wrap_at: f64,
    pub steps: Range<usize>,
    pub without: Range<usize>,
    pub only: Option<&'static str>,
    pub run_bias: f64,
    pub ozone_unit: &'static str,
    pub ozone_factor: f64,
    pub shift_days: i64,
    pub hole: bool,
    pub swapped: bool,
    pub orography: bool,
    /// Times of the fields in place of three-hourly ones, seconds since 1970.
    pub months: Vec<i64>,
}

/// Writes the values of a variable; NetCDF-3 has a mode for definitions and one for data.
fn put<T: netcdf::NcTypeDescriptor>(file: &mut netcdf::FileMut, name: &str, values: &[T]) {
    file.enddef().unwrap();
    let mut v = file.variable_mut(name).unwrap();
    v.put_values(values, Extents::All).unwrap();
    file.redef().unwrap();
}

impl Scene {
    /// 0.4° around a place, two days.
    pub(super) fn around(lon: f64, lat: f64) -> Scene {
        let axis = |c: f64| -> Vec<f64> {
            (-8..=8)
                .map(|k| ((c / 0.4).round() + f64::from(k)) * 0.4)
                .collect()
        };
        Scene {
            origin: axis(lon)[0],
            lon: axis(lon),
            lat: axis(lat),
            ascending: false,
            wrap_at: 0.0,
            steps: 0..17,
            without: 0..0,
            only: None,
            run_bias: 0.0,
            ozone_unit: "kg m**-2",
            ozone_factor: 1.0,
            shift_days: 0,
            hole: false,
            swapped: false,
            orography: false,
            months: Vec::new(),
        }
    }

    /// Bilinear in space (a product of linear terms) and linear within each step of time.
    pub(super) fn truth(&self, variable: Variable, lon: f64, lat: f64, time: f64) -> f64 {
        let lon = (lon - self.origin).rem_euclid(360.0);
        let t = (time - START as f64) / STEP as f64;
        let (k, f) = (t.floor(), t - t.floor());
        let wave = |k: f64| 1.0 + 0.2 * (k * 1.7).sin();
        let level = wave(k) + f * (wave(k + 1.0) - wave(k));
        let shape = level * (1.0 + 0.02 * lon + 0.01 * (lat - 40.0));
        match variable {
            Variable::Aod550 => 0.12 * shape,
            Variable::Ozone => 0.006 * shape,
            Variable::Tcwv => 14.0 * shape,
            Variable::Geopotential => 1200.0 * 9.80665,
            Variable::Species(_) => 0.02 * shape,
        }
    }

    fn lats(&self) -> Vec<f64> {
        let mut lat = self.lat.clone();
        if !self.ascending {
            lat.reverse();
        }
        lat
    }

    fn field(&self, variable: Variable, lat: &[f64], step: usize) -> Vec<f64> {
        let time = (START + step as i64 * STEP) as f64;
        let mut out = Vec::new();
        for (i, y) in lat.iter().enumerate() {
            for (j, x) in self.lon.iter().enumerate() {
                let inside = i > 0 && j > 0 && i + 1 < lat.len() && j + 1 < self.lon.len();
                let mut v = self.truth(variable, *x, *y, time);
                if variable == Variable::Ozone {
                    v *= self.ozone_factor;
                }
                if variable == Variable::Tcwv {
                    v += self.run_bias * (step / LEADS) as f64;
                }
                out.push(if self.hole && inside && variable == Variable::Aod550 {
                    f64::NAN
                } else {
                    v
                });
            }
        }
        out
    }

    /// Writes the file.
    pub(super) fn write(&self, path: &Path, convention: Convention) {
        let options = match convention {
            Convention::Classic => netcdf::Options::_64BIT_OFFSET,
            _ => netcdf::Options::NETCDF4,
        };
        let mut file = netcdf::create_with(path, options).unwrap();
        let steps: Vec<usize> = self
            .steps
            .clone()
            .filter(|k| !self.without.contains(k))
            .collect();
        let steps = match self.months.len() {
            0 => steps,
            n => (0..n).collect(),
        };
        let three_hourly = steps
            .iter()
            .map(|k| START + *k as i64 * STEP + self.shift_days * 86_400);
        let times: Vec<i64> = match self.months.is_empty() {
            true => three_hourly.collect(),
            false => self.months.clone(),
        };
        let lat = self.lats();
        let lon: Vec<f64> = self
            .lon
            .iter()
            .map(|v| {
                if self.wrap_at > 0.0 {
                    v.rem_euclid(360.0)
                } else {
                    (v + 180.0).rem_euclid(360.0) - 180.0
                }
            })
            .collect();
        file.add_dimension("latitude", lat.len()).unwrap();
        file.add_dimension("longitude", lon.len()).unwrap();
        for (name, values, unit) in [
            ("latitude", &lat, "degrees_north"),
            ("longitude", &lon, "degrees_east"),
        ] {
            if convention == Convention::Classic {
                let mut v = file.add_variable::<f32>(name, &[name]).unwrap();
                v.put_attribute("units", unit).unwrap();
                let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
                put(&mut file, name, &values);
            } else {
                let mut v = file.add_variable::<f64>(name, &[name]).unwrap();
                v.put_attribute("units", unit).unwrap();
                v.put_attribute("_FillValue", f64::NAN).unwrap();
                put(&mut file, name, values);
            }
        }
        let (y, x) = if self.swapped {
            ("longitude", "latitude")
        } else {
            ("latitude", "longitude")
        };
        let dims = match convention {
            Convention::Classic => vec!["time", y, x],
            Convention::Forecast => vec!["forecast_period", "forecast_reference_time", y, x],
            Convention::Reanalysis => vec!["valid_time", y, x],
        };
        let runs = self.time_axes(&mut file, convention, &times);
        let all = [
            ("aod550", Variable::Aod550, "~"),
            ("gtco3", Variable::Ozone, self.ozone_unit),
            ("tcwv", Variable::Tcwv, "kg m**-2"),
            ("t2m", Variable::Tcwv, "K"),
            ("z", Variable::Geopotential, "m**2 s**-2"),
        ];
        for (name, variable, unit) in all {
            let wanted = match self.only {
                Some(only) => only == name,
                None => name != "t2m" && (name != "z" || self.orography),
            };
            if !wanted {
                continue;
            }
            let fields: Vec<Vec<f64>> = match convention {
                // lead first, then run; what the last run lacks is missing
                Convention::Forecast => (0..LEADS)
                    .flat_map(|p| (0..runs).map(move |r| r * LEADS + p))
                    .map(|k| match steps.get(k) {
                        Some(step) => self.field(variable, &lat, *step),
                        None => vec![f64::NAN; lat.len() * lon.len()],
                    })
                    .collect(),
                _ => steps
                    .iter()
                    .map(|k| self.field(variable, &lat, *k))
                    .collect(),
            };
            let values: Vec<f64> = fields.concat();
            if convention == Convention::Classic {
                let known = || values.iter().copied().filter(|v| v.is_finite());
                let (lo, hi) = (
                    known().fold(f64::INFINITY, f64::min),
                    known().fold(f64::NEG_INFINITY, f64::max),
                );
                let scale = ((hi - lo) / 65_532.0).max(1e-12);
                let offset = lo + 32_766.0 * scale;
                let mut v = file.add_variable::<i16>(name, &dims).unwrap();
                v.put_attribute("scale_factor", scale).unwrap();
                v.put_attribute("add_offset", offset).unwrap();
                v.put_attribute("_FillValue", -32_767i16).unwrap();
                v.put_attribute("missing_value", -32_767i16).unwrap();
                v.put_attribute("units", unit).unwrap();
                let packed: Vec<i16> = values
                    .iter()
                    .map(|v| {
                        if v.is_nan() {
                            -32_767
                        } else {
                            ((v - offset) / scale).round() as i16
                        }
                    })
                    .collect();
                put(&mut file, name, &packed);
            } else {
                let mut v = file.add_variable::<f32>(name, &dims).unwrap();
                v.set_compression(1, true).unwrap();
                v.put_attribute("_FillValue", f32::NAN).unwrap();
                v.put_attribute("units", unit).unwrap();
                let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
                put(&mut file, name, &values);
            }
        }
    }

    /// Time coordinates; the number of forecast runs.
    fn time_axes(
        &self,
        file: &mut netcdf::FileMut,
        convention: Convention,
        times: &[i64],
    ) -> usize {
        let mut axis = |name: &str, dims: &[&str], values: &[i64], unit: &str| {
            if dims == [name] {
                file.add_dimension(name, values.len()).unwrap();
            }
            let mut v = file.add_variable::<i64>(name, dims).unwrap();
            v.put_attribute("units", unit).unwrap();
            put(file, name, values);
        };
        let epoch = "seconds since 1970-01-01";
        match convention {
            Convention::Classic => {
                file.add_dimension("time", times.len()).unwrap();
                let mut v = file.add_variable::<i32>("time", &["time"]).unwrap();
                v.put_attribute("units", "hours since 1900-01-01 00:00:00.0")
                    .unwrap();
                v.put_attribute("calendar", "gregorian").unwrap();
                let hours: Vec<i32> = times
                    .iter()
                    .map(|t| ((t + 2_208_988_800) / 3600) as i32)
                    .collect();
                put(file, "time", &hours);
                0
            }
            Convention::Reanalysis => {
                axis("valid_time", &["valid_time"], times, epoch);
                0
            }
            Convention::Forecast => {
                let runs: Vec<i64> = times.iter().step_by(LEADS).copied().collect();
                let leads: Vec<i64> = (0..LEADS as i64).map(|k| 3 * k).collect();
                axis("forecast_period", &["forecast_period"], &leads, "hours");
                axis(
                    "forecast_reference_time",
                    &["forecast_reference_time"],
                    &runs,
                    epoch,
                );
                let valid: Vec<i64> = runs
                    .iter()
                    .flat_map(|r| leads.iter().map(move |l| r + l * 3600))
                    .collect();
                axis(
                    "valid_time",
                    &["forecast_reference_time", "forecast_period"],
                    &valid,
                    epoch,
                );
                runs.len()
            }
        }
    }
}
