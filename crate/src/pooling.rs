//! Mean and largest vectors of ranges of rows: how passages and sentences are made of token vectors.

use crate::simd::{add_assign, scale};
use crate::work::{Stop, Work};
use std::ops::Range;

/// Writes the mean of the rows of each range of `hidden_states`, `[tokens, cols]`, to `means`,
/// `[ranges, cols]`.
///
/// # Panics
///
/// If a range is empty or reaches past the rows, or the shapes do not fit.
pub fn mean_of_ranges(
    work: &mut Work,
    hidden_states: &[f32],
    cols: usize,
    ranges: &[Range<usize>],
    means: &mut [f32],
) -> Result<(), Stop> {
    assert_eq!(means.len(), ranges.len() * cols, "there must be a mean for each range");
    work.for_each_chunk(means, cols, |i, mean| {
        let range = ranges[i].clone();
        assert!(!range.is_empty(), "the mean of no rows is not defined");
        mean.fill(0.0);
        for row in hidden_states[range.start * cols..range.end * cols].chunks_exact(cols) {
            add_assign(mean, row);
        }
        scale(mean, 1.0 / range.len() as f32);
    })
}

/// Writes the largest of each column in the rows of each range of `hidden_states`,
/// `[tokens, cols]`, to `maxima`, `[ranges, cols]`.
///
/// # Panics
///
/// If a range is empty or reaches past the rows, or the shapes do not fit.
pub fn max_of_ranges(
    work: &mut Work,
    hidden_states: &[f32],
    cols: usize,
    ranges: &[Range<usize>],
    maxima: &mut [f32],
) -> Result<(), Stop> {
    assert_eq!(maxima.len(), ranges.len() * cols, "there must be a row for each range");
    work.for_each_chunk(maxima, cols, |i, most| {
        let range = ranges[i].clone();
        assert!(!range.is_empty(), "the largest of no rows is not defined");
        let mut rows = hidden_states[range.start * cols..range.end * cols].chunks_exact(cols);
        most.copy_from_slice(rows.next().unwrap_or_default());
        for row in rows {
            for (most, &x) in most.iter_mut().zip(row) {
                *most = if x > *most { x } else { *most };
            }
        }
    })
}

/// `tanh(dense(row))`: what BERT's pooler makes of the first token's row.
pub fn pooler(row: &[f32], dense: &crate::Linear) -> Vec<f32> {
    let mut pooled = vec![0.0; dense.out_features()];
    dense.apply(row, &mut pooled);
    pooled.iter_mut().for_each(|x| *x = x.tanh());
    pooled
}
