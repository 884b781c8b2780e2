//! Making cubes beside the threads that talk to clients.

use super::Settings;
use super::file_body::FileBody;
use super::problem::Problem;
use super::query::Query;
use crate::cube::{Format, Limits, Summary, coverage_json, csv, plan};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Time a request waits for its turn; chosen: clients wait that long without a word.
const QUEUE: Duration = Duration::from_secs(5);
/// Cells of an answer in text; chosen: 80 MB at most, written in memory.
const TEXT_CELLS: u64 = 1_000_000;

/// Tells a cube to stop when nobody waits for it any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a cube came to: text, or a file without a name and its size.
enum Made {
    Text(String),
    File(std::fs::File, u64),
}

/// Makes an answer, within the limits of time and number.
pub(super) async fn answer(
    settings: &Arc<Settings>,
    turns: &Arc<Semaphore>,
    query: Query,
) -> Result<Response, Problem> {
    let waiting = tokio::time::timeout(QUEUE, Arc::clone(turns).acquire_owned());
    let Ok(Ok(turn)) = waiting.await else {
        return Err(Problem::busy(
            "too many cubes are being made; ask again later",
        ));
    };
    let stop = Arc::new(AtomicBool::new(false));
    let _guard = StopOnDrop(Arc::clone(&stop));
    let media_type = query.media_type;
    let of = Arc::clone(settings);
    let work = tokio::task::spawn_blocking(move || {
        // held until the work has ended, not until somebody stops waiting for it
        let _turn = turn;
        make(&of, &query, &stop)
    });
    let done = match tokio::time::timeout(settings.max_time, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(panic)) => return Err(Problem::internal(&panic)),
        Err(_) => {
            return Err(Problem::busy(format!(
                "the cube takes more than {} s; ask for a smaller area, fewer steps or fewer variables",
                settings.max_time.as_secs_f32()
            )));
        }
    };
    let (made, summary) = done?;
    let mut response = match made {
        Made::Text(text) => text.into_response(),
        Made::File(file, size) => Body::new(FileBody::new(file, size)).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let covered = format!("{}/{}", summary.covered, summary.wanted);
    if let Ok(covered) = HeaderValue::from_str(&covered) {
        headers.insert(HeaderName::from_static("probav-covered"), covered);
    }
    Ok(response)
}

fn make(settings: &Settings, query: &Query, stop: &AtomicBool) -> Result<(Made, Summary), Problem> {
    let plan = plan(&settings.out, &query.request)?;
    let text = matches!(query.format, Format::Csv | Format::CoverageJson);
    let limits = Limits {
        max_cells: match text {
            true => settings.max_cells.min(TEXT_CELLS),
            false => settings.max_cells,
        },
        stop,
    };
    let (made, summary) = match query.format {
        Format::Csv => {
            let (cube, summary) = plan.gather(&limits)?;
            (Made::Text(csv(&cube)), summary)
        }
        Format::CoverageJson => {
            let (cube, summary) = plan.gather(&limits)?;
            (Made::Text(coverage_json(&cube)), summary)
        }
        format => {
            let folder = tempfile::tempdir().map_err(|e| Problem::internal(&e))?;
            let summary = plan.write(&folder.path().join("cube"), format, &limits)?;
            let path = summary.files.first().cloned().unwrap_or_default();
            let file = std::fs::File::open(path).map_err(|e| Problem::internal(&e))?;
            let size = file.metadata().map_err(|e| Problem::internal(&e))?.len();
            // the folder goes here; the open file stays until it is sent
            (Made::File(file, size), summary)
        }
    };
    match summary.problems.is_empty() {
        true => Ok((made, summary)),
        false => Err(Problem::internal(&summary.problems.join("; "))),
    }
}
