//! A linear layer, `x · weightᵀ + bias`, with its weights packed for the register tile.

use crate::gemm::{
    Int8Matrix, Output, PANEL, Panels, QuantizedRows, Rows, Shape, Start, multiply, multiply_half,
    multiply_int8, multiply_quantized, pack_column, pack_half_column, padded,
};
use crate::half::{TooLarge, widen};
use crate::layer_norm::LayerNorm;
use crate::memory::{OutOfMemory, try_filled, try_len, try_zeros};
use crate::parallel::rows_per_block;
use crate::work::{Stop, Work};

/// How weights are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In single precision.
    F32,
    /// Rounded to half precision, and computed with in single.
    F16,
    /// In 8 bits, with a scale for each stretch of an output feature; the rows that come are
    /// quantised too.
    Int8,
}

/// Packed weights `[out_features, in_features]` and a bias `[out_features]`.
///
/// The output features fall into equal groups, each packed into panels of its own: one group for
/// an ordinary layer, one per head for the projections of attention, so that a head's columns
/// begin on a panel whatever the size of a head.
#[derive(Clone, Debug)]
pub struct Linear {
    in_features: usize,
    group_len: usize,
    groups: usize,
    weights: Weights,
    /// `[groups][padded(group_len)]`.
    bias: Vec<f32>,
}

/// `[groups][padded(group_len) / 8]` panels; columns past a group's end are 0.
#[derive(Clone, Debug)]
enum Weights {
    /// Panels `[in_features][8]`.
    F32(Vec<f32>),
    /// The same in halves.
    F16(Vec<u16>),
    /// In 8 bits.
    Int8(Int8Matrix),
}

/// Rows that go into a layer.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// As they are. Every layer takes them.
    Rows(Rows<'a>),
    /// Quantised before: where a layer with 8-bit weights is applied group by group, so that it
    /// happens once.
    Quantized(QuantizedRows<'a>),
}

impl<'a> From<Rows<'a>> for Input<'a> {
    fn from(rows: Rows<'a>) -> Self {
        Self::Rows(rows)
    }
}

impl Linear {
    /// A layer in single precision whose weights and bias are 0.
    ///
    /// # Panics
    ///
    /// If a size is 0 or `out_features` does not fall into `groups` equal groups.
    pub fn try_new(
        in_features: usize,
        out_features: usize,
        groups: usize,
    ) -> Result<Self, OutOfMemory> {
        Self::try_with_storage(Storage::F32, in_features, out_features, groups)
    }

    /// A layer whose weights and bias are 0.
    ///
    /// # Panics
    ///
    /// As [`try_new`](Self::try_new()).
    pub fn try_with_storage(
        storage: Storage,
        in_features: usize,
        out_features: usize,
        groups: usize,
    ) -> Result<Self, OutOfMemory> {
        assert!(in_features > 0 && out_features > 0 && groups > 0, "sizes must be at least 1");
        assert_eq!(out_features % groups, 0, "groups must be equal");
        let group_len = out_features / groups;
        let cols = groups * padded(group_len);
        let weights = match storage {
            Storage::F32 => Weights::F32(try_zeros(try_len(in_features, cols)?)?),
            Storage::F16 => Weights::F16(try_filled(try_len(in_features, cols)?, 0)?),
            Storage::Int8 => Weights::Int8(Int8Matrix::try_new(in_features, cols)?),
        };
        Ok(Self { in_features, group_len, groups, weights, bias: try_zeros(cols)? })
    }

    /// Columns of the rows it takes.
    pub fn in_features(&self) -> usize {
        self.in_features
    }

    /// Columns of the rows it gives.
    pub fn out_features(&self) -> usize {
        self.groups * self.group_len
    }

    /// Groups of output features.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Whether its weights have 8 bits, and rows are quantised before they go into it.
    pub fn takes_quantized(&self) -> bool {
        matches!(self.weights, Weights::Int8(_))
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        size_of_val(self.bias.as_slice())
            + match &self.weights {
                Weights::F32(panels) => size_of_val(panels.as_slice()),
                Weights::F16(panels) => size_of_val(panels.as_slice()),
                Weights::Int8(matrix) => matrix.bytes(),
            }
    }

    /// Sets the weights of output features `first..`, `[rows, in_features]` as checkpoints have
    /// them. A number that the storage cannot hold is an error, behind which nothing is set.
    pub fn write_weight(&mut self, first: usize, rows: &[f32]) -> Result<(), TooLarge> {
        let (depth, cols) = (self.in_features, padded(self.group_len));
        for (i, row) in rows.chunks_exact(depth).enumerate() {
            let (group, col) = ((first + i) / self.group_len, (first + i) % self.group_len);
            // Groups begin on a panel: their columns are numbered through.
            let col = group * cols + col;
            match &mut self.weights {
                Weights::F32(panels) => pack_column(panels, depth, col, row),
                Weights::F16(panels) => pack_half_column(panels, depth, col, row)?,
                Weights::Int8(matrix) => matrix.write_column(col, row),
            }
        }
        Ok(())
    }

    /// Sets the biases of output features `first..`.
    pub fn write_bias(&mut self, first: usize, values: &[f32]) {
        for (i, &value) in values.iter().enumerate() {
            let (group, col) = ((first + i) / self.group_len, (first + i) % self.group_len);
            self.bias[group * padded(self.group_len) + col] = value;
        }
    }

