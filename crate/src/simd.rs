//! Four floats, or eight short integers, at a time: the vocabulary that every kernel is written in.
//!
//! The same few verbs over three instruction sets, chosen when the crate is compiled:
//!
//! | build                   | lanes      | `mul_add`                                     |
//! |-------------------------|------------|-----------------------------------------------|
//! | wasm, relaxed-simd      | `v128`     | `f32x4.relaxed_madd`: fused where the CPU can |
//! | wasm, simd128           | `v128`     | a product, rounded, then a sum                |
//! | anything else (tests)   | `[f32; 4]` | a product, rounded, then a sum                |
//!
//! All three add in the same order, so the last two agree bit for bit; the first differs from
//! them by the roundings it saves, and in what the larger of a number and a NaN is. Whole numbers are
//! exact in all. Loads and stores are the only unsafe lines of the file.
#![allow(unsafe_code, reason = "v128 loads and stores take pointers")]

use std::ops::{Add, Div, Mul, Sub};

/// Floats in a vector.
pub(crate) const LANES: usize = 4;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod lanes {
    use core::arch::wasm32::*;

    pub(super) type Lanes = v128;

    #[inline(always)]
    pub(super) fn splat(x: f32) -> Lanes {
        f32x4_splat(x)
    }
    #[inline(always)]
    pub(super) fn load(from: &[f32; 4]) -> Lanes {
        // SAFETY: the array is 16 readable bytes, and v128 loads need no alignment.
        unsafe { v128_load(from.as_ptr().cast()) }
    }
    #[inline(always)]
    pub(super) fn store(x: Lanes, to: &mut [f32; 4]) {
        // SAFETY: the array is 16 writable bytes, and v128 stores need no alignment.
        unsafe { v128_store(to.as_mut_ptr().cast(), x) }
    }
    #[inline(always)]
    pub(super) fn add(x: Lanes, y: Lanes) -> Lanes {
        f32x4_add(x, y)
    }
    #[inline(always)]
    pub(super) fn sub(x: Lanes, y: Lanes) -> Lanes {
        f32x4_sub(x, y)
    }
    #[inline(always)]
    pub(super) fn mul(x: Lanes, y: Lanes) -> Lanes {
        f32x4_mul(x, y)
    }
    #[inline(always)]
    pub(super) fn div(x: Lanes, y: Lanes) -> Lanes {
        f32x4_div(x, y)
    }
    #[inline(always)]
    pub(super) fn mul_add(x: Lanes, y: Lanes, z: Lanes) -> Lanes {
        #[cfg(target_feature = "relaxed-simd")]
        return f32x4_relaxed_madd(x, y, z);
        #[cfg(not(target_feature = "relaxed-simd"))]
        return f32x4_add(f32x4_mul(x, y), z);
    }
    #[inline(always)]
    pub(super) fn max(x: Lanes, y: Lanes) -> Lanes {
        // LLVM takes the relaxed one for `f32x4_pmax`, too, but in the other order. Where either is NaN
        // x64 gives the second operand, and ARM NaN.
        #[cfg(target_feature = "relaxed-simd")]
        return f32x4_relaxed_max(y, x);
        #[cfg(not(target_feature = "relaxed-simd"))]
        return f32x4_pmax(x, y);
    }
    #[inline(always)]
    pub(super) fn min(x: Lanes, y: Lanes) -> Lanes {
        #[cfg(target_feature = "relaxed-simd")]
        return f32x4_relaxed_min(y, x);
        #[cfg(not(target_feature = "relaxed-simd"))]
        return f32x4_pmin(x, y);
    }
    #[inline(always)]
    pub(super) fn shl_bits(x: Lanes, bits: u32) -> Lanes {
        i32x4_shl(x, bits)
    }
    #[inline(always)]
    pub(super) fn transpose([a, b, c, d]: [Lanes; 4]) -> [Lanes; 4] {
        let (ab_low, ab_high) =
            (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
        let (cd_low, cd_high) =
            (i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
        [
            i64x2_shuffle::<0, 2>(ab_low, cd_low),
            i64x2_shuffle::<1, 3>(ab_low, cd_low),
            i64x2_shuffle::<0, 2>(ab_high, cd_high),
            i64x2_shuffle::<1, 3>(ab_high, cd_high),
        ]
    }
    #[inline(always)]
    pub(super) fn and_bits(x: Lanes, y: Lanes) -> Lanes {
        v128_and(x, y)
    }
    #[inline(always)]
    pub(super) fn or_bits(x: Lanes, y: Lanes) -> Lanes {
        v128_or(x, y)
    }
    #[inline(always)]
    pub(super) fn equal_bits(x: Lanes, y: Lanes) -> Lanes {
        i32x4_eq(x, y)
    }
    #[inline(always)]
    pub(super) fn load_halves(from: &[u16; 4]) -> Lanes {
        // SAFETY: the array is 8 readable bytes, and this load needs no alignment.
        unsafe { i32x4_load_extend_i16x4(from.as_ptr().cast()) }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod integers {
    use super::lanes::Lanes;
    use core::arch::wasm32::*;

    pub(super) type Longs = v128;
    pub(super) type Shorts = v128;

    #[inline(always)]
    pub(super) fn splat(x: i32) -> v128 {
        i32x4_splat(x)
    }
    #[inline(always)]
    pub(super) fn load(from: &[i32; 4]) -> Longs {
        // SAFETY: the array is 16 readable bytes, and v128 loads need no alignment.
        unsafe { v128_load(from.as_ptr().cast()) }
    }
    #[inline(always)]
    pub(super) fn store(x: Longs, to: &mut [i32; 4]) {
        // SAFETY: the array is 16 writable bytes, and v128 stores need no alignment.
        unsafe { v128_store(to.as_mut_ptr().cast(), x) }
    }
    #[inline(always)]
    pub(super) fn add(x: Longs, y: Longs) -> Longs {
        i32x4_add(x, y)
    }
    #[inline(always)]
    pub(super) fn sub(x: Longs, y: Longs) -> Longs {
        i32x4_sub(x, y)
    }
    #[inline(always)]
    pub(super) fn mul(x: Longs, y: Longs) -> Longs {
        i32x4_mul(x, y)
    }
    #[inline(always)]
    pub(super) fn to_floats(x: Longs) -> Lanes {
        f32x4_convert_i32x4(x)
    }
    #[inline(always)]
    pub(super) fn splat_pair(pair: i32) -> Shorts {
        i32x4_splat(pair)
    }
    #[inline(always)]
    pub(super) fn widen(from: &[i8; 8]) -> Shorts {
        // SAFETY: the array is 8 readable bytes, and this load needs no alignment.
        unsafe { i16x8_load_extend_i8x8(from.as_ptr()) }
    }
    #[inline(always)]
    pub(super) fn dot_pairs(x: Shorts, y: Shorts) -> Longs {
        i32x4_dot_i16x8(x, y)
    }
    #[inline(always)]
    pub(super) fn difference_of_bits(x: Lanes, y: Lanes) -> Longs {
        sub(x, y)
    }
    #[inline(always)]
    pub(super) fn narrow(x: Longs, y: Longs) -> Shorts {
        i16x8_narrow_i32x4(x, y)
    }
    #[inline(always)]
    pub(super) fn pairs(x: Shorts) -> Longs {
        x
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod bytes {
    use super::integers::{Longs, Shorts};
    use core::arch::wasm32::*;

    pub(super) type Bytes = v128;

    #[inline(always)]
    pub(super) fn load(from: &[i8; 16]) -> Bytes {
        // SAFETY: the array is 16 readable bytes, and v128 loads need no alignment.
        unsafe { v128_load(from.as_ptr().cast()) }
    }
    #[inline(always)]
    pub(super) fn splat_four(four: i32) -> Bytes {
        i32x4_splat(four)
    }
    #[inline(always)]
    pub(super) fn dot_pairs(x: Bytes, y: Bytes) -> Shorts {
        i16x8_relaxed_dot_i8x16_i7x16(x, y)
    }
    #[inline(always)]
    pub(super) fn add_dot_fours(sum: Longs, x: Bytes, y: Bytes) -> Longs {
        i32x4_relaxed_dot_i8x16_i7x16_add(x, y, sum)
    }
    #[inline(always)]
    pub(super) fn narrow(x: Shorts) -> [i32; 2] {
        two(u8x16_narrow_i16x8(x, x))
    }
    #[inline(always)]
    pub(super) fn narrow_signed(x: Shorts) -> [i32; 2] {
        two(i8x16_narrow_i16x8(x, x))
    }
    #[inline(always)]
    fn two(fours: Bytes) -> [i32; 2] {
        [i32x4_extract_lane::<0>(fours), i32x4_extract_lane::<1>(fours)]
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod lanes {
    use std::array::from_fn;

    pub(super) type Lanes = [f32; 4];

    #[inline(always)]
    pub(super) fn splat(x: f32) -> Lanes {
        [x; 4]
    }
    #[inline(always)]
    pub(super) fn load(from: &[f32; 4]) -> Lanes {
        *from
    }
    #[inline(always)]
    pub(super) fn store(x: Lanes, to: &mut [f32; 4]) {
        *to = x;
    }
    #[inline(always)]
    pub(super) fn add(x: Lanes, y: Lanes) -> Lanes {
        from_fn(|i| x[i] + y[i])
    }
    #[inline(always)]
    pub(super) fn sub(x: Lanes, y: Lanes) -> Lanes {
        from_fn(|i| x[i] - y[i])
    }
    #[inline(always)]
    pub(super) fn mul(x: Lanes, y: Lanes) -> Lanes {
        from_fn(|i| x[i] * y[i])
    }
    #[inline(always)]
    pub(super) fn div(x: Lanes, y: Lanes) -> Lanes {
        from_fn(|i| x[i] / y[i])
    }
    #[inline(always)]
    pub(super) fn mul_add(x: Lanes, y: Lanes, z: Lanes) -> Lanes {
        from_fn(|i| x[i] * y[i] + z[i])
    }
    #[inline(always)]
    pub(super) fn max(x: Lanes, y: Lanes) -> Lanes {
        from_fn(|i| if x[i] < y[i] { y[i] } else { x[i] })
    }
    #[inline(always)]
    pub(super) fn min(x: Lanes, y: Lanes) -> Lanes {
        from_fn(|i| if y[i] < x[i] { y[i] } else { x[i] })
    }
    #[inline(always)]
    pub(super) fn shl_bits(x: Lanes, bits: u32) -> Lanes {
        from_fn(|i| f32::from_bits(x[i].to_bits() << bits))
    }
    #[inline(always)]
    pub(super) fn transpose(rows: [Lanes; 4]) -> [Lanes; 4] {
        from_fn(|i| from_fn(|j| rows[j][i]))
    }
    #[inline(always)]
    pub(super) fn and_bits(x: Lanes, y: Lanes) -> Lanes {
        from_fn(|i| f32::from_bits(x[i].to_bits() & y[i].to_bits()))
    }
    #[inline(always)]
    pub(super) fn or_bits(x: Lanes, y: Lanes) -> Lanes {
        from_fn(|i| f32::from_bits(x[i].to_bits() | y[i].to_bits()))
    }
    #[inline(always)]
    pub(super) fn equal_bits(x: Lanes, y: Lanes) -> Lanes {
        from_fn(|i| f32::from_bits(if x[i].to_bits() == y[i].to_bits() { u32::MAX } else { 0 }))
    }
    #[inline(always)]
    pub(super) fn load_halves(from: &[u16; 4]) -> Lanes {
        from.map(|half| f32::from_bits(i32::from(half as i16) as u32))
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod integers {
    use super::lanes::Lanes;
    use std::array::from_fn;

    pub(super) type Longs = [i32; 4];
    pub(super) type Shorts = [i16; 8];

    #[inline(always)]
    pub(super) fn splat(x: i32) -> Longs {
        [x; 4]
    }
    #[inline(always)]
    pub(super) fn load(from: &[i32; 4]) -> Longs {
        *from
    }
    #[inline(always)]
    pub(super) fn store(x: Longs, to: &mut [i32; 4]) {
        *to = x;
    }
    #[inline(always)]
    pub(super) fn add(x: Longs, y: Longs) -> Longs {
        from_fn(|i| x[i].wrapping_add(y[i]))
    }
    #[inline(always)]
    pub(super) fn sub(x: Longs, y: Longs) -> Longs {
        from_fn(|i| x[i].wrapping_sub(y[i]))
    }
    #[inline(always)]
    pub(super) fn mul(x: Longs, y: Longs) -> Longs {
        from_fn(|i| x[i].wrapping_mul(y[i]))
    }
    #[inline(always)]
    pub(super) fn to_floats(x: Longs) -> Lanes {
        x.map(|x| x as f32)
    }
    #[inline(always)]
    pub(super) fn splat_pair(pair: i32) -> Shorts {
        from_fn(|i| if i % 2 == 0 { pair as i16 } else { (pair >> 16) as i16 })
    }
    #[inline(always)]
    pub(super) fn widen(from: &[i8; 8]) -> Shorts {
        from.map(i16::from)
    }
    #[inline(always)]
    pub(super) fn dot_pairs(x: Shorts, y: Shorts) -> Longs {
        let product = |i: usize| i32::from(x[i]) * i32::from(y[i]);
        from_fn(|i| product(2 * i).wrapping_add(product(2 * i + 1)))
    }
    #[inline(always)]
    pub(super) fn difference_of_bits(x: Lanes, y: Lanes) -> Longs {
        from_fn(|i| x[i].to_bits().wrapping_sub(y[i].to_bits()) as i32)
    }
    #[inline(always)]
    pub(super) fn narrow(x: Longs, y: Longs) -> Shorts {
        let one = |i: usize| if i < 4 { x[i] } else { y[i - 4] };
        from_fn(|i| one(i).clamp(i16::MIN.into(), i16::MAX.into()) as i16)
    }
    #[inline(always)]
    pub(super) fn pairs(x: Shorts) -> Longs {
        from_fn(|i| i32::from(x[2 * i]) & 0xffff | i32::from(x[2 * i + 1]) << 16)
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod bytes {
    use super::integers::{Longs, Shorts};
    use std::array::from_fn;

    pub(super) type Bytes = [i8; 16];

    #[inline(always)]
    pub(super) fn load(from: &[i8; 16]) -> Bytes {
        *from
    }
    #[inline(always)]
    pub(super) fn splat_four(four: i32) -> Bytes {
        let bytes = four.to_le_bytes();
        from_fn(|i| bytes[i % 4] as i8)
    }
    /// As x64 has it: `y` without signs.
    #[inline(always)]
    pub(super) fn dot_pairs(x: Bytes, y: Bytes) -> Shorts {
        let product = |i: usize| i16::from(x[i]) * i16::from(y[i] as u8);
        from_fn(|i| product(2 * i).saturating_add(product(2 * i + 1)))
    }
    /// As x64 with AVX-VNNI has it.
    #[inline(always)]
    pub(super) fn add_dot_fours(sum: Longs, x: Bytes, y: Bytes) -> Longs {
        let product = |i: usize| i32::from(x[i]) * i32::from(y[i] as u8);
        from_fn(|i| sum[i].wrapping_add((4 * i..4 * i + 4).map(product).sum()))
    }
    #[inline(always)]
    pub(super) fn narrow(x: Shorts) -> [i32; 2] {
        two(x.map(|x| x.clamp(0, 255) as u8))
    }
    #[inline(always)]
    pub(super) fn narrow_signed(x: Shorts) -> [i32; 2] {
        two(x.map(|x| x.clamp(-128, 127) as u8))
    }
    #[inline(always)]
    fn two(bytes: [u8; 8]) -> [i32; 2] {
        [0, 4].map(|i| i32::from_le_bytes(from_fn(|j| bytes[i + j])))
    }
}

/// Four floats.
#[derive(Clone, Copy)]
pub(crate) struct F32x4(lanes::Lanes);

impl F32x4 {
    /// `x` in every lane.
    #[inline(always)]
    pub(crate) fn splat(x: f32) -> Self {
        Self(lanes::splat(x))
    }

    #[inline(always)]
    pub(crate) fn load(from: &[f32; LANES]) -> Self {
        Self(lanes::load(from))
    }

    #[inline(always)]
    pub(crate) fn store(self, to: &mut [f32; LANES]) {
        lanes::store(self.0, to);
    }

    /// `self * factor + term`, rounded once or twice as the build has it.
    #[inline(always)]
    pub(crate) fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(lanes::mul_add(self.0, factor.0, term.0))
    }

    /// The larger of each pair. Where `self` is NaN, NaN; where `other` is, `self` or NaN.
    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self(lanes::max(self.0, other.0))
    }

    /// The smaller of each pair. Where `self` is NaN, NaN; where `other` is, `self` or NaN.
    #[inline(always)]
    pub(crate) fn min(self, other: Self) -> Self {
        Self(lanes::min(self.0, other.0))
    }

    /// The bit patterns, each shifted left.
    #[inline(always)]
    pub(crate) fn shl_bits(self, bits: u32) -> Self {
        Self(lanes::shl_bits(self.0, bits))
    }

    /// The columns of four rows.
    #[inline(always)]
    pub(crate) fn transpose(rows: [Self; LANES]) -> [Self; LANES] {
        lanes::transpose(rows.map(|row| row.0)).map(Self)
    }

    #[inline(always)]
    pub(crate) fn first(self) -> f32 {
        self.to_array()[0]
    }

    /// The bits that both have.
    #[inline(always)]
    pub(crate) fn and_bits(self, other: Self) -> Self {
        Self(lanes::and_bits(self.0, other.0))
    }

    /// The bits that either has.
    #[inline(always)]
    pub(crate) fn or_bits(self, other: Self) -> Self {
        Self(lanes::or_bits(self.0, other.0))
    }

    /// All bits of a lane where the bits of both are the same, else none.
    #[inline(always)]
    pub(crate) fn equal_bits(self, other: Self) -> Self {
        Self(lanes::equal_bits(self.0, other.0))
    }

    /// Four integers of 16 bits with a sign, as the bits of integers of 32.
    #[inline(always)]
    pub(crate) fn load_halves(from: &[u16; LANES]) -> Self {
        Self(lanes::load_halves(from))
    }

    #[inline(always)]
    pub(crate) fn to_array(self) -> [f32; LANES] {
        let mut array = [0.0; LANES];
        self.store(&mut array);
        array
    }

    /// The sum of the lanes, in one fixed order.
    #[inline(always)]
    pub(crate) fn sum(self) -> f32 {
        let [a, b, c, d] = self.to_array();
        (a + b) + (c + d)
    }

    /// The largest lane.
    #[inline(always)]
    pub(crate) fn largest(self) -> f32 {
        // Not `f32::max`, which is a call here.
        self.to_array().into_iter().reduce(|max, x| if x > max { x } else { max }).unwrap_or(0.0)
    }

    /// The smallest lane.
    #[inline(always)]
    pub(crate) fn smallest(self) -> f32 {
        self.to_array().into_iter().reduce(|min, x| if x < min { x } else { min }).unwrap_or(0.0)
    }
}

impl Add for F32x4 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(lanes::add(self.0, other.0))
    }
}

impl Sub for F32x4 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(lanes::sub(self.0, other.0))
    }
}

impl Mul for F32x4 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(lanes::mul(self.0, other.0))
    }
}

impl Div for F32x4 {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(lanes::div(self.0, other.0))
    }
}

/// Four integers of 32 bits.
#[derive(Clone, Copy)]
pub(crate) struct I32x4(integers::Longs);

#[allow(dead_code, reason = "each build uses what its instructions do best")]
impl I32x4 {
    #[inline(always)]
    pub(crate) fn load(from: &[i32; LANES]) -> Self {
        Self(integers::load(from))
    }

    #[inline(always)]
    pub(crate) fn store(self, to: &mut [i32; LANES]) {
        integers::store(self.0, to);
    }

    /// `x` in every lane.
    #[inline(always)]
    pub(crate) fn splat(x: i32) -> Self {
        Self(integers::splat(x))
    }

    /// The nearest floats.
    #[inline(always)]
    pub(crate) fn to_floats(self) -> F32x4 {
        F32x4(integers::to_floats(self.0))
    }
}

impl Add for I32x4 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(integers::add(self.0, other.0))
    }
}

impl Sub for I32x4 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(integers::sub(self.0, other.0))
    }
}

