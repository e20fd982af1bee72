//! GELU against the definition with the exact error function.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{self, assert_close, assert_same_bits, exact};
use longformer::gelu::gelu;

/// The error function is off by at most 4e-7, and half of `x`, at most 2.9 where it is not yet 1,
/// multiplies that; one rounding of results up to 6 adds 2e-7.
const TOLERANCE: f64 = 1.6e-6;

#[test]
fn gelu_matches_reference() {
    let mut x: Vec<f32> = (-60_000..=60_000).map(|i| i as f32 * 1e-4).collect();
    let expected: Vec<f64> = exact(&x).into_iter().map(reference::gelu).collect();
    gelu(&mut x);
    assert_close("-6..6", &x, &expected, TOLERANCE);
}

#[test]
fn large_numbers_stay_or_vanish_exactly() {
    for magnitude in [6.0, 7.5, 12.0, 1e3, 1e10, f32::MAX] {
        let mut x = [magnitude, -magnitude];
        gelu(&mut x);
        assert_eq!(x, [magnitude, 0.0], "of {magnitude} and its negative");
    }
}

#[test]
fn zero_stays_and_nan_stays() {
    let mut x = [0.0, f32::NAN];
    gelu(&mut x);
    assert_eq!(x[0], 0.0);
    assert!(x[1].is_nan());
}

#[test]
fn a_result_does_not_depend_on_its_place_in_the_row() {
    let x: Vec<f32> = (0..13).map(|i| i as f32 * 0.7 - 4.0).collect();
    let mut alone = x.clone();
    alone.iter_mut().for_each(|x| gelu(std::slice::from_mut(x)));
    for start in 0..x.len() {
        for end in start..=x.len() {
            let mut row = x[start..end].to_vec();
            gelu(&mut row);
            assert_same_bits((start, end), &row, &alone[start..end]);
        }
    }
}
