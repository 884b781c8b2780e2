//! Surface reflectance and σ from TOA reflectance.
