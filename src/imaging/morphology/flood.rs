//! Depth of dark basins: how far a grey-scale image must be filled until it drains to the border
//! (flood fill of potential shadows, `docs/sources/cloud_objects.md`, Qiu 2019).

/// Levels of the bucket queue over the range of the image (chosen: steps below a thousandth of reflectance).
const LEVELS: usize = 2048;
/// Mark of a cell that water has reached.
const CLOSED: u16 = 1 << 15;

/// Relative depth (filled − value) / filled of every pixel, 0 where nothing is to be filled.
///
/// `values`: row-major reflectance; NaN pixels and everything beyond the grid stand at `outside`, where
/// water drains to. Priority flood (Barnes et al. 2014) over a bucket queue: linear in the pixels.
pub fn relative_depth(values: &[f32], cols: usize, outside: f32) -> Vec<f32> {
    let cols = cols.max(1);
    let rows = values.len() / cols;
    let top = values
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .fold(outside.max(1e-3), f32::max);
    let scale = (LEVELS - 1) as f32 / top;
    let level = |v: f32| -> u16 {
        let v = if v.is_finite() { v } else { outside };
        (v * scale).clamp(0.0, (LEVELS - 1) as f32) as u16
    };
    // a frame of closed cells around the image saves every test for its edge; a cell holds its level, and
    // once water has reached it the level it is filled to and the mark
    let wide = cols + 2;
    let mut cells = vec![CLOSED; wide * (rows + 2)];
    let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); LEVELS];
    let rim = level(outside);
    for (r, line) in values.chunks_exact(cols).enumerate() {
        for (c, value) in line.iter().enumerate() {
            let border = r == 0 || c == 0 || r + 1 == rows || c + 1 == cols;
            let at = (r + 1) * wide + c + 1;
            cells[at] = level(*value);
            if border || value.is_nan() {
                let full = cells[at].max(rim);
                cells[at] = full | CLOSED;
                buckets[full as usize].push(at as u32);
            }
        }
    }
    for k in 0..LEVELS {
        while let Some(i) = buckets[k].pop() {
            let i = i as usize;
            for next in [i - wide, i + wide, i - 1, i + 1] {
                let ground = cells[next];
                if ground & CLOSED == 0 {
                    let full = ground.max(k as u16);
                    cells[next] = full | CLOSED;
                    buckets[full as usize].push(next as u32);
                }
            }
        }
    }
    let filled = cells
        .chunks_exact(wide)
        .skip(1)
        .flat_map(|line| &line[1..=cols]);
    values
        .iter()
        .zip(filled)
        .map(|(v, f)| {
            let full = f32::from(*f & !CLOSED) / scale;
            if v.is_finite() && full > 1e-3 {
                ((full - v) / full).max(0.0)
            } else {
                0.0
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dark_hole_fills_to_its_lowest_rim() {
        // bright plain 0.4 with a shadow of 0.1 and a pass of 0.3 towards the border
        let (rows, cols) = (9, 9);
        let mut v = vec![0.4f32; rows * cols];
        for r in 3..6 {
            for c in 3..6 {
                v[r * cols + c] = 0.1;
            }
        }
        let d = relative_depth(&v, cols, 0.2);
        assert!((d[4 * cols + 4] - 0.75).abs() < 0.01);
        assert_eq!(d[0], 0.0);
        for c in 6..9 {
            v[4 * cols + c] = 0.3;
        }
        let d = relative_depth(&v, cols, 0.2);
        assert!((d[4 * cols + 4] - 2.0 / 3.0).abs() < 0.01);
    }

    #[test]
    fn nothing_to_fill_and_no_data_give_zero() {
        assert!(
            relative_depth(&[f32::NAN; 9], 3, 0.2)
                .iter()
                .all(|d| *d == 0.0)
        );
        assert!(relative_depth(&[0.3; 9], 3, 0.2).iter().all(|d| *d < 0.01));
        assert!(relative_depth(&[], 3, 0.2).is_empty());
    }
}