impl Mul for I32x4 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(integers::mul(self.0, other.0))
    }
}

/// Eight integers of 16 bits, four pairs.
#[derive(Clone, Copy)]
pub(crate) struct I16x8(integers::Shorts);

#[allow(dead_code, reason = "each build uses what its instructions do best")]
impl I16x8 {
    /// Eight integers of 8 bits, made longer.
    #[inline(always)]
    pub(crate) fn widen(from: &[i8; 2 * LANES]) -> Self {
        Self(integers::widen(from))
    }

    /// One pair four times, its first number in the lower half of `pair`.
    #[inline(always)]
    pub(crate) fn splat_pair(pair: i32) -> Self {
        Self(integers::splat_pair(pair))
    }

    /// The nearest integers to eight floats below 2^15 in magnitude, the even one of two, plus `n`:
    /// `rounding` is [`ROUNDING`] in every lane and `ROUNDING - n`, kept in registers by the caller.
    #[inline(always)]
    pub(crate) fn nearest(eight: [F32x4; 2], [rounding, less]: [F32x4; 2]) -> Self {
        let [x, y] = eight.map(|x| integers::difference_of_bits((x + rounding).0, less.0));
        Self(integers::narrow(x, y))
    }

    /// Writes pairs, the first number of each in the lower half.
    #[inline(always)]
    pub(crate) fn store_pairs(self, to: &mut [i32; LANES]) {
        integers::store(integers::pairs(self.0), to);
    }