    /// `start + x · weightᵀ` of one group for `rows` rows; `start` is the bias, or what `output`
    /// holds.
    pub fn apply_group<'a>(
        &self,
        group: usize,
        rows: usize,
        x: impl Into<Input<'a>>,
        add: bool,
        output: Output,
    ) {
        let depth = self.in_features;
        let cols = padded(self.group_len);
        let shape = Shape { rows, depth, cols: self.group_len };
        let start =
            if add { Start::Accumulate } else { Start::Bias(&self.bias[group * cols..][..cols]) };
        match (&self.weights, x.into()) {
            (Weights::F32(panels), Input::Rows(x)) => {
                let data = &panels[group * cols * depth..][..cols * depth];
                multiply(shape, x, Panels { data, stride: depth * PANEL }, start, output);
            }
            (Weights::F16(panels), Input::Rows(x)) => {
                let panels = &panels[group * cols * depth..][..cols * depth];
                multiply_half(shape, x, panels, start, output);
            }
            (Weights::Int8(matrix), x) => {
                let panels = matrix.from_column(group * cols);
                match x {
                    Input::Rows(x) => multiply_int8(shape, x, panels, start, output),
                    Input::Quantized(x) => multiply_quantized(shape, x, panels, start, output),
                }
            }
            (_, Input::Quantized(_)) => panic!("only 8-bit weights take quantised rows"),
        }
    }

    /// `weightᵀ · vector` of one group, `[in_features]`, for a vector of the group's features. Of
    /// 8-bit weights it takes the values; `vector` is not quantised.
    pub fn transposed_group(&self, group: usize, vector: &[f32]) -> Vec<f32> {
        let mut folded = vec![0.0; self.in_features];
        let mut panel = vec![0.0; self.in_features * PANEL];
        let first = group * padded(self.group_len) / PANEL;
        for (i, part) in vector.chunks(PANEL).enumerate() {
            self.read_panel(first + i, &mut panel);
            for (x, weights) in folded.iter_mut().zip(panel.as_chunks::<PANEL>().0) {
                *x += part.iter().zip(weights).map(|(y, weight)| y * weight).sum::<f32>();
            }
        }
        folded
    }

    /// Writes the weights of one panel, of all groups' panels, to `floats`, `[in_features][8]`.
    fn read_panel(&self, panel: usize, floats: &mut [f32]) {
        let place = panel * floats.len();
        match &self.weights {
            Weights::F32(panels) => floats.copy_from_slice(&panels[place..][..floats.len()]),
            Weights::F16(panels) => widen(&panels[place..][..floats.len()], floats),
            Weights::Int8(matrix) => matrix.read_panel(panel, floats),
        }
    }

    /// `output = x · weightᵀ + bias`, both `[rows, ...]` without gaps; one group.
    pub fn apply(&self, x: &[f32], output: &mut [f32]) {
        self.apply_rows(x, output, false);
    }

    /// `residual += x · weightᵀ + bias`, both `[rows, ...]` without gaps; one group.
    pub fn apply_to_residual(&self, x: &[f32], residual: &mut [f32]) {
        self.apply_rows(x, residual, true);
        for row in residual.chunks_exact_mut(self.out_features()) {
            crate::simd::add_assign(row, &self.bias[..self.group_len]);
        }
    }

    fn apply_rows(&self, x: &[f32], output: &mut [f32], add: bool) {
        assert_eq!(self.groups, 1, "rows of all groups together are not laid out");
        let rows = x.len() / self.in_features;
        assert_eq!(x.len(), rows * self.in_features, "x must be [rows, in_features]");
        assert_eq!(output.len(), rows * self.group_len, "output must be [rows, out_features]");
        let row_stride = self.group_len;
        self.apply_group(
            0,
            rows,
            Rows { data: x, stride: self.in_features },
            add,
            Output { data: output, row_stride, panel_stride: PANEL },
        );
    }
}

/// `hidden_states = norm(hidden_states + linear(x))` for all rows, or without the norm.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn add_linear(
    work: &mut Work,
    hidden_states: &mut [f32],
    x: &[f32],
    linear: &Linear,
    norm: Option<&LayerNorm>,
) -> Result<(), Stop> {
    let (in_cols, out_cols) = (linear.in_features(), linear.out_features());
    let rows = hidden_states.len() / out_cols;
    assert_eq!(x.len(), rows * in_cols, "x must have as many rows as the hidden states");
    let block = rows_per_block(rows);
    work.for_each_chunk(hidden_states, block * out_cols, |index, hidden_states| {
        let rows = hidden_states.len() / out_cols;
        linear.apply_to_residual(&x[index * block * in_cols..][..rows * in_cols], hidden_states);
        if let Some(norm) = norm {
            hidden_states.chunks_exact_mut(out_cols).for_each(|row| norm.apply(row));
        }
    })
}

/// `linear` of the rows of `x` at `rows`, `[rows, out_features]`.
///
/// # Panics
///
/// If the shapes do not fit or a row is not in `x`.
pub fn linear_of_rows(
    work: &mut Work,
    x: &[f32],
    rows: &[u32],
    linear: &Linear,
    output: &mut [f32],
) -> Result<(), Stop> {
    let (in_cols, out_cols) = (linear.in_features(), linear.out_features());
    assert_eq!(output.len(), rows.len() * out_cols, "there must be a row of output for each");
    let block = rows_per_block(rows.len());
    work.for_each_chunk(output, block * out_cols, |index, output| {
        let rows = &rows[index * block..][..output.len() / out_cols];
        let mut wanted = Vec::with_capacity(rows.len() * in_cols);
        for &row in rows {
            wanted.extend_from_slice(&x[row as usize * in_cols..][..in_cols]);
        }
        linear.apply(&wanted, output);
    })
}
