//! Number formats of files, against what IEEE 754 says of their bits.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use longformer::dtype::Dtype;

/// Sign, 5 bits of exponent with a bias of 15, 10 of mantissa.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => mantissa / 1024.0 * 2f64.powi(-14),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + mantissa / 1024.0) * 2f64.powi(exponent - 15),
    }
}

#[test]
fn every_half_has_its_value() {
    let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    let values = Dtype::F16.decode(&bytes).unwrap();
    assert_eq!(values.len(), 1 << 16);
    for (bits, &value) in (0..=u16::MAX).zip(&values) {
        let expected = half(bits);
        assert!(
            f64::from(value) == expected || value.is_nan() && expected.is_nan(),
            "{bits:#06x} is {value}, expected {expected}"
        );
        assert_eq!(value.is_sign_negative(), bits >> 15 == 1, "{bits:#06x}");
    }
}

#[test]
fn a_brain_float_is_the_upper_half_of_a_single() {
    let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    for (bits, value) in (0..=u16::MAX).zip(Dtype::BF16.decode(&bytes).unwrap()) {
        assert_eq!(value.to_bits(), u32::from(bits) << 16);
    }
}

#[test]
fn singles_keep_their_bits_and_doubles_round() {
    let singles = [0.1_f32, -0.0, f32::MIN_POSITIVE / 2.0, f32::INFINITY, 3.5e38_f64 as f32];
    let bytes: Vec<u8> = singles.iter().flat_map(|x| x.to_le_bytes()).collect();
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&Dtype::F32.decode(&bytes).unwrap()), bits(&singles));

    let doubles = [0.1, -1.0 / 3.0, 1e-320, 1e300];
    let bytes: Vec<u8> = doubles.iter().flat_map(|x: &f64| x.to_le_bytes()).collect();
    assert_eq!(Dtype::F64.decode(&bytes).unwrap(), [0.1_f32, -1.0 / 3.0, 0.0, f32::INFINITY]);
}

#[test]
fn a_number_takes_as_many_bytes_as_its_size() {
    for dtype in [Dtype::F16, Dtype::BF16, Dtype::F32, Dtype::F64] {
        assert_eq!(dtype.decode(&[0; 24]).unwrap().len(), 24 / dtype.size(), "{dtype:?}");
    }
}
