//! Position as measured against a reference, as item properties.

use super::rounded;
use serde_json::{Value, json};

/// Result of a geometric check. Metres, east and north.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Mean displacement against the reference.
    pub bias: [f64; 2],
    /// Standard deviation of one component of the displacement about its mean.
    pub sigma: f64,
    /// Root mean square of the displacement, bias included.
    pub rmse: f64,
    /// 90th percentile of the length of the displacement.
    pub ce90: f64,
    /// Image chips behind it.
    pub chips: usize,
    /// The mapping was refined with such a check before.
    pub refined: bool,
}

impl Accuracy {
    /// `accuracy:` (extension v1.0.0-beta.1) for what it has fields for, `probav:geometric_…` for the rest.
    pub fn properties(&self) -> Value {
        json!({
            "accuracy:geometric_x_bias": rounded(self.bias[0], 2),
            "accuracy:geometric_y_bias": rounded(self.bias[1], 2),
            "accuracy:geometric_x_stddev": rounded(self.sigma, 2),
            "accuracy:geometric_y_stddev": rounded(self.sigma, 2),
            "accuracy:geometric_rmse": rounded(self.rmse, 2),
            "probav:geometric_ce90": rounded(self.ce90, 2),
            "probav:geometric_chips": self.chips,
            "probav:geometric_refined": self.refined,
        })
    }
}
