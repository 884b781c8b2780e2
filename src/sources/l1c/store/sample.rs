//! Element types that can be read, and their numbers from bytes.

use hdf5::types::{FloatSize, IntSize, TypeDescriptor};

/// An element type that can be read.
pub(in crate::sources::l1c) trait Sample:
    hdf5::H5Type + Copy + Default + Send + Sync
{
    /// Bytes of one element, by definition of the type.
    const BYTES: usize;
    /// The type in HDF5's words.
    fn is(kind: &TypeDescriptor) -> bool;
    /// Elements from little-endian bytes.
    fn from_plain(bytes: &[u8], out: &mut [Self]);
    /// Elements from the byte planes of a shuffled chunk of `count` elements, beginning at `at`.
    fn from_planes(bytes: &[u8], count: usize, at: usize, out: &mut [Self]);
}

impl Sample for u8 {
    const BYTES: usize = 1;
    fn is(kind: &TypeDescriptor) -> bool {
        matches!(kind, TypeDescriptor::Unsigned(IntSize::U1))
    }
    fn from_plain(bytes: &[u8], out: &mut [u8]) {
        out.copy_from_slice(bytes);
    }
    fn from_planes(bytes: &[u8], _: usize, at: usize, out: &mut [u8]) {
        out.copy_from_slice(&bytes[at..at + out.len()]);
    }
}

impl Sample for i16 {
    const BYTES: usize = 2;
    fn is(kind: &TypeDescriptor) -> bool {
        matches!(kind, TypeDescriptor::Integer(IntSize::U2))
    }
    fn from_plain(bytes: &[u8], out: &mut [i16]) {
        for (value, b) in out.iter_mut().zip(bytes.chunks_exact(2)) {
            *value = i16::from_le_bytes([b[0], b[1]]);
        }
    }
    fn from_planes(bytes: &[u8], count: usize, at: usize, out: &mut [i16]) {
        let low = &bytes[at..at + out.len()];
        let high = &bytes[count + at..count + at + out.len()];
        for ((value, &l), &h) in out.iter_mut().zip(low).zip(high) {
            *value = i16::from_le_bytes([l, h]);
        }
    }
}

impl Sample for f64 {
    const BYTES: usize = 8;
    fn is(_: &TypeDescriptor) -> bool {
        false // rare: left to libhdf5, which also converts
    }
    fn from_plain(_: &[u8], _: &mut [f64]) {}
    fn from_planes(_: &[u8], _: usize, _: usize, _: &mut [f64]) {}
}

impl Sample for f32 {
    const BYTES: usize = 4;
    fn is(kind: &TypeDescriptor) -> bool {
        matches!(kind, TypeDescriptor::Float(FloatSize::U4))
    }
    fn from_plain(bytes: &[u8], out: &mut [f32]) {
        for (value, b) in out.iter_mut().zip(bytes.chunks_exact(4)) {
            *value = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        }
    }
    fn from_planes(bytes: &[u8], count: usize, at: usize, out: &mut [f32]) {
        let plane = |k: usize| &bytes[k * count + at..k * count + at + out.len()];
        let (p0, p1, p2, p3) = (plane(0), plane(1), plane(2), plane(3));
        for (i, value) in out.iter_mut().enumerate() {
            *value = f32::from_le_bytes([p0[i], p1[i], p2[i], p3[i]]);
        }
    }
}