    /// The sum of products of each pair, exact in 32 bits but for four times -32768.
    #[inline(always)]
    pub(crate) fn dot_pairs(self, other: Self) -> I32x4 {
        I32x4(integers::dot_pairs(self.0, other.0))
    }
}

/// Sixteen integers of 8 bits, four fours.
#[derive(Clone, Copy)]
#[cfg(any(not(target_feature = "simd128"), target_feature = "relaxed-simd"))]
pub(crate) struct I8x16(bytes::Bytes);

#[cfg(any(not(target_feature = "simd128"), target_feature = "relaxed-simd"))]
impl I8x16 {
    #[inline(always)]
    pub(crate) fn load(from: &[i8; 4 * LANES]) -> Self {
        Self(bytes::load(from))
    }

    /// One four four times, its first number in the lowest bits of `four`.
    #[inline(always)]
    pub(crate) fn splat_four(four: i32) -> Self {
        Self(bytes::splat_four(four))
    }

    /// The sum of products of each pair, cut off at 16 bits. Numbers of `other` have a sign or have
    /// none, as the processor will have it.
    #[inline(always)]
    pub(crate) fn dot_pairs(self, other: Self) -> I16x8 {
        I16x8(bytes::dot_pairs(self.0, other.0))
    }

    /// `sum` and the sum of products of each four. Numbers of `other` have a sign or have none, and
    /// sums of pairs are cut off at 16 bits or are not, as the processor will have it.
    #[inline(always)]
    pub(crate) fn add_dot_fours(self, other: Self, sum: I32x4) -> I32x4 {
        I32x4(bytes::add_dot_fours(sum.0, self.0, other.0))
    }

