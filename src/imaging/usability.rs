//! From evidence to the class of a pixel and to the usable-data mask: rules on the bits of [`crate::types::status`].

use crate::imaging::morphology::{dilate, flat};
use crate::types::status::{qx, sm, usable};
use ndarray::Array2;

/// USABLE of one pixel by the first rule that matches (docs/sources/products.md, USABLE): derived from
/// the other layers alone, so that it can always be made again.
///
/// ```
/// use probav_ard::imaging::usability::usable_of;
/// use probav_ard::types::status::{qx, sm, usable};
/// let seen = sm::COVERED.iter().chain(&sm::GOOD).sum::<u16>();
/// assert_eq!(usable_of(seen | sm::CLEAR, 0, false), usable::USABLE);
/// assert_eq!(usable_of(seen | sm::CLEAR, qx::SWIR_PARALLAX, false), usable::VNIR_ONLY);
/// assert_eq!(usable_of(seen | sm::CLOUD, 3, false), usable::CLOUD);
/// ```
pub fn usable_of(sm: u16, qx: u16, buffered_snow: bool) -> u8 {
    let covered = sm::COVERED.map(|b| sm & b != 0);
    let good = sm::GOOD.map(|b| sm & b != 0);
    let class = sm & sm::CLASS;
    if !covered[..3].iter().all(|c| *c) || class == sm::UNDEFINED {
        usable::NODATA
    } else if sm & sm::SATURATED != 0 || !good[..3].iter().all(|g| *g) {
        usable::BAD
    } else if class == sm::CLOUD || qx & qx::CONFIDENCE >= 1 {
        usable::CLOUD
    } else if class == sm::SHADOW || qx & (qx::SHADOW_OBJECT | qx::SHADOW_TEMPORAL) != 0 {
        usable::SHADOW
    } else if qx & qx::VERDICT == qx::REMOVED {
        usable::OUTLIER
    } else if class == sm::SNOW || qx & qx::SNOW != 0 {
        usable::SNOW
    } else if qx & (qx::CLOUD_BUFFER | qx::SHADOW_BUFFER) != 0 || buffered_snow {
        usable::BUFFER
    } else if sm & sm::LOW_SUN != 0 || qx & qx::TERRAIN_SHADOW != 0 {
        usable::LOW_SUN
    } else if !covered[3] || !good[3] || qx & qx::SWIR_PARALLAX != 0 {
        usable::VNIR_ONLY
    } else {
        usable::USABLE
    }
}

/// SM with its class bits from the evidence, by priority: undefined > cloud of confidence 2 and 3 > snow >
/// shadow > clear (docs/sources/masking.md, class).
pub fn with_class(sm: u16, qx: u16, undefined: bool) -> u16 {
    let class = if undefined {
        sm::UNDEFINED
    } else if qx & qx::CONFIDENCE >= 2 {
        sm::CLOUD
    } else if qx & qx::SNOW != 0 {
        sm::SNOW
    } else if qx & (qx::SHADOW_OBJECT | qx::SHADOW_TEMPORAL) != 0 {
        sm::SHADOW
    } else {
        sm::CLEAR
    };
    sm & !sm::CLASS | class
}

/// USABLE of a whole layer; pixels next to snow count as buffered (SWIR is 200 m wide: docs/sources/products.md,
/// USABLE). `sm` and `qx` have the same shape.
pub fn usable_layer(sm: &Array2<u16>, qx: &Array2<u16>) -> Array2<u8> {
    let (words, evidence) = (flat(sm), flat(qx));
    let snow: Vec<bool> = words.iter().map(|s| s & sm::CLASS == sm::SNOW).collect();
    let near = dilate(&snow, sm.ncols(), 1);
    let all = words.iter().zip(evidence.iter()).zip(near);
    let usable = all.map(|((s, q), n)| usable_of(*s, *q, n)).collect();
    Array2::from_shape_vec(sm.dim(), usable).unwrap_or_else(|_| Array2::zeros(sm.dim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_land_is_the_value_probav_users_know() {
        // 248 is clear land with all bands good in PROBA-V's 8-bit map
        let sm = sm::CLEAR | sm::LAND | sm::GOOD.iter().sum::<u16>();
        assert_eq!(sm, 248);
        let all = sm | sm::COVERED.iter().sum::<u16>();
        assert_eq!(usable_of(all, 0, false), usable::USABLE);
        assert_eq!(usable_of(all | sm::SATURATED, 0, false), usable::BAD);
        assert_eq!(usable_of(all, 1, false), usable::CLOUD);
        assert_eq!(
            usable_of(all & !sm::COVERED[3], 0, false),
            usable::VNIR_ONLY
        );
        assert_eq!(usable_of(all & !sm::COVERED[0], 0, false), usable::NODATA);
    }
}
