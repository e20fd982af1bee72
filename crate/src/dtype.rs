//! Number formats of checkpoint files, as little-endian bytes, widened to f32.

use crate::half::from_half;
use crate::memory::{OutOfMemory, try_with_capacity};

/// How a file stores its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of a single.
    BF16,
    /// IEEE double precision, rounded to the nearest single.
    F64,
}

impl Dtype {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Dtype::F16 | Dtype::BF16 => 2,
            Dtype::F32 => 4,
            Dtype::F64 => 8,
        }
    }

    /// The numbers in `bytes`. Bytes past the last whole number are left out.
    pub fn decode(self, bytes: &[u8]) -> Result<Vec<f32>, OutOfMemory> {
        let mut numbers = try_with_capacity(bytes.len() / self.size())?;
        match self {
            Dtype::F32 => numbers.extend(each(bytes).map(f32::from_le_bytes)),
            Dtype::F16 => numbers.extend(each(bytes).map(|b| from_half(u16::from_le_bytes(b)))),
            Dtype::BF16 => numbers.extend(
                each(bytes).map(|b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)),
            ),
            Dtype::F64 => numbers.extend(each(bytes).map(|b| f64::from_le_bytes(b) as f32)),
        }
        Ok(numbers)
    }
}

/// The bytes of each whole number.
fn each<const SIZE: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; SIZE]> {
    bytes.as_chunks().0.iter().copied()
}
