//! Addresses and what answers them.

use super::problem::Problem;
use super::query::{self, Kind};
use super::{Settings, pages, work};
use crate::cube::{Inventory, Source, inventory};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Semaphore};

/// Age of the list of what lies on disk; chosen: a new product is listed within a minute, and found at once.
const LISTED_FOR: Duration = Duration::from_secs(60);

/// What every answer may use.
pub(super) struct Shared {
    settings: Arc<Settings>,
    /// Cubes made at once.
    turns: Arc<Semaphore>,
    listed: Mutex<Option<(Instant, Arc<Vec<Inventory>>)>>,
}

type Pairs = Vec<(String, String)>;

/// All addresses.
pub(super) fn router(settings: Settings) -> Router {
    let shared = Shared {
        turns: Arc::new(Semaphore::new(settings.max_concurrent.max(1))),
        settings: Arc::new(settings),
        listed: Mutex::new(None),
    };
    Router::new()
        .route("/", get(landing))
        .route("/conformance", get(conformance))
        .route("/collections", get(collections))
        .route("/collections/{id}", get(collection))
        .route("/collections/{id}/{kind}", get(data))
        .fallback(nowhere)
        .with_state(Arc::new(shared))
}

async fn nowhere() -> Problem {
    Problem::unknown("there is nothing at this address; begin at /")
}

async fn landing(headers: HeaderMap) -> Response {
    page(&pages::landing(&base(&headers)))
}

async fn conformance() -> Response {
    page(&pages::conformance())
}

async fn collections(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let all = shared.inventory().await?;
    Ok(page(&pages::collections(&base(&headers), &all)))
}

async fn collection(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let source = named(&id)?;
    let all = shared.inventory().await?;
    let found = all.iter().find(|i| i.source == source);
    let found = found.ok_or_else(|| Problem::unknown("the collection holds nothing yet"))?;
    Ok(page(&pages::collection(&base(&headers), found)))
}

async fn data(
    State(shared): State<Arc<Shared>>,
    Path((id, kind)): Path<(String, String)>,
    pairs: Result<Query<Pairs>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let source = named(&id)?;
    let kind = Kind::ALL.into_iter().find(|k| k.name() == kind);
    let kind = kind.ok_or_else(|| Problem::unknown("queries are position, area and cube"))?;
    let Query(pairs) = pairs.map_err(|e| Problem::bad(e.body_text()))?;
    let query = query::parse(source, kind, pairs)?;
    work::answer(&shared.settings, &shared.turns, query).await
}

/// The source of a collection; nothing else of an address is looked at.
fn named(id: &str) -> Result<Source, Problem> {
    let found = Source::ALL.into_iter().find(|s| s.name() == id);
    found.ok_or_else(|| {
        let names = Source::ALL.map(Source::name).join(", ");
        Problem::unknown(format!("there is no such collection; there are {names}"))
    })
}

impl Shared {
    /// What lies on disk, looked at once a minute at most.
    async fn inventory(&self) -> Result<Arc<Vec<Inventory>>, Problem> {
        let mut listed = self.listed.lock().await;
        if let Some((when, all)) = &*listed
            && when.elapsed() < LISTED_FOR
        {
            return Ok(Arc::clone(all));
        }
        let out = self.settings.out.clone();
        let look = move || -> Result<Vec<Inventory>, crate::cube::CubeError> {
            let each = Source::ALL.map(|source| inventory(&out, source));
            let all: Result<Vec<_>, _> = each.into_iter().collect();
            Ok(all?.into_iter().flatten().collect())
        };
        let looked = tokio::task::spawn_blocking(look).await;
        let all = Arc::new(looked.map_err(|e| Problem::internal(&e))??);
        for problem in all.iter().flat_map(|i| &i.problems) {
            tracing::warn!("{problem}");
        }
        *listed = Some((Instant::now(), Arc::clone(&all)));
        Ok(all)
    }
}

fn page(value: &Value) -> Response {
    let mut response = format!("{value:#}\n").into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Beginning of links: the host as the client calls it, or nothing.
fn base(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '[' | ']');
    match host {
        Some(host) if !host.is_empty() && host.chars().all(plain) => format!("http://{host}"),
        _ => String::new(),
    }
}
