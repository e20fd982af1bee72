//! Rows of activations in 8 bits: each quantised by its own range.

use super::step::{Form, STEP};
use crate::simd::{F32x4, I16x8, LANES, ROUNDING, load_pair};
use std::hint::black_box;

/// The left matrix where it is at hand already: rows of [`quantize_row`] whose beginnings are
/// `stride` apart.
#[derive(Clone, Copy)]
pub struct QuantizedRows<'a> {
    /// From the first element of the first row on.
    pub data: &'a [i32],
    /// Distance of neighbouring rows.
    pub stride: usize,
}

/// Before the numbers of a row: the bits of its scale, and by how much its numbers are above `q`.
const HEADER: usize = 2;

impl<'a> QuantizedRows<'a> {
    pub(super) fn after(self, first: usize) -> Self {
        Self { data: &self.data[first * self.stride..], ..self }
    }

    pub(super) fn scale(self, row: usize) -> f32 {
        f32::from_bits(self.data[row * self.stride] as u32)
    }

    #[allow(dead_code, reason = "the step of two keeps numbers as they are")]
    pub(super) fn shift(self, row: usize) -> i32 {
        self.data[row * self.stride + 1]
    }

    /// From the first number of a row on.
    pub(super) fn numbers(self, row: usize) -> &'a [i32] {
        &self.data[row * self.stride + HEADER..]
    }
}

/// Elements of a quantised row.
pub fn quantized_row_len(depth: usize) -> usize {
    HEADER + depth.next_multiple_of(2 * LANES) / STEP
}

/// Quantises a row of `A`: its header, then its numbers, as many in an element as a step takes. The
/// scale is NaN if there is a NaN or an infinity among them.
///
/// # Panics
///
/// If `quantized` is shorter than [`quantized_row_len`] says.
pub fn quantize_row(row: &[f32], quantized: &mut [i32]) {
    let (eights, tail) = row.as_chunks::<{ 2 * LANES }>();
    // Zeros change no range that has 0 in it.
    let mut last = [0.0; 2 * LANES];
    last[..tail.len()].copy_from_slice(tail);

    let zero = F32x4::splat(0.0);
    let (mut least, mut most, mut poison) = (zero, zero, zero);
    let mut see = |eight: &[f32; 2 * LANES]| {
        for x in load_pair(eight) {
            least = least.min(x);
            most = most.max(x);
            poison = poison + x * zero; // 0 or NaN, of which `min` and `max` know nothing
        }
    };
    eights.iter().for_each(&mut see);
    see(&last);
    let (least, most) = (least.smallest(), most.largest());
    // Divided before they are subtracted: the difference may be too large for a float.
    let scale = most / 255.0 - least / 255.0 + poison.sum();
    let inverse = inverse_of(scale);

    // Both ends may round outwards, and lie 256 steps apart then.
    let zero_point = (-least * inverse).round_ties_even();
    let (factor, top) = (F32x4::splat(inverse), F32x4::splat(255.0 - zero_point));
    let form = Form::here();
    let shift = form.shift(zero_point);
    let rounding = black_box([ROUNDING, ROUNDING - shift]).map(F32x4::splat);
    let (to, _) = quantized[HEADER..].as_chunks_mut::<{ 2 * LANES / STEP }>();
    let store = |eight: &[f32; 2 * LANES], to: &mut [i32; 2 * LANES / STEP]| {
        let numbers = load_pair(eight).map(|x| (x * factor).min(top));
        form.store(I16x8::nearest(numbers, rounding), to);
    };
    for (eight, to) in eights.iter().zip(to.iter_mut()) {
        store(eight, to);
    }
    if !tail.is_empty() {
        store(&last, &mut to[eights.len()]);
    }
    quantized[0] = scale.to_bits() as i32;
    quantized[1] = shift as i32;
}

/// Numbers in a range that is even about 0: `store(i, x)` gets each in `-most..=most`. Returns their
/// scale; with a NaN or an infinity among them that is NaN.
pub fn quantize_symmetric(numbers: &[f32], most: i8, mut store: impl FnMut(usize, i8)) -> f32 {
    let largest = numbers.iter().fold(0.0, |largest: f32, x| largest.max(x.abs()));
    let poison: f32 = numbers.iter().map(|x| x * 0.0).sum(); // 0 or NaN, of which `max` knows nothing
    let scale = largest / f32::from(most) + poison;
    let inverse = inverse_of(scale);
    for (i, x) in numbers.iter().enumerate() {
        store(i, (x * inverse).round_ties_even() as i8);
    }
    scale
}

/// `1 / scale`, or 0 for a scale so small that its inverse is no float: such numbers count as 0.
fn inverse_of(scale: f32) -> f32 {
    if scale < f32::MIN_POSITIVE { 0.0 } else { 1.0 / scale }
}
