//! An inspection as text for a terminal.

use super::{Inspection, StripInspection};
use crate::sources::l1c::segment::CodesFrom;
use crate::types::text::plain;
use std::fmt::{self, Display, Formatter};

impl Display for Inspection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.facts(f)?;
        writeln!(f)?;
        heading(f)?;
        for strip in &self.strips {
            strip.row(f)?;
        }
        writeln!(f)?;
        for (word, notes) in [("guessed", &self.guessed), ("missing", &self.missing)] {
            if notes.is_empty() {
                line(f, word, "nothing")?;
            }
            for (k, note) in notes.iter().enumerate() {
                line(f, if k == 0 { word } else { "" }, note)?;
            }
        }
        Ok(())
    }
}

/// A keyword and what it says.
fn line(f: &mut Formatter<'_>, key: &str, value: impl Display) -> fmt::Result {
    // names and attributes of the file are shown, not obeyed
    writeln!(f, "{key:<11} {}", plain(&value.to_string()))
}

impl Inspection {
    /// What holds for the whole file, a line each.
    fn facts(&self, f: &mut Formatter<'_>) -> fmt::Result {
        line(f, "file", &self.name)?;
        let version = match (self.version, self.collection) {
            (Some(v), Some(c)) => format!("version V{v:03} (Collection {c})"),
            _ => "version unknown".to_owned(),
        };
        let crop = if self.cropped {
            ", a window of a segment"
        } else {
            ""
        };
        let product = format!("PROBA-V Level-1C, {} camera, {version}{crop}", self.camera);
        line(f, "product", product)?;
        let end = self
            .end
            .map_or("unknown".to_owned(), |e| e.format("%H:%M:%S").to_string());
        let start = self.start.format("%Y-%m-%d %H:%M:%S");
        line(f, "time", format!("{start} to {end} UTC"))?;
        let [w, s, e, n] = self.bbox;
        let across = if e > 180.0 {
            " (across the antimeridian)"
        } else {
            ""
        };
        let footprint = format!("{w:.4} to {e:.4} E, {s:.4} to {n:.4} N{across}");
        line(f, "footprint", footprint)?;
        let way = if self.descending {
            "north to south"
        } else {
            "south to north"
        };
        let raster = format!("lines run {way}, pixel 0 in the {}", self.pixel0);
        line(f, "raster", raster)?;
        line(f, "groups", self.levels.join(" "))?;
        let codes = self.quality.codes.codes.iter();
        let codes: Vec<String> = codes.map(|(m, c)| format!("{c} {m:?}")).collect();
        let from = match self.quality.from {
            CodesFrom::Profile => "the profile",
            CodesFrom::Description => "DESCRIPTION",
            CodesFrom::OtherStrip => "DESCRIPTION of another strip",
            CodesFrom::MostFrequent => "the most frequent value",
        };
        line(f, "quality", format!("{} (from {from})", codes.join(", ")))
    }
}

/// Heads of the columns of [`StripInspection::row`].
fn heading(f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "{:<6} {:>12} {:>10} {:<20} {:>7} {:>6} {:>7} {:>11} {:>9} {:>6} {:>7} {:<9}",
        "strip",
        "lines x px",
        "chunk",
        "filters",
        "scale",
        "offset",
        "no data",
        "first l, c",
        "ties",
        "step",
        "period",
        "altitudes"
    )
}

impl StripInspection {
    /// The strip as a row of the table.
    fn row(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let pair = |a: usize, b: usize| format!("{a}x{b}");
        let number = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.0}"));
        let filters = if self.filters.is_empty() {
            "none".to_owned()
        } else {
            self.filters.join(" + ")
        };
        let altitudes: Vec<String> = self.altitudes.iter().map(f64::to_string).collect();
        let step = if self.steps.0 == self.steps.1 {
            format!("{}", self.steps.0)
        } else {
            format!("{:.4}x{:.4}", self.steps.0, self.steps.1)
        };
        writeln!(
            f,
            "{:<6} {:>12} {:>10} {:<20} {:>7} {:>6} {:>7} {:>11} {:>9} {:>6} {:>5.2}ms {} m",
            self.strip,
            pair(self.shape.0, self.shape.1),
            self.chunk
                .map_or("contiguous".to_owned(), |c| pair(c.0, c.1)),
            filters,
            self.packing.scale,
            self.packing.offset,
            self.packing.no_data,
            format!("{}, {}", number(self.first.0), number(self.first.1)),
            pair(self.ties.0, self.ties.1),
            step,
            self.period * 1000.0,
            altitudes.join(", "),
        )
    }
}
