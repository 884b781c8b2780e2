//! The numbers behind one pixel, in words: what `reproject --explain` prints.

use probav_ard::stages::reproject::{Explanation, Outcome, Part, StripView};
use probav_ard::types::band::Band;
use probav_ard::types::observation::quality;
use std::fmt;

/// An explanation and the undulation of the geoid at its pixel, metres.
pub(super) struct Words<'a> {
    /// The numbers.
    pub explained: &'a Explanation,
    /// Metres; 0 where the DEM's heights are ellipsoidal.
    pub undulation: f32,
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = self.explained;
        let g = &e.grid;
        writeln!(
            f,
            "grid       EPSG:{}  upper left {} {}  pixel {} m  {} x {}",
            g.epsg, g.ulx, g.uly, g.pixel, g.height, g.width
        )?;
        writeln!(
            f,
            "pixel      row {}  column {}  centre {:.1} E {:.1} N  {:.8} {:.8} degrees",
            e.pixel.0, e.pixel.1, e.centre.east, e.centre.north, e.geodetic.lon, e.geodetic.lat
        )?;
        if let Some(r) = &e.result {
            writeln!(
                f,
                "height     {:.2} m above the ellipsoid = {:.2} m above the geoid + {:.2} m undulation",
                r.height,
                r.height - self.undulation,
                self.undulation
            )?;
        }
        writeln!(f, "kernel     {}", e.kernel)?;
        for (band, d) in Band::ALL.iter().zip(e.refinement.iter().flatten()) {
            let [east, north] = d.at(e.centre.east, e.centre.north);
            let kind = if d.is_constant() { "shift" } else { "drift" };
            writeln!(
                f,
                "refinement {:<5} removes {east:+.2} m east {north:+.2} m north here ({kind}: {:+.2} {:+.2} m at {:.0} E {:.0} N, \
                 east per 100 km {:+.2} {:+.2}, north {:+.2} {:+.2} m)",
                band.name(),
                d.east[0],
                d.north[0],
                d.origin[0],
                d.origin[1],
                1e5 * d.east[1],
                1e5 * d.east[2],
                1e5 * d.north[1],
                1e5 * d.north[2],
            )?;
        }
        for strip in &e.strips {
            write_strip(f, strip)?;
        }
        match &e.result {
            Some(r) => write_result(f, r),
            None => writeln!(f, "\nthe segment does not see this grid"),
        }
    }
}

fn write_strip(f: &mut fmt::Formatter<'_>, s: &StripView) -> fmt::Result {
    writeln!(
        f,
        "\n{}  {} lines, {} pixels  view zenith {:.4} azimuth {:.4} (from the tie points)",
        s.strip, s.shape.0, s.shape.1, s.view.0, s.view.1
    )?;
    writeln!(
        f,
        "  tie points   lines {} and {}, pixels {} and {}",
        s.ties.lines[0], s.ties.lines[1], s.ties.pixels[0], s.ties.pixels[1]
    )?;
    for level in &s.ties.levels {
        write!(f, "    at {:>6} m", level.altitude)?;
        for (lon, lat) in level.corners {
            write!(f, "  {lon:.6} {lat:.6}")?;
        }
        writeln!(f)?;
    }
    if let (Some(r), Some(refined)) = (&s.removed, s.parts[s.parts.len() / 2].exact) {
        let [east, north] = r.displacement;
        write!(
            f,
            "  refinement   {east:+.2} m east {north:+.2} m north removed: "
        )?;
        match r.unrefined {
            Some((l, p)) => write!(f, "line {l:.4} pixel {p:.4} becomes ")?,
            None => write!(f, "no place becomes ")?,
        }
        writeln!(f, "line {:.4} pixel {:.4}", refined.0, refined.1)?;
    }
    for part in &s.parts {
        write_part(f, part, s.parts.len() == 1)?;
    }
    if s.parts.len() > 1 {
        let valid: Vec<f32> = s
            .parts
            .iter()
            .filter(|p| p.flags & quality::MISSING == 0)
            .map(|p| p.value)
            .collect();
        let mean = valid.iter().sum::<f32>() / valid.len().max(1) as f32;
        writeln!(f, "  mean of {} valid samples  {mean:.6}", valid.len())?;
    }
    Ok(())
}

fn write_part(f: &mut fmt::Formatter<'_>, p: &Part, with_taps: bool) -> fmt::Result {
    write!(
        f,
        "  sample       row {} column {}  height {:.2} m  line {:.4} pixel {:.4}",
        p.pixel.0, p.pixel.1, p.height, p.place.0, p.place.1
    )?;
    match p.exact {
        Some((l, x, misfit)) => write!(f, "  exact {l:.6} {x:.6} (ground within {misfit:.4} m)")?,
        None => write!(f, "  no exact solution")?,
    }
    match p.nearest {
        Some((l, x)) => write!(f, "  nearest sample {l} {x}")?,
        None => write!(f, "  outside the raster")?,
    }
    writeln!(f, "  flags {}  value {:.6}", flags(p.flags), p.value)?;
    if !with_taps {
        return Ok(());
    }
    write!(f, "  taps         pixels    ")?;
    for k in 0..6 {
        write!(f, "{:>11}", p.first_tap.1 + k)?;
    }
    write!(f, "\n    line     weight      ")?;
    for w in p.weights[1] {
        write!(f, "{w:>11.6}")?;
    }
    writeln!(f)?;
    for (k, (line, w)) in p.taps.iter().zip(p.weights[0]).enumerate() {
        write!(f, "    {:>6} {w:>10.6}    ", p.first_tap.0 + k as i64)?;
        for v in line {
            write!(f, "{v:>11.6}")?;
        }
        writeln!(f)?;
    }
    Ok(())
}

fn write_result(f: &mut fmt::Formatter<'_>, r: &Outcome) -> fmt::Result {
    writeln!(f, "\nresult")?;
    for (k, band) in Band::ALL.into_iter().enumerate() {
        let (toa, flags) = (r.toa[k], flags(r.quality[k]));
        writeln!(f, "  {:<6} TOA {toa:.6}  flags {flags}", band.name())?;
    }
    let [sza, saa, vza, vaa, swir_vza, swir_vaa] = r.angles;
    writeln!(f, "  Sun         zenith {sza:.3}  azimuth {saa:.3}")?;
    writeln!(f, "  view, VNIR  zenith {vza:.3}  azimuth {vaa:.3}")?;
    writeln!(
        f,
        "  view, SWIR  zenith {swir_vza:.3}  azimuth {swir_vaa:.3}"
    )?;
    writeln!(
        f,
        "  time        {} {:+.3} s",
        r.time.to_rfc3339(),
        r.seconds
    )?;
    let hidden = if r.occluded { "yes" } else { "no" };
    writeln!(f, "  hidden by terrain  {hidden}")
}

/// Names of quality bits.
fn flags(bits: u8) -> String {
    let names = [
        (quality::MISSING, "missing"),
        (quality::INTERPOLATED, "interpolated"),
        (quality::SATURATED, "saturated"),
        (quality::NEGATIVE, "negative"),
        (quality::BORDER, "border"),
        (quality::OUTSIDE, "outside"),
    ];
    let set: Vec<_> = names
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|n| n.1)
        .collect();
    if set.is_empty() {
        "none".to_string()
    } else {
        set.join("+")
    }
}
