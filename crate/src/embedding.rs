//! Embeddings: the sum of a word's, a position's and a token type's row, normalised.

use crate::gemm::quantize_symmetric;
use crate::half::{TooLarge, try_to_half, widen};
use crate::layer_norm::LayerNorm;
use crate::linear::Storage;
use crate::memory::{OutOfMemory, try_filled, try_len, try_zeros};
use crate::parallel::rows_per_block;
use crate::simd::add_assign;
use crate::work::{Stop, Work};

/// A table of rows to look up, `[rows, cols]`.
#[derive(Clone, Debug)]
pub struct Table {
    cols: usize,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    F32(Vec<f32>),
    F16(Vec<u16>),
    /// A scale for each row; 127 of it are the largest number of the row.
    Int8 {
        numbers: Vec<i8>,
        scales: Vec<f32>,
    },
}

impl Table {
    /// A table of zeros in single precision.
    pub fn try_new(rows: usize, cols: usize) -> Result<Self, OutOfMemory> {
        Self::try_with_storage(Storage::F32, rows, cols)
    }

    /// A table of zeros.
    pub fn try_with_storage(
        storage: Storage,
        rows: usize,
        cols: usize,
    ) -> Result<Self, OutOfMemory> {
        let len = try_len(rows, cols)?;
        let data = match storage {
            Storage::F32 => Data::F32(try_zeros(len)?),
            Storage::F16 => Data::F16(try_filled(len, 0)?),
            Storage::Int8(_) => {
                Data::Int8 { numbers: try_filled(len, 0)?, scales: try_zeros(rows)? }
            }
        };
        Ok(Self { cols, data })
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        match &self.data {
            Data::F32(data) => data.len() / self.cols,
            Data::F16(data) => data.len() / self.cols,
            Data::Int8 { scales, .. } => scales.len(),
        }
    }

    /// Columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        match &self.data {
            Data::F32(data) => size_of_val(data.as_slice()),
            Data::F16(data) => size_of_val(data.as_slice()),
            Data::Int8 { numbers, scales } => numbers.len() + size_of_val(scales.as_slice()),
        }
    }

    /// Sets the rows `first..`. A number that the table cannot hold is an error, behind which
    /// nothing is set.
    pub fn write(&mut self, first: usize, rows: &[f32]) -> Result<(), TooLarge> {
        let start = first * self.cols;
        match &mut self.data {
            Data::F32(data) => data[start..][..rows.len()].copy_from_slice(rows),
            Data::F16(data) => {
                for (half, &x) in data[start..][..rows.len()].iter_mut().zip(rows) {
                    *half = try_to_half(x)?;
                }
            }
            Data::Int8 { numbers, scales } => {
                let numbers = numbers[start..].chunks_exact_mut(self.cols);
                let rows = rows.chunks_exact(self.cols).zip(numbers);
                for ((row, numbers), scale) in rows.zip(&mut scales[first..]) {
                    *scale = quantize_symmetric(row, 127, |i, x| numbers[i] = x);
                }
            }
        }
        Ok(())
    }

    /// The row, in `widened` if it is not kept in single precision.
    fn row<'a>(&'a self, index: u32, widened: &'a mut [f32]) -> &'a [f32] {
        let start = index as usize * self.cols;
        match &self.data {
            Data::F32(data) => &data[start..][..self.cols],
            Data::F16(data) => {
                widen(&data[start..][..self.cols], widened);
                widened
            }
            Data::Int8 { numbers, scales } => {
                let scale = scales[index as usize];
                for (x, &number) in widened.iter_mut().zip(&numbers[start..]) {
                    *x = scale * f32::from(number);
                }
                widened
            }
        }
    }
}

/// A table and the row of it that each token takes, `[tokens]`.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// Rows to choose from.
    pub table: &'a Table,
    /// One row index per token.
    pub ids: &'a [u32],
}

/// Writes `norm(sum of the looked-up rows)` to `hidden_states`, `[tokens, cols]`.
///
/// # Panics
///
/// If the shapes do not fit or an id is outside its table.
pub fn embed(
    work: &mut Work,
    lookups: &[Lookup],
    norm: Option<&LayerNorm>,
    hidden_states: &mut [f32],
) -> Result<(), Stop> {
    let [first, others @ ..] = lookups else { panic!("there must be something to look up") };
    let cols = first.table.cols();
    for lookup in lookups {
        assert_eq!(lookup.table.cols(), cols, "tables must have equal columns");
        assert_eq!(lookup.ids.len() * cols, hidden_states.len(), "one id per token");
    }
    let block = rows_per_block(first.ids.len());
    work.for_each_chunk(hidden_states, block * cols, |index, hidden_states| {
        let mut widened = vec![0.0; cols];
        for (i, row) in hidden_states.chunks_exact_mut(cols).enumerate() {
            let token = index * block + i;
            row.copy_from_slice(first.table.row(first.ids[token], &mut widened));
            for other in others {
                add_assign(row, other.table.row(other.ids[token], &mut widened));
            }
            if let Some(norm) = norm {
                norm.apply(row);
            }
        }
    })
}
