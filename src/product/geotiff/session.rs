//! GDAL's global settings: no noise on stderr, a bounded block cache, failures remembered.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static FAILURE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Bytes of GDAL's block cache unless the user sets `GDAL_CACHEMAX`: its own default, 5 % of the
/// machine's memory, would break the memory bound of a worker. Chosen, not tuned.
const CACHE: &str = "67108864";

/// Bytes of a message that are kept; chosen, so that a damaged file cannot fill the log.
const MESSAGE: usize = 500;

/// Sets GDAL up once per process: messages go to `tracing` instead of stderr, the block cache is 64 MB
/// unless `GDAL_CACHEMAX` says otherwise. Called by every function of this room that uses GDAL.
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gdal::config::set_error_handler(|class, number, message| {
            tracing::debug!(?class, number, "gdal: {message}");
            if matches!(
                class,
                gdal::errors::CplErrType::Failure | gdal::errors::CplErrType::Fatal
            ) {
                FAILURE.with(|f| {
                    f.borrow_mut()
                        .get_or_insert_with(|| message.to_string())
                        .truncate(MESSAGE)
                });
            }
        });
        if std::env::var_os("GDAL_CACHEMAX").is_none() {
            gdal::config::set_config_option("GDAL_CACHEMAX", CACHE).ok();
        }
    });
}

/// Forgets the failures of this thread, before a call whose result GDAL may report only through them.
pub(crate) fn watched() {
    prepare();
    FAILURE.with(|f| f.borrow_mut().take());
}

/// The first failure GDAL reported on this thread since [`watched`].
pub(crate) fn last_failure() -> Option<String> {
    FAILURE.with(|f| f.borrow_mut().take())
}
