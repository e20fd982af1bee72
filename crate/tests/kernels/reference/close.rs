//! Comparisons in which NaN never passes.

/// Where and how far `actual` is off by more than `tolerance`, if it is.
pub(crate) fn mismatch(actual: &[f32], expected: &[f64], tolerance: f64) -> Option<String> {
    if actual.len() != expected.len() {
        return Some(format!("{} values, expected {}", actual.len(), expected.len()));
    }
    for (i, (&a, &e)) in actual.iter().zip(expected).enumerate() {
        let error = (f64::from(a) - e).abs();
        // Not `error > tolerance`, which is false for NaN.
        let close = error <= tolerance;
        if !close {
            return Some(format!(
                "[{i}] is {a}, expected {e}: off by {error:.3e} > {tolerance:.1e}"
            ));
        }
    }
    None
}

/// Panics with `case`, the index and both values unless all are within `tolerance`.
#[track_caller]
pub(crate) fn assert_close(
    case: impl std::fmt::Debug,
    actual: &[f32],
    expected: &[f64],
    tolerance: f64,
) {
    if let Some(mismatch) = mismatch(actual, expected, tolerance) {
        panic!("{mismatch}\nin {case:?}");
    }
}

/// Panics with `case`, the index and both values unless all are the same bits.
#[track_caller]
pub(crate) fn assert_same_bits(case: impl std::fmt::Debug, actual: &[f32], expected: &[f32]) {
    assert_eq!(actual.len(), expected.len(), "number of values in {case:?}");
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert!(
            a.to_bits() == e.to_bits() && !a.is_nan(),
            "[{i}] is {a:?}, expected the bits of {e:?}\nin {case:?}"
        );
    }
}

/// The largest absolute difference, NaN if there is one anywhere.
pub(crate) fn largest_error(actual: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let errors = actual.iter().zip(expected).map(|(&a, &e)| (f64::from(a) - e).abs());
    errors.fold(0.0, |most: f64, error| if most.is_nan() || error <= most { most } else { error })
}
