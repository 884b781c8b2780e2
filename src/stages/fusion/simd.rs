//! Sixteen pixels at a time: the arithmetic of every per-pixel stage runs over lanes.

/// Pixels in a group; chosen for cost (docs/sources/fusion.md, Cost).
pub(super) const LANES: usize = 16;
/// One number of each pixel of a group.
pub(super) type Lane = [f32; LANES];
/// All zero.
pub(super) const ZERO: Lane = [0.0; LANES];
/// Bands that share a Kalman gain (docs/sources/fusion.md, One gain for several bands); SWIR apart, as it may be missing alone.
pub(super) const GROUP: [usize; 4] = [0, 1, 1, 2];
/// Bands (definition).
pub(super) const BANDS: f32 = 4.0;
/// Bands that every acquisition has; SWIR may be missing (definition).
pub(super) const VNIR_BANDS: f32 = 3.0;
/// Number of gain groups (definition: of [`GROUP`]).
pub(super) const GROUPS: usize = 3;

/// Lane by lane.
#[inline(always)]
pub(super) fn each(f: impl Fn(usize) -> f32) -> Lane {
    let mut out = ZERO;
    for (l, o) in out.iter_mut().enumerate() {
        *o = f(l);
    }
    out
}

/// Runs a computation with the widest vectors the machine has. Operations and their order are the
/// same (no fused multiply-add), so results are too.
#[inline(always)]
pub(super) fn vectorised<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the feature that `wide` needs has just been detected.
            return unsafe { wide(f) };
        }
    }
    f()
}

/// Rounds to the nearest whole number (even at ties) without a library call: exact below 2²².
#[inline(always)]
pub(super) fn nearest(x: f32) -> f32 {
    /// 1.5 · 2²³ (definition of single precision): adding it leaves no room for a fraction.
    const MAGIC: f32 = 12_582_912.0;
    (x.clamp(-70_000.0, 70_000.0) + MAGIC) - MAGIC
}

/// Largest count that is a value (definition: of 16 bits, the lowest of which means no data).
const COUNT_MOST: f32 = 32_767.0;

/// The nearest count that is a value.
#[inline(always)]
pub(super) fn to_count(x: f32) -> i16 {
    nearest(x).clamp(-COUNT_MOST, COUNT_MOST) as i16
}
