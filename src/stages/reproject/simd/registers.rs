//! Eight values in one register.

use std::arch::x86_64::{
    __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps,
    _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_loadu_ps, _mm256_storeu_ps,
};

/// Eight values in one register.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load(v: &[f32; 8]) -> __m256 {
    // SAFETY: eight values are readable behind the reference, and no alignment is asked for
    unsafe { _mm256_loadu_ps(v.as_ptr()) }
}

/// Eight values from an index on in one register.
///
/// # Safety
/// They must lie within the slice.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn tap(values: &[f32], at: usize) -> __m256 {
    debug_assert!(at + 8 <= values.len());
    // SAFETY: the caller's
    unsafe { _mm256_loadu_ps(values.as_ptr().add(at)) }
}

/// Eight values out of a register.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store(to: &mut [f32; 8], v: __m256) {
    // SAFETY: eight values are writable behind the reference, and no alignment is asked for
    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), v) }
}

/// Sum of eight values.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn total(v: __m256) -> f32 {
    let sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)))
}
