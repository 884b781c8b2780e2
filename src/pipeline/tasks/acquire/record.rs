//! The record of an acquisition: `run.json`, and what it counts.

use crate::pipeline::plan::unit::Task;
use crate::pipeline::tasks::geometric_check::Report;
use crate::product::record;
use crate::product::stac::links::Input;
use crate::scene::{Laps, Scene};
use crate::stages::atmosphere::Split;
use crate::types::band::Band;
use crate::types::grid::Margin;
use crate::types::radiative_transfer::Origin;
use crate::types::status::{Masks, sm, usable};
use serde_json::{Map, Value, json};
use std::cell::{Cell, RefCell};
use std::time::Instant;

/// Wall and processor seconds by stage.
#[derive(Debug)]
pub(super) struct Timings {
    last: Cell<(Instant, f64)>,
    stages: RefCell<Vec<(&'static str, f64, f64)>>,
}

impl Timings {
    /// Starts the clocks.
    pub(super) fn start() -> Timings {
        Timings {
            last: Cell::new((Instant::now(), cpu_seconds())),
            stages: RefCell::default(),
        }
    }

    fn json(&self) -> Value {
        let stages = self.stages.borrow();
        let stages = stages.iter().map(|(stage, wall, cpu)| {
            let times = json!({ "wall_s": round(*wall), "cpu_s": round(*cpu) });
            (stage.to_string(), times)
        });
        Value::Object(stages.collect())
    }
}

impl Laps for Timings {
    fn lap(&self, stage: &'static str) {
        let now = (Instant::now(), cpu_seconds());
        let last = self.last.replace(now);
        let wall = now.0.duration_since(last.0).as_secs_f64();
        let cpu = (now.1 - last.1).max(0.0);
        tracing::debug!(stage, wall, cpu, "stage done");
        let mut stages = self.stages.borrow_mut();
        match stages.iter_mut().find(|s| s.0 == stage) {
            Some(sum) => *sum = (stage, sum.1 + wall, sum.2 + cpu),
            None => stages.push((stage, wall, cpu)),
        }
    }
}

/// Processor seconds of the living threads of this process, as Linux's scheduler counts them; 0 where it
/// does not say.
fn cpu_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let nanoseconds: u64 = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum();
    nanoseconds as f64 * 1e-9
}

/// What happened on the way, beside the arrays.
pub(super) struct Facts<'a> {
    /// The task.
    pub task: &'a Task,
    /// The acquisition.
    pub scene: &'a Scene,
    /// What σ is made of, usable pixels.
    pub parts: &'a [Split],
    /// Halo in 300 m pixels.
    pub halo: Margin,
    /// Share of the observed land without height.
    pub dem_gap: f32,
    /// The geometric check, where there was one.
    pub geometry: Option<&'a Report>,
}

/// `run.json`. Everything but `timings` is the same for the same input.
pub(super) fn record(facts: &Facts, timings: &Timings) -> Value {
    let (scene, task) = (facts.scene, facts.task);
    let mut out = record::head(&task.key.0, &task.unit.to_string(), &task.recipe);
    let more = json!({
        "atmosphere": {
            "provenance": scene.coefficients.state.provenance,
            "fallback": scene.coefficients.state.fallback,
            "origins": origins(&scene.coefficients.state.origins),
            "tables": scene.coefficients.notes,
        },
        "sigma": sigma(facts.parts),
        "geometry": {
            "halo_300m_pixels": facts.halo,
            "land_without_height": round(f64::from(facts.dem_gap)),
            "view_zenith_deg": mean(&scene.observation.angles.vnir_vza),
            "sun_zenith_deg": mean(&scene.observation.angles.sza),
        },
        "counts": counts(&scene.masks),
        "notes": scene.notes,
        "timings": timings.json(),
    });
    if let (Value::Object(out), Value::Object(more)) = (&mut out, more) {
        out.extend(more);
    }
    if let Some(report) = facts.geometry {
        out["geometric_check"] = report.json();
    }
    out
}

/// The files that the recipe of an acquisition names.
pub(super) fn inputs(recipe: &Value) -> Vec<Input> {
    let kinds = [
        ("segment", "Level-1C segment"),
        ("cams", "CAMS"),
        ("dem", "DEM"),
        ("landmask", "land mask"),
    ];
    let file = |kind: &'static str, entry: &Value| {
        Some(Input {
            kind,
            name: entry["name"].as_str()?.to_string(),
            sha256: entry["sha256"].as_str()?.to_string(),
        })
    };
    let of_kind = |(key, kind): (&str, &'static str)| -> Vec<Input> {
        match &recipe[key] {
            Value::Array(entries) => entries.iter().filter_map(|e| file(kind, e)).collect(),
            entry => file(kind, entry).into_iter().collect(),
        }
    };
    kinds.into_iter().flat_map(of_kind).collect()
}

fn origins([aod550, ozone, tcwv]: &[Origin; 3]) -> Value {
    json!({ "aod550": aod550, "ozone": ozone, "tcwv": tcwv })
}

/// Root mean squares of the parts of σ over usable pixels, by band; null where there is none.
fn sigma(parts: &[Split]) -> Value {
    let digits = |v: f32| (f64::from(v) * 1e6).round() / 1e6;
    let bands: Map<String, Value> = parts
        .iter()
        .map(|p| {
            let sources: Map<String, Value> = p
                .sources
                .iter()
                .map(|(name, v)| (name.to_string(), json!(digits(*v))))
                .collect();
            let told = json!({
                "mean_reflectance": digits(p.reflectance),
                "random": digits(p.random),
                "systematic": digits(p.systematic),
                "sources": sources,
            });
            let told = if p.pixels == 0 { Value::Null } else { told };
            (p.band.name().to_lowercase(), told)
        })
        .collect();
    Value::Object(bands)
}

/// Pixels of the tile by fate, and shares of the covered ones.
fn counts(masks: &Masks) -> Value {
    let any = sm::COVERED.iter().fold(0, |all, bit| all | bit);
    let count = |bits: u16| masks.sm.iter().filter(|s| **s & bits != 0).count();
    let covered = count(any);
    let share = |n: usize| round(n as f64 / covered.max(1) as f64);
    let class = |class: u16| {
        let is = |s: &&u16| **s & any != 0 && **s & sm::CLASS == class;
        share(masks.sm.iter().filter(is).count())
    };
    let value = |value: u8| masks.usable.iter().filter(|u| **u == value).count();
    let bands: Map<String, Value> = Band::ALL
        .iter()
        .zip(sm::COVERED)
        .map(|(band, bit)| (band.name().to_lowercase(), json!(count(bit))))
        .collect();
    json!({
        "pixels": masks.sm.len(),
        "covered": covered,
        "covered_by_band": bands,
        "clear": class(sm::CLEAR),
        "shadow": class(sm::SHADOW),
        "cloud": class(sm::CLOUD),
        "snow": class(sm::SNOW),
        "undefined": class(sm::UNDEFINED),
        "usable": share(value(usable::USABLE) + value(usable::VNIR_ONLY)),
    })
}

fn mean(values: &ndarray::Array2<f32>) -> Value {
    let (sum, n) = values
        .iter()
        .filter(|v| !v.is_nan())
        .fold((0.0, 0u32), |(s, n), v| (s + f64::from(*v), n + 1));
    match n {
        0 => Value::Null,
        n => json!((sum / f64::from(n) * 100.0).round() / 100.0),
    }
}

fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
