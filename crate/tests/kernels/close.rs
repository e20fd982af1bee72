//! The comparison that all other tests rest on, and the definitions where tables know better.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{erf, largest_error, mismatch};

#[test]
fn equal_values_match() {
    assert_eq!(mismatch(&[1.0, -2.5], &[1.0, -2.5], 0.0), None);
    assert_eq!(mismatch(&[1.0], &[1.5], 0.5), None);
}

#[test]
fn a_difference_names_its_place_and_both_values() {
    let message = mismatch(&[1.0, 2.0], &[1.0, 2.5], 0.25).expect("they differ");
    assert!(message.contains("[1] is 2, expected 2.5"), "{message}");
}

#[test]
fn nan_never_matches() {
    for place in 0..3 {
        let mut actual = [0.0; 3];
        actual[place] = f32::NAN;
        assert!(mismatch(&actual, &[0.0; 3], 1e30).is_some(), "NaN at {place}");
        assert!(largest_error(&actual, &[0.0; 3]).is_nan(), "NaN at {place}");
    }
    assert!(mismatch(&[0.0], &[f64::NAN], 1e30).is_some());
    assert!(mismatch(&[f32::NAN], &[f64::NAN], 1e30).is_some());
}

#[test]
fn other_lengths_never_match() {
    assert!(mismatch(&[0.0], &[0.0, 0.0], 1.0).is_some());
    assert!(mismatch(&[0.0], &[], 1.0).is_some());
}

/// Abramowitz and Stegun, table 7.1, with more digits.
#[test]
fn the_error_function_agrees_with_tables() {
    let table = [
        (0.0, 0.0),
        (0.5, 0.520_499_877_813_046_5),
        (1.0, 0.842_700_792_949_714_9),
        (2.0, 0.995_322_265_018_952_7),
        (3.0, 0.999_977_909_503_001_4),
    ];
    for (x, expected) in table {
        assert!((erf(x) - expected).abs() < 1e-15, "erf({x}) is {}", erf(x));
        assert!((erf(-x) + expected).abs() < 1e-15, "erf(-{x}) is {}", erf(-x));
    }
    assert_eq!(erf(50.0), 1.0);
}
