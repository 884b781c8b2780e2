//! All inputs of a run: what lies where, what it is, what of it serves, and what was left for which reason.

use crate::formats::input_files::{self, Found, Verdict, Why};
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::identity::{FileId, Stamp, name_of};
use crate::pipeline::plan::index::Index;
use crate::pipeline::plan::inputs::Inputs;
use crate::pipeline::plan::look::{Kind, Look, Looked, Looker};
use crate::pipeline::plan::segments::{Filter, Segments};
use crate::sources::l1c::FileName;
use crate::types::progress::Progress;
use std::path::{Path, PathBuf};

/// Files looked at between two writes of the index: what a killed run has to look at again; chosen.
const BATCH: usize = 256;

/// What a run has to work with.
#[derive(Debug)]
pub(crate) struct Survey {
    /// What is known of every file.
    pub index: Index,
    /// L1C files.
    pub segments: Segments,
    /// Ancillary files.
    pub inputs: Inputs,
    /// Inputs that were lost, with the reason: files and folders that cannot be read.
    pub failed: Vec<(PathBuf, String)>,
    /// What else a user should know.
    pub notes: Vec<String>,
}

impl Survey {
    /// Searches all inputs of a configuration and looks at what is new or changed. With `keep`, what is found goes to
    /// `OUT/index.jsonl`.
    ///
    /// # Errors
    /// Ancillary files were named and none can be used, unless the policy for missing data was given; OUT is not writable;
    /// the user asked to stop.
    pub(crate) fn of(
        config: &Config,
        keep: bool,
        looker: &mut dyn Looker,
        progress: &dyn Progress,
    ) -> Result<Survey, PipelineError> {
        let kept = config.out().join("index.jsonl");
        let known = std::fs::metadata(&kept).is_ok_and(|m| m.len() > 0);
        let mut survey = Survey {
            index: match &config.out {
                Some(_) => Index::open(&kept, keep)?,
                None => Index::default(),
            },
            segments: Segments::default(),
            inputs: Inputs::default(),
            failed: Vec::new(),
            notes: Vec::new(),
        };
        if !known && config.out().join("tiles").is_dir() {
            let words = "is missing beside products: begun anew, every input is read again";
            survey.notes.push(format!("{} {words}", kept.display()));
        }
        if let n @ 1.. = survey.index.damaged_lines() {
            let words = "lines cannot be read; the files they told of are read again";
            survey
                .notes
                .push(format!("{}: {n} {words}", kept.display()));
        }
        if let Some(folder) = &config.l1c {
            survey.search_segments(config, folder, looker, progress)?;
        }
        survey.inputs = Inputs::survey(config, &mut survey.index, looker, &mut survey.notes)?;
        survey.index.flush()?;
        Ok(survey)
    }

    fn search_segments(
        &mut self,
        config: &Config,
        folder: &Path,
        looker: &mut dyn Looker,
        progress: &dyn Progress,
    ) -> Result<(), PipelineError> {
        // absolute, so that the index serves whatever folder a run is started from
        let folder =
            std::path::absolute(folder).map_err(|e| PipelineError::io("list", folder, e))?;
        let found = input_files::search(std::slice::from_ref(&folder), &FileName::judge);
        self.report(&found);
        let named = |path: PathBuf| FileName::parse(&name_of(&path)).map(|name| (name, path));
        let files: Vec<_> = found.files.into_iter().filter_map(named).collect();
        if files.is_empty() {
            let words = "no file of a PROBAV_L1C name in it or below it; check --l1c";
            self.failed.push((folder.clone(), words.to_string()));
        }
        let filter = Filter {
            from: config.from,
            to: config.to,
            cameras: config.cameras.iter().map(|c| c.0).collect(),
        };
        let all = files.len();
        self.segments = Segments::new(files, &filter);
        if all > 0 && self.segments.next().is_empty() {
            let words = format!(
                "none of its {all} L1C files is of these cameras and days; check --from, --to and --camera"
            );
            self.failed.push((folder, words));
        }
        let rules = self.rules_of_segments(config)?;
        loop {
            let next = self.segments.next();
            if next.is_empty() {
                return Ok(());
            }
            progress.start("index", next.len() as u64);
            for some in next.chunks(BATCH) {
                let paths: Vec<PathBuf> = some.iter().map(|(_, path)| path.clone()).collect();
                let looked = looked(&mut self.index, looker, Kind::Segment, &rules, &paths)?;
                for ((key, _), found) in some.iter().zip(looked) {
                    let seen = match found {
                        Looked::Segment { footprint } => Ok(footprint),
                        Looked::Bad(reason) | Looked::Unseen(reason) => Err(reason),
                        _ => Err("was taken for another kind of file".to_string()),
                    };
                    self.segments.found(*key, seen);
                }
                progress.advance(some.len() as u64);
            }
        }
    }

