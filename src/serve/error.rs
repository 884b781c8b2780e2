//! Why a server does not start, or ends.

use crate::types::error::{Class, Classified};
use std::net::SocketAddr;

/// An error of the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The folder to serve does not exist.
    #[error("{0} is no folder; name the folder that `run` wrote to")]
    NoFolder(String),
    /// The address cannot be listened at.
    #[error("cannot listen at {bind}: {source}; give another --bind")]
    Bind {
        /// The address.
        bind: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The threads of the server cannot be started.
    #[error("cannot start the server: {0}")]
    Start(std::io::Error),
}

impl Classified for ServeError {
    fn class(&self) -> Class {
        match self {
            ServeError::NoFolder(_) => Class::Usage,
            ServeError::Bind { .. } | ServeError::Start(_) => Class::System,
        }
    }
}
