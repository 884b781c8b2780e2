//! Answers that say why there is no other answer.

use crate::cube::CubeError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Seconds after which to ask again; chosen.
const RETRY_AFTER: &str = "5";

/// A status and words.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    words: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, words: impl Into<String>) -> Problem {
        Problem {
            status,
            words: words.into(),
        }
    }

    /// The request cannot be understood.
    pub(super) fn bad(words: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, words)
    }

    /// There is nothing of this name.
    pub(super) fn unknown(words: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, words)
    }

    /// Too much is going on, or it takes too long.
    pub(super) fn busy(words: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, words)
    }

    /// What happened is in the log; paths of this machine are nobody's business.
    pub(super) fn internal(detail: &dyn std::fmt::Display) -> Problem {
        tracing::error!("{detail}");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "a product could not be read or the answer not be made; the log of the server names it",
        )
    }
}

impl From<CubeError> for Problem {
    fn from(error: CubeError) -> Problem {
        match error {
            CubeError::Request(words) => Problem::bad(words),
            CubeError::NoData(words) => Problem::unknown(words),
            CubeError::TooLarge { .. } => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
            }
            CubeError::Stopped => Problem::busy(error.to_string()),
            other => Problem::internal(&other),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.status.as_str(), "description": self.words });
        let kind = HeaderValue::from_static("application/json");
        let mut response = (self.status, format!("{body}\n")).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let after = HeaderValue::from_static(RETRY_AFTER);
            response.headers_mut().insert(header::RETRY_AFTER, after);
        }
        response
    }
}
