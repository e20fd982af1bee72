//! Embeddings: the sum of a word's, a position's and a token type's row, normalised.

use crate::layer_norm::LayerNorm;
use crate::memory::{OutOfMemory, try_len, try_zeros};
use crate::parallel::{for_each_chunk, rows_per_block};
use crate::simd::add_assign;

/// A table of rows to look up, `[rows, cols]`.
#[derive(Clone, Debug)]
pub struct Table {
    cols: usize,
    data: Vec<f32>,
}

impl Table {
    /// A table of zeros.
    pub fn try_new(rows: usize, cols: usize) -> Result<Self, OutOfMemory> {
        Ok(Self { cols, data: try_zeros(try_len(rows, cols)?)? })
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.data.len() / self.cols
    }

    /// Columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.data.len() * size_of::<f32>()
    }

    /// Sets the rows `first..`.
    pub fn write(&mut self, first: usize, rows: &[f32]) {
        self.data[first * self.cols..][..rows.len()].copy_from_slice(rows);
    }

    fn row(&self, index: u32) -> &[f32] {
        &self.data[index as usize * self.cols..][..self.cols]
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
pub fn embed(lookups: &[Lookup], norm: Option<&LayerNorm>, hidden_states: &mut [f32]) {
    let [first, others @ ..] = lookups else { panic!("there must be something to look up") };
    let cols = first.table.cols();
    for lookup in lookups {
        assert_eq!(lookup.table.cols(), cols, "tables must have equal columns");
        assert_eq!(lookup.ids.len() * cols, hidden_states.len(), "one id per token");
    }
    let block = rows_per_block(first.ids.len());
    for_each_chunk(hidden_states, block * cols, |index, hidden_states| {
        for (i, row) in hidden_states.chunks_exact_mut(cols).enumerate() {
            let token = index * block + i;
            row.copy_from_slice(first.table.row(first.ids[token]));
            for other in others {
                add_assign(row, other.table.row(other.ids[token]));
            }
            if let Some(norm) = norm {
                norm.apply(row);
            }
        }
    });
}