    /// Two fours of eight numbers in `0..=255`.
    #[inline(always)]
    pub(crate) fn fours(numbers: I16x8) -> [i32; 2] {
        bytes::narrow(numbers.0)
    }

    /// Two fours of eight numbers in `-128..=127`.
    #[inline(always)]
    pub(crate) fn signed_fours(numbers: I16x8) -> [i32; 2] {
        bytes::narrow_signed(numbers.0)
    }
}

/// Added to a number below 2^22 in magnitude, leaves the nearest integer in the lowest bits.
pub(crate) const ROUNDING: f32 = 12_582_912.0; // 1.5 * 2^23

/// Replaces every element of `row` by `f` of it, four at a time.
///
/// The last `row.len() % 4` elements go through `f` in a vector of their own, filled up with
/// zeros, so that an element's result does not depend on where in a row it stands.
#[inline(always)]
pub(crate) fn map_in_place(row: &mut [f32], f: impl Fn(F32x4) -> F32x4) {
    let (vectors, tail) = row.as_chunks_mut::<LANES>();
    for vector in vectors {
        f(F32x4::load(vector)).store(vector);
    }
    if !tail.is_empty() {
        let mut padded = [0.0; LANES];
        padded[..tail.len()].copy_from_slice(tail);
        f(F32x4::load(&padded)).store(&mut padded);
        tail.copy_from_slice(&padded[..tail.len()]);
    }
}

