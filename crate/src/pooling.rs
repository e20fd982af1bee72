//! Mean and largest vectors of ranges of rows: how passages and sentences are made of token vectors.

use crate::parallel::map;
use crate::simd::{add_assign, scale};
use std::ops::Range;

/// The mean of the rows of each range of `hidden_states`, `[tokens, cols]`; `[ranges, cols]`.
///
/// # Panics
///
/// If a range is empty or reaches past the rows.
pub fn mean_of_ranges(hidden_states: &[f32], cols: usize, ranges: &[Range<usize>]) -> Vec<f32> {
    let means = map(ranges.len(), |i| {
        let range = ranges[i].clone();
        assert!(!range.is_empty(), "the mean of no rows is not defined");
        let mut mean = vec![0.0; cols];
        for row in hidden_states[range.start * cols..range.end * cols].chunks_exact(cols) {
            add_assign(&mut mean, row);
        }
        scale(&mut mean, 1.0 / range.len() as f32);
        mean
    });
    means.concat()
}

/// The largest of each column in the rows of each range of `hidden_states`, `[tokens, cols]`;
/// `[ranges, cols]`.
///
/// # Panics
///
/// If a range is empty or reaches past the rows.
pub fn max_of_ranges(hidden_states: &[f32], cols: usize, ranges: &[Range<usize>]) -> Vec<f32> {
    let maxima = map(ranges.len(), |i| {
        let range = ranges[i].clone();
        assert!(!range.is_empty(), "the largest of no rows is not defined");
        let mut rows = hidden_states[range.start * cols..range.end * cols].chunks_exact(cols);
        let mut most = rows.next().unwrap_or_default().to_vec();
        for row in rows {
            for (most, &x) in most.iter_mut().zip(row) {
                *most = if x > *most { x } else { *most };
            }
        }
        most
    });
    maxima.concat()
}

/// `tanh(dense(row))`: what BERT's pooler makes of the first token's row.
pub fn pooler(row: &[f32], dense: &crate::Linear) -> Vec<f32> {
    let mut pooled = vec![0.0; dense.out_features()];
    dense.apply(row, &mut pooled);
    pooled.iter_mut().for_each(|x| *x = x.tanh());
    pooled
}
