//! Mean and largest vectors of ranges of rows, and BERT's pooler.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{self, Random, assert_close, assert_same_bits, exact};
use longformer::Linear;
use longformer::pooling::{self, pooler};
use longformer::work::whole;
use std::ops::Range;

/// Sums of up to 500 numbers in -1..1 stay below 50, where one rounding is 2e-6; the mean divides
/// the error of the sum by the number of rows.
const TOLERANCE: f64 = 1e-6;

fn mean_of_ranges(x: &[f32], cols: usize, ranges: &[Range<usize>]) -> Vec<f32> {
    let mut means = vec![f32::NAN; ranges.len() * cols];
    whole(|work| pooling::mean_of_ranges(work, x, cols, ranges, &mut means));
    means
}

fn max_of_ranges(x: &[f32], cols: usize, ranges: &[Range<usize>]) -> Vec<f32> {
    let mut maxima = vec![f32::NAN; ranges.len() * cols];
    whole(|work| pooling::max_of_ranges(work, x, cols, ranges, &mut maxima));
    maxima
}

#[test]
fn mean_of_ranges_matches_reference() {
    let mut random = Random::new(1);
    for cols in [1, 3, 4, 8, 13, 64] {
        let x = random.floats(500 * cols, 1.0);
        let ranges = [0..1, 0..500, 499..500, 3..7, 5..6, 3..7, 100..217];
        let means = mean_of_ranges(&x, cols, &ranges);
        let expected = ranges.map(|range| reference::mean_of_rows(&x, cols, range)).concat();
        assert_close(cols, &means, &expected, TOLERANCE);
    }
}

#[test]
fn the_mean_of_one_row_is_the_row() {
    let x = Random::new(2).floats(10 * 7, 1.0);
    let rows: Vec<_> = (0..10).map(|row| row..row + 1).collect();
    assert_same_bits("rows", &mean_of_ranges(&x, 7, &rows), &x);
}

#[test]
fn max_of_ranges_matches_reference() {
    let mut random = Random::new(4);
    for cols in [1, 3, 8, 13] {
        let x = random.floats(50 * cols, 1.0);
        let ranges = [0..1, 0..50, 49..50, 3..7, 10..17];
        let expected = ranges.clone().map(|range| {
            let column = |col| range.clone().map(move |row| row * cols + col);
            (0..cols).map(|col| column(col).map(|at| x[at]).fold(f32::MIN, f32::max)).collect()
        });
        let expected: Vec<f32> = expected.into_iter().flat_map(|row: Vec<f32>| row).collect();
        assert_same_bits("maxima", &max_of_ranges(&x, cols, &ranges), &expected);
    }
}

#[test]
fn no_ranges_have_no_means() {
    assert!(mean_of_ranges(&[1.0; 4], 2, &[]).is_empty());
}

#[test]
fn pooler_matches_reference() {
    let mut random = Random::new(3);
    let (weight, bias) = (random.floats(12 * 9, 1.0), random.floats(9, 1.0));
    let mut dense = Linear::try_new(12, 9, 1).expect("memory");
    dense.write_weight(0, &weight).expect("finite");
    dense.write_bias(0, &bias);
    let row = random.floats(12, 1.0);
    let expected: Vec<f64> =
        reference::linear(&exact(&row), &weight, &bias).into_iter().map(f64::tanh).collect();
    assert_close("pooler", &pooler(&row, &dense), &expected, TOLERANCE);
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
#[should_panic(expected = "the mean of no rows")]
#[allow(clippy::reversed_empty_ranges, reason = "an empty range is the point")]
fn an_empty_range_is_refused() {
    mean_of_ranges(&[1.0; 4], 2, &[0..1, 1..1]);
}