/// `row += other`, element by element.
#[inline(always)]
pub(crate) fn add_assign(row: &mut [f32], other: &[f32]) {
    let (vectors, tail) = row.as_chunks_mut::<LANES>();
    let (other_vectors, other_tail) = other.as_chunks::<LANES>();
    for (x, y) in vectors.iter_mut().zip(other_vectors) {
        (F32x4::load(x) + F32x4::load(y)).store(x);
    }
    for (x, y) in tail.iter_mut().zip(other_tail) {
        *x += y;
    }
}

/// `row *= factor`.
#[inline(always)]
pub(crate) fn scale(row: &mut [f32], factor: f32) {
    let (vectors, tail) = row.as_chunks_mut::<LANES>();
    let factors = F32x4::splat(factor);
    for x in vectors {
        (F32x4::load(x) * factors).store(x);
    }
    for x in tail {
        *x *= factor;
    }
}

/// The sum of `f` of every element, in two running sums of four lanes.
#[inline(always)]
pub(crate) fn sum_of(row: &[f32], f: impl Fn(F32x4) -> F32x4) -> f32 {
    let (pairs, rest) = row.as_chunks::<{ 2 * LANES }>();
    let mut sums = [F32x4::splat(0.0); 2];
    for pair in pairs {
        let (halves, _) = pair.as_chunks::<LANES>();
        sums[0] = sums[0] + f(F32x4::load(&halves[0]));
        sums[1] = sums[1] + f(F32x4::load(&halves[1]));
    }
    let mut total = (sums[0] + sums[1]).sum();
    for &x in rest {
        total += f(F32x4::splat(x)).first();
    }
    total
}

