//! What of the inputs of a configuration a run would use, and what it would leave.

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::execute::jobs::Scouts;
use crate::pipeline::execute::pool::WorkerCommand;
use crate::pipeline::plan::inputs::RasterFile;
use crate::pipeline::plan::survey::Survey;
use crate::types::grid::{Tile, tiles};
use crate::types::progress::Progress;
use std::fmt;
use std::path::PathBuf;

/// Files listed of one kind before the rest is only counted; chosen, a page of a terminal.
const LISTED: usize = 12;

/// What a look at all inputs found: one line each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stock {
    lines: Vec<Line>,
    cams: Vec<PathBuf>,
}

/// One line: a kind of input, how it stands, words.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    what: &'static str,
    mark: &'static str,
    text: String,
}

impl Stock {
    /// True where something that was named cannot be used.
    pub fn is_short(&self) -> bool {
        self.lines.iter().any(|l| l.mark == BAD)
    }

    /// CAMS files that can be used.
    pub fn cams(&self) -> &[PathBuf] {
        &self.cams
    }

    fn add(&mut self, what: &'static str, mark: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.lines.push(Line { what, mark, text });
    }

    /// The first files of a kind, and how many more.
    fn list(&mut self, what: &'static str, files: &[PathBuf]) {
        for path in files.iter().take(LISTED) {
            self.add(what, USED, path.display().to_string());
        }
        if files.len() > LISTED {
            self.add(what, USED, format!("and {} more", files.len() - LISTED));
        }
    }
}

const USED: &str = "used";
const LEFT: &str = "left";
const BAD: &str = "BAD";

impl fmt::Display for Stock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { what, mark, text } in &self.lines {
            writeln!(f, "{what:<22} {mark:<8} {text}")?;
        }
        Ok(())
    }
}

/// Looks at all inputs of a configuration as a run would, and writes nothing.
///
/// # Errors
/// Numbers of the configuration are out of range, or the profile is unusable.
pub fn take_stock(
    config: &Config,
    workers: Option<&WorkerCommand>,
    progress: &dyn Progress,
) -> Result<Stock, PipelineError> {
    config.profile()?;
    let mut scouts = Scouts {
        config,
        workers: workers.filter(|_| config.jobs > 0),
        progress,
    };
    let mut stock = Stock::default();
    let mut survey = match Survey::of(config, false, &mut scouts, progress) {
        Ok(survey) => survey,
        Err(error @ PipelineError::NothingUsable { .. }) => {
            stock.add("inputs", BAD, error.to_string());
            return Ok(stock);
        }
        Err(error) => return Err(error),
    };
    segments(&mut stock, config, &survey);
    for name in &config.tiles {
        let tile = tiles::lookup(name.0).ok_or(PipelineError::UnknownTile(name.0))?;
        of_tile(&mut stock, &tile, &mut survey)?;
    }
    if config.tiles.is_empty() {
        let paths = |files: &[RasterFile]| files.iter().map(|f| f.path.clone()).collect::<Vec<_>>();
        stock.list("DEM", &paths(&survey.inputs.dem));
        stock.list("land mask", &paths(&survey.inputs.landmask));
    }
    let cams = survey.inputs.cams.iter().filter(|f| f.spans.is_some());
    stock.cams = cams.map(|f| f.path.clone()).collect();
    stock.list("CAMS file", &stock.cams.clone());
    for note in &survey.notes {
        stock.add("note", LEFT, note);
    }
    Ok(stock)
}

fn segments(stock: &mut Stock, config: &Config, survey: &Survey) {
    if config.l1c.is_none() {
        return;
    }
    stock.add(
        "L1C",
        USED,
        format!("{} segments that can be read", survey.segments.len()),
    );
    for (path, reason) in survey.segments.left() {
        stock.add("L1C", LEFT, format!("{}: {reason}", path.display()));
    }
    let unreadable = survey.segments.unreadable().iter().chain(&survey.failed);
    for (path, reason) in unreadable {
        let path = path.display().to_string();
        let text = match reason.contains(&path) {
            true => reason.clone(),
            false => format!("{path}: {reason}"),
        };
        stock.add("L1C", BAD, text);
    }
}

fn of_tile(stock: &mut Stock, tile: &Tile, survey: &mut Survey) -> Result<(), PipelineError> {
    let sightings = survey.segments.sightings(tile);
    let without: Vec<_> = sightings
        .iter()
        .filter(|s| survey.inputs.cams_at(s.start).is_empty())
        .collect();
    stock.add(
        "tile",
        USED,
        format!("{}: {} segments may see it", tile.id, sightings.len()),
    );
    if let (false, Some(first)) = (survey.inputs.cams.is_empty(), without.first()) {
        let words = format!(
            "{}: {} segments without CAMS files of their time, the first of {}",
            tile.id,
            without.len(),
            first.start
        );
        stock.add("tile", LEFT, words);
    }
    let dem = survey.inputs.dem_of(tile, &mut survey.index)?;
    let landmask = survey.inputs.landmask_of(tile, &mut survey.index)?;
    for (what, serving) in [("tile DEM", dem), ("tile land mask", landmask)] {
        match serving.ids.is_empty() && !serving.paths.is_empty() {
            true => stock.add(what, BAD, format!("{}: no file reaches it", tile.id)),
            false => stock.list(what, &serving.paths),
        }
    }
    Ok(())
}
