//! Dates in pictures: a 3 × 5 bitmap font of digits and the hyphen.

use super::Canvas;

/// Rows of three bits, top to bottom.
const GLYPHS: [[u8; 5]; 11] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b011, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b010, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
    [0b000, 0b000, 0b111, 0b000, 0b000],
];

/// Pixels per bit; chosen by eye.
const SIZE: usize = 2;
/// Height of a line, pixels.
pub(super) const LINE: usize = 7 * SIZE;

/// Writes digits and hyphens in black from a top-left corner; other characters leave a space.
pub(super) fn write(canvas: &mut Canvas, row: usize, col: usize, text: &str) {
    for (i, character) in text.chars().enumerate() {
        let glyph = match character {
            '-' => &GLYPHS[10],
            c => match c.to_digit(10) {
                Some(d) => &GLYPHS[d as usize],
                None => continue,
            },
        };
        for (y, bits) in glyph.iter().enumerate() {
            for x in (0..3).filter(|x| bits >> (2 - x) & 1 == 1) {
                for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let left = col + (i * 4 + x) * SIZE;
                    canvas.set(row + (y + 1) * SIZE + dy, left + dx, [20, 20, 20, 255]);
                }
            }
        }
    }
}
