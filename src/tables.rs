//! The radiative-transfer tables of `ancillary/`.
