//! A linear layer, `x · weightᵀ + bias`, with its weights packed for the register tile.

use crate::gemm::{Output, PANEL, Panels, Rows, Shape, Start, multiply, pack_column, padded};
use crate::layer_norm::LayerNorm;
use crate::memory::{OutOfMemory, try_len, try_zeros};
use crate::parallel::{for_each_chunk, rows_per_block};

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
    /// `[groups][padded(group_len) / 8][in_features][8]`; columns past a group's end are 0.
    panels: Vec<f32>,
    /// `[groups][padded(group_len)]`.
    bias: Vec<f32>,
}

impl Linear {
    /// A layer whose weights and bias are 0.
    ///
    /// # Panics
    ///
    /// If a size is 0 or `out_features` does not fall into `groups` equal groups.
    pub fn try_new(
        in_features: usize,
        out_features: usize,
        groups: usize,
    ) -> Result<Self, OutOfMemory> {
        assert!(in_features > 0 && out_features > 0 && groups > 0, "sizes must be at least 1");
        assert_eq!(out_features % groups, 0, "groups must be equal");
        let group_len = out_features / groups;
        let cols = groups * padded(group_len);
        let panels = try_zeros(try_len(in_features, cols)?)?;
        Ok(Self { in_features, group_len, groups, panels, bias: try_zeros(cols)? })
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

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        (self.panels.len() + self.bias.len()) * size_of::<f32>()
    }

    /// Sets the weights of output features `first..`, `[rows, in_features]` as checkpoints have
    /// them.
    pub fn write_weight(&mut self, first: usize, rows: &[f32]) {
        for (i, row) in rows.chunks_exact(self.in_features).enumerate() {
            let (group, col) = ((first + i) / self.group_len, (first + i) % self.group_len);
            let group_size = padded(self.group_len) * self.in_features;
            let panels = &mut self.panels[group * group_size..][..group_size];
            pack_column(panels, self.in_features, col, row);
        }
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
    pub fn apply_group(&self, group: usize, rows: usize, x: Rows, add: bool, output: Output) {
        let cols = padded(self.group_len);
        let shape = Shape { rows, depth: self.in_features, cols: self.group_len };
        let panels = &self.panels[group * cols * self.in_features..][..cols * self.in_features];
        let start =
            if add { Start::Accumulate } else { Start::Bias(&self.bias[group * cols..][..cols]) };
        let b = Panels { data: panels, stride: self.in_features * PANEL };
        multiply(shape, x, b, start, output);
    }

    /// `weightᵀ · vector` of one group, `[in_features]`, for a vector of the group's features.
    pub fn transposed_group(&self, group: usize, vector: &[f32]) -> Vec<f32> {
        let mut folded = vec![0.0; self.in_features];
        let size = padded(self.group_len) * self.in_features;
        let panels = self.panels[group * size..][..size].chunks_exact(self.in_features * PANEL);
        for (panel, part) in panels.zip(vector.chunks(PANEL)) {
            for (x, weights) in folded.iter_mut().zip(panel.as_chunks::<PANEL>().0) {
                *x += part.iter().zip(weights).map(|(y, weight)| y * weight).sum::<f32>();
            }
        }
        folded
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
pub fn add_linear(hidden_states: &mut [f32], x: &[f32], linear: &Linear, norm: Option<&LayerNorm>) {
    let (in_cols, out_cols) = (linear.in_features(), linear.out_features());
    let rows = hidden_states.len() / out_cols;
    assert_eq!(x.len(), rows * in_cols, "x must have as many rows as the hidden states");
    let block = rows_per_block(rows);
    for_each_chunk(hidden_states, block * out_cols, |index, hidden_states| {
        let rows = hidden_states.len() / out_cols;
        linear.apply_to_residual(&x[index * block * in_cols..][..rows * in_cols], hidden_states);
        if let Some(norm) = norm {
            hidden_states.chunks_exact_mut(out_cols).for_each(|row| norm.apply(row));
        }
    });
}

/// `linear` of the rows of `x` at `rows`, `[rows, out_features]`.
///
/// # Panics
///
/// If the shapes do not fit or a row is not in `x`.
pub fn linear_of_rows(x: &[f32], rows: &[u32], linear: &Linear, output: &mut [f32]) {
    let (in_cols, out_cols) = (linear.in_features(), linear.out_features());
    assert_eq!(output.len(), rows.len() * out_cols, "there must be a row of output for each");
    let block = rows_per_block(rows.len());
    for_each_chunk(output, block * out_cols, |index, output| {
        let rows = &rows[index * block..][..output.len() / out_cols];
        let mut wanted = Vec::with_capacity(rows.len() * in_cols);
        for &row in rows {
            wanted.extend_from_slice(&x[row as usize * in_cols..][..in_cols]);
        }
        linear.apply(&wanted, output);
    });
}