/// The first 8 floats, as two vectors.
#[inline(always)]
pub(crate) fn load_pair(from: &[f32]) -> [F32x4; 2] {
    let (halves, _) = from[..2 * LANES].as_chunks::<LANES>();
    [F32x4::load(&halves[0]), F32x4::load(&halves[1])]
}

/// Stores two vectors as the first 8 floats.
#[inline(always)]
pub(crate) fn store_pair([left, right]: [F32x4; 2], to: &mut [f32]) {
    let (halves, _) = to[..2 * LANES].as_chunks_mut::<LANES>();
    left.store(&mut halves[0]);
    right.store(&mut halves[1]);
}

/// Copies `from` to `to`, of equal length. For short rows in hot loops: `copy_from_slice` becomes
/// `memory.copy`, a call out of WebAssembly that takes longer than the copy.
#[inline(always)]
pub(crate) fn copy(from: &[f32], to: &mut [f32]) {
    let (vectors, tail) = to.as_chunks_mut::<LANES>();
    let (from_vectors, from_tail) = from.as_chunks::<LANES>();
    for (x, y) in vectors.iter_mut().zip(from_vectors) {
        F32x4::load(y).store(x);
    }
    for (x, y) in tail.iter_mut().zip(from_tail) {
        *x = *y;
    }
}
