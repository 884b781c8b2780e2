//! Connections: how many, how long, and their orderly end.

use super::routes::router;
use super::{ServeError, Settings};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at once; more wait in the queue of the system. Chosen.
const CONNECTIONS: usize = 256;
/// Time for the head of a request, and for a connection to lie idle; chosen.
const HEAD: Duration = Duration::from_secs(10);
/// Bytes of the head of a request, address and all; chosen: polygons of some hundred points fit.
const HEAD_BYTES: usize = 32 * 1024;
/// Time of a connection beyond that of one answer; chosen: 100 MB at 300 kB/s.
const SENDING: Duration = Duration::from_secs(300);
/// Time for open answers to end when the server is stopped; chosen.
const FAREWELL: Duration = Duration::from_secs(10);
/// How often the wish to stop is looked for, and pause after a failure to accept; chosen.
const LOOK: Duration = Duration::from_millis(100);
/// Threads that talk to clients; chosen: they never compute.
const THREADS: usize = 2;

/// Serves until `stop` becomes true; tells the address through `started`.
///
/// # Errors
/// [`ServeError::NoFolder`], [`ServeError::Bind`], [`ServeError::Start`].
pub fn serve(
    settings: &Settings,
    stop: &AtomicBool,
    started: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    if !settings.out.is_dir() {
        return Err(ServeError::NoFolder(settings.out.display().to_string()));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(ServeError::Start)?;
    let done = runtime.block_on(listen(settings, stop, started));
    // cubes that nobody waits for any more end at their next block
    runtime.shutdown_timeout(FAREWELL);
    done
}

async fn listen(
    settings: &Settings,
    stop: &AtomicBool,
    started: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let failed = |source| ServeError::Bind {
        bind: settings.bind,
        source,
    };
    let listener = TcpListener::bind(settings.bind).await.map_err(failed)?;
    started(listener.local_addr().map_err(failed)?);
    let router = router(settings.clone());
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let longest = settings.max_time + SENDING;
    while !stop.load(Ordering::Relaxed) {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        // a place without a client is given back
        let Ok((Ok(place), accepted)) = tokio::time::timeout(LOOK, next).await else {
            continue;
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = connect(TokioIo::new(stream), router.clone());
                let watched = graceful.watch(connection);
                tokio::spawn(async move {
                    let _place = place;
                    if let Ok(Err(error)) = tokio::time::timeout(longest, watched).await {
                        tracing::debug!("a connection ended: {error}");
                    }
                });
            }
            Err(error) => {
                // out of files, as a rule: connections that end give some back
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(LOOK).await;
            }
        }
    }
    drop(listener);
    let ended = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
    if ended.is_err() {
        tracing::warn!("answers that were being sent were cut off");
    }
    Ok(())
}

type Connection = http1::Connection<TokioIo<tokio::net::TcpStream>, TowerToHyperService<Router>>;

fn connect(stream: TokioIo<tokio::net::TcpStream>, router: Router) -> Connection {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(stream, TowerToHyperService::new(router))
}
