//! Vectors of length one.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{Random, assert_close, exact, matrix_product};
use longformer::unit_vectors::{add_and_normalize, dot_products, normalize};

/// Sums of up to 384 products below 1 in four lanes: 100 roundings of 6e-8 each.
const TOLERANCE: f64 = 1e-5;

/// One column, tails, whole vectors, a real size.
const COLS: [usize; 6] = [1, 3, 4, 7, 64, 384];

fn normalized(rows: &[f64], cols: usize) -> Vec<f64> {
    let length = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    rows.chunks_exact(cols).flat_map(|row| row.iter().map(|x| x / length(row))).collect()
}

#[test]
fn normalize_matches_definition() {
    for cols in COLS {
        let mut rows = Random::new(1).floats(5 * cols, 3.0);
        let expected = normalized(&exact(&rows), cols);
        normalize(&mut rows, cols);
        assert_close(cols, &rows, &expected, TOLERANCE);
    }
}

#[test]
fn add_and_normalize_matches_definition() {
    let mut random = Random::new(2);
    for cols in COLS {
        let (mut rows, others) = (random.floats(5 * cols, 1.0), random.floats(5 * cols, 1.0));
        let sums: Vec<f64> =
            rows.iter().zip(&others).map(|(&x, &y)| f64::from(x) + f64::from(y)).collect();
        add_and_normalize(&mut rows, &others, cols);
        assert_close(cols, &rows, &normalized(&sums, cols), 10.0 * TOLERANCE);
    }
}

#[test]
fn dot_products_match_definition() {
    let mut random = Random::new(3);
    for cols in COLS {
        let (mut rows, mut vector) = (random.floats(5 * cols, 1.0), random.floats(cols, 1.0));
        normalize(&mut rows, cols);
        normalize(&mut vector, cols);
        let expected = matrix_product(&exact(&rows), &exact(&vector), [5, cols, 1]);
        assert_close(cols, &dot_products(&rows, &vector), &expected, TOLERANCE);
    }
}

#[test]
fn zeros_stay_zeros() {
    let mut rows = [0.0; 6];
    normalize(&mut rows, 3);
    assert_eq!(rows, [0.0; 6]);
}

#[test]
fn no_rows_have_no_products() {
    assert!(dot_products(&[], &[1.0, 0.0]).is_empty());
}
