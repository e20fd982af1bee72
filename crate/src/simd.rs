//! Four floats at a time: the vocabulary that every kernel is written in.
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
//! them by the roundings it saves. Loads and stores are the only unsafe lines of the file.
#![allow(unsafe_code, reason = "v128 loads and stores take pointers")]

use std::hint::black_box;
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
        f32x4_pmax(x, y)
    }
    #[inline(always)]
    pub(super) fn min(x: Lanes, y: Lanes) -> Lanes {
        f32x4_pmin(x, y)
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

    /// The larger of each pair. Where `other` is NaN, `self`; where `self` is NaN, `self`.
    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self(lanes::max(self.0, other.0))
    }

    /// The smaller of each pair. Where either is NaN, `self`.
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

    #[inline(always)]
    fn to_array(self) -> [f32; LANES] {
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

/// `row = 0`. As for [`copy`]: `fill` becomes `memory.fill`, a call too.
#[inline(always)]
pub(crate) fn clear(row: &mut [f32]) {
    let zero = black_box(0.0);
    let (vectors, tail) = row.as_chunks_mut::<LANES>();
    for x in vectors {
        F32x4::splat(zero).store(x);
    }
    for x in tail {
        *x = zero;
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

/// `to = factor * from`, of equal length.
#[inline(always)]
pub(crate) fn copy_scaled(from: &[f32], factor: f32, to: &mut [f32]) {
    let (vectors, tail) = to.as_chunks_mut::<LANES>();
    let (from_vectors, from_tail) = from.as_chunks::<LANES>();
    let factors = F32x4::splat(factor);
    for (x, y) in vectors.iter_mut().zip(from_vectors) {
        (F32x4::load(y) * factors).store(x);
    }
    for (x, y) in tail.iter_mut().zip(from_tail) {
        *x = y * factor;
    }
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
