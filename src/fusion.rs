//! Gap-free series from 100 m and 300 m acquisitions by Kalman smoothing.
