//! How large scores may be: no larger than the lengths of their two vectors allow.
//!
//! Squares of lengths, and infinity where there may be a NaN among them, which is no length.

use crate::gemm::{PANEL, Rows};
use crate::simd::{F32x4, LANES, load_pair};
use crate::softmax::BOUND;
use std::array::from_fn;

/// Whether no score of vectors of such squares leaves the bounds of softmax.
pub(super) fn holds(query_square: f32, key_square: f32) -> bool {
    query_square * key_square <= BOUND * BOUND
}

/// The largest square of `count` rows of `width` floats.
pub(super) fn largest_square_of_rows(count: usize, width: usize, rows: Rows) -> f32 {
    let row = |i: usize| rows.data[i * rows.stride..][..width].as_chunks::<LANES>();
    let mut largest = F32x4::splat(0.0);
    let mut tails = 0.0_f32;
    for first in (0..count).step_by(LANES) {
        // Those past the last are the last.
        let rows: [_; LANES] = from_fn(|i| row((first + i).min(count - 1)));
        let mut squares = [F32x4::splat(0.0); LANES];
        for k in 0..width / LANES {
            for (square, (vectors, _)) in squares.iter_mut().zip(rows) {
                let x = F32x4::load(&vectors[k]);
                *square = x.mul_add(x, *square);
            }
        }
        let [a, b, c, d] = F32x4::transpose(squares);
        largest = largest.max((a + b) + (c + d));
        for (_, tail) in rows {
            tails = tails.max(tail.iter().map(|x| x * x).sum());
        }
    }
    number(largest) + tails
}

/// The largest square of the columns of panels `[depth][8]`.
pub(super) fn largest_square_of_columns(panels: &[f32], depth: usize) -> f32 {
    let mut largest = F32x4::splat(0.0);
    for panel in panels.chunks_exact(depth * PANEL) {
        let mut squares = [F32x4::splat(0.0); 2];
        for row in panel.as_chunks::<PANEL>().0 {
            let row = load_pair(row);
            squares = from_fn(|half| row[half].mul_add(row[half], squares[half]));
        }
        largest = largest.max(squares[0]).max(squares[1]);
    }
    number(largest)
}

/// The largest lane. A NaN may have hidden others in its own, as the builds have it.
fn number(lanes: F32x4) -> f32 {
    let lanes = lanes.to_array();
    if lanes.iter().any(|x| x.is_nan()) {
        f32::INFINITY
    } else {
        lanes.into_iter().fold(0.0, f32::max)
    }
}
