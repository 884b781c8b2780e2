//! Buffers around cloud, shadow and snow (`docs/sources/cloud_objects.md`, Buffers), each in its own bits so that
//! they can be undone.

use crate::imaging::morphology::{Components, dilate};

/// Widths of the buffers, pixels.
#[derive(Debug, Clone, Copy)]
pub struct Widths {
    /// Around cloud of confidence 2 and 3.
    pub cloud: usize,
    /// Around faint or small cloud, and around shadow.
    pub narrow: usize,
}

/// Clouds of fewer pixels get the narrow buffer (chosen; `docs/sources/cloud_objects.md`, Buffers).
const SMALL: u32 = 10;

/// Buffer around cloud of a confidence map, cloud itself excluded.
pub fn around_cloud(confidence: &[u8], cols: usize, widths: Widths) -> Vec<bool> {
    let any: Vec<bool> = confidence.iter().map(|c| *c >= 1).collect();
    let parts = Components::of(&any, cols);
    let large: Vec<bool> = (0..any.len())
        .map(|i| confidence[i] >= 2 && parts.area_at(i) >= SMALL)
        .collect();
    let wide = dilate(&large, cols, widths.cloud);
    let narrow = dilate(&any, cols, widths.narrow);
    (0..any.len())
        .map(|i| !any[i] && (wide[i] || narrow[i]))
        .collect()
}

/// Buffer around shadow, shadow and cloud excluded.
pub fn around_shadow(shadow: &[bool], confidence: &[u8], cols: usize, widths: Widths) -> Vec<bool> {
    let wide = dilate(shadow, cols, widths.narrow);
    (0..shadow.len())
        .map(|i| wide[i] && !shadow[i] && confidence[i] == 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_faint_clouds_get_a_narrow_buffer() {
        let cols = 21;
        let mut confidence = vec![0u8; cols * cols];
        confidence[10 * cols + 10] = 3;
        let widths = Widths {
            cloud: 2,
            narrow: 1,
        };
        let b = around_cloud(&confidence, cols, widths);
        assert_eq!(b.iter().filter(|b| **b).count(), 8);
        for r in 8..12 {
            for c in 8..12 {
                confidence[r * cols + c] = 2;
            }
        }
        let b = around_cloud(&confidence, cols, widths);
        assert!(b[6 * cols + 10] && !b[5 * cols + 10] && !b[10 * cols + 10]);
    }
}