    /// The user's profile decides what a file is.
    fn rules_of_segments(&mut self, config: &Config) -> Result<String, PipelineError> {
        let profile = match &config.l1c_profile {
            Some(path) => identify(&mut self.index, path)?.sha256,
            None => String::new(),
        };
        Ok(rules(&profile))
    }

    /// What a search of L1C files left: what may be lost is a failure, the rest is said.
    fn report(&mut self, found: &Found) {
        let (lost, other): (Vec<_>, Vec<_>) = found
            .left
            .iter()
            .cloned()
            .partition(|left| left.why.is_loss() && left.why != Why::NotAFile);
        self.failed
            .extend(lost.into_iter().map(|l| (l.path, l.why.to_string())));
        let rest = Found {
            files: Vec::new(),
            left: other,
        };
        self.notes.extend(rest.words());
    }
}

/// Rules of looking in words: those of the user, and this version of the program.
pub(super) fn rules(user: &str) -> String {
    format!("{} {user}", env!("CARGO_PKG_VERSION"))
}

/// Identity of a file that was named.
///
/// # Errors
/// It cannot be read.
pub(super) fn identify(index: &mut Index, path: &Path) -> Result<FileId, PipelineError> {
    index
        .identify(path)?
        .map_err(|e| PipelineError::io("read", path, e))
}

/// What files are: from the index, or by looking.
pub(super) fn looked(
    index: &mut Index,
    looker: &mut dyn Looker,
    kind: Kind,
    rules: &str,
    paths: &[PathBuf],
) -> Result<Vec<Looked>, PipelineError> {
    let mut all: Vec<Option<Looked>> = Vec::with_capacity(paths.len());
    let (mut open, mut looks) = (Vec::new(), Vec::new());
    for (i, path) in paths.iter().enumerate() {
        let stamp = Stamp::of(path).ok();
        let known = stamp.and_then(|s| index.known(path, kind, &s, rules).cloned());
        if known.is_none() {
            open.push((i, stamp));
            looks.push(Look {
                kind,
                path: path.clone(),
            });
        }
        all.push(known);
    }
    let mut done = 0;
    for some in looks.chunks(BATCH) {
        let found = looker.look(some)?;
        for ((i, stamp), found) in open[done..].iter().zip(found) {
            // nothing is remembered of what was not seen, or of a place that is no file of this system
            if let (Some(stamp), false) = (stamp, matches!(found, Looked::Unseen(_))) {
                index.keep(&paths[*i], kind, *stamp, rules, &found)?;
            }
            all[*i] = Some(found);
        }
        done += some.len();
        index.flush()?;
    }
    let unseen = || Looked::Unseen("was not looked at".to_string());
    Ok(all.into_iter().map(|l| l.unwrap_or_else(unseen)).collect())
}

/// Names of scattering tables.
pub(super) fn tables(name: &str) -> Verdict {
    input_files::by_ending(&["pvrt"])(name)
}
