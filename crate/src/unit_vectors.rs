//! Vectors of length one: what texts are compared by. The dot product of two is the cosine of the
//! angle between them.

use crate::simd::{F32x4, LANES, add_assign, scale};

/// Divides every row of `rows`, `[count, cols]`, by its length. A row of zeros stays what it is.
pub fn normalize(rows: &mut [f32], cols: usize) {
    for row in rows.chunks_exact_mut(cols) {
        let length = dot(row, row).sqrt();
        scale(row, 1.0 / length.max(1e-12));
    }
}

/// Adds `others` to `rows`, both `[count, cols]`, and normalizes the sums.
pub fn add_and_normalize(rows: &mut [f32], others: &[f32], cols: usize) {
    add_assign(rows, others);
    normalize(rows, cols);
}

/// The dot product of every row of `rows`, `[count, cols]`, with `vector`, `[cols]`; `[count]`.
pub fn dot_products(rows: &[f32], vector: &[f32]) -> Vec<f32> {
    rows.chunks_exact(vector.len()).map(|row| dot(row, vector)).collect()
}

fn dot(x: &[f32], y: &[f32]) -> f32 {
    let (x_vectors, x_tail) = x.as_chunks::<LANES>();
    let (y_vectors, y_tail) = y.as_chunks::<LANES>();
    let mut sums = F32x4::splat(0.0);
    for (x, y) in x_vectors.iter().zip(y_vectors) {
        sums = F32x4::load(x).mul_add(F32x4::load(y), sums);
    }
    let tail: f32 = x_tail.iter().zip(y_tail).map(|(x, y)| x * y).sum();
    sums.sum() + tail
}
