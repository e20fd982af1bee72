//! Vectors of length one.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{Random, assert_close, exact, matrix_product};
use longformer::unit_vectors::{Nearest, Neighbor, add_and_normalize, first_longer, normalize};

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
fn nearest_are_the_rows_of_the_largest_products_in_order() {
    let mut random = Random::new(3);
    for cols in COLS {
        let (mut rows, mut vector) = (random.floats(50 * cols, 1.0), random.floats(cols, 1.0));
        normalize(&mut rows, cols);
        normalize(&mut vector, cols);
        let products = matrix_product(&exact(&rows), &exact(&vector), [50, cols, 1]);
        let mut sorted = products.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        for count in [0, 1, 7, 50, 1000] {
            let mut nearest = Nearest::new(vector.clone(), count);
            for part in rows.chunks(13 * cols) {
                nearest.look(part);
            }
            let best = nearest.best();
            let scores: Vec<f32> = best.iter().map(|neighbor| neighbor.score).collect();
            assert_close(cols, &scores, &sorted[..count.min(50)], TOLERANCE);
            for Neighbor { score, place } in best {
                assert_close(cols, &[score], &[products[place as usize]], TOLERANCE);
            }
        }
    }
}

#[test]
fn of_equals_the_earlier_is_nearer() {
    let mut nearest = Nearest::new(vec![1.0, 0.0], 3);
    nearest.look(&[0.5, 0.0, 0.25, 0.0, 0.5, 1.0]);
    nearest.look(&[0.5, 2.0, 0.5, 3.0]);
    assert_eq!(nearest.best().iter().map(|neighbor| neighbor.place).collect::<Vec<_>>(), [0, 2, 3]);
}

#[test]
fn rows_that_no_normalization_leaves_are_found() {
    let mut random = Random::new(4);
    for cols in COLS {
        let mut rows = random.floats(5 * cols, 3.0);
        normalize(&mut rows, cols);
        rows[..cols].fill(0.0);
        assert_eq!(first_longer(&rows, cols), None);
        for odd in [1.1, f32::NAN, f32::INFINITY] {
            let mut changed = rows.clone();
            changed[3 * cols] = odd;
            assert_eq!(first_longer(&changed, cols), Some(3), "{odd}");
        }
    }
}

#[test]
fn zeros_stay_zeros() {
    let mut rows = [0.0; 6];
    normalize(&mut rows, 3);
    assert_eq!(rows, [0.0; 6]);
}

#[test]
fn no_rows_have_no_nearest() {
    let mut nearest = Nearest::new(vec![1.0, 0.0], 3);
    nearest.look(&[]);
    assert!(nearest.best().is_empty());
}
