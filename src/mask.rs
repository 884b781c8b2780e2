//! Single-date status: cloud, shadow, snow, water.
