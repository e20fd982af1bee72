//! A linear layer, `x · weightᵀ + bias`, with its weights packed for the register tile.

use crate::gemm::{
    Int8Matrix, Output, PANEL, Panels, QuantizedRows, Rows, Shape, Start, Sums, multiply,
    multiply_half, multiply_int8, multiply_quantized, pack_column, pack_half_column, padded,
};
use crate::half::{TooLarge, widen};
use crate::memory::{OutOfMemory, try_filled, try_len, try_zeros};
use crate::simd::{F32x4, LANES, load_pair};
use std::ops::Range;

/// How weights are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In single precision.
    F32,
    /// Rounded to half precision, and computed with in single.
    F16,
    /// In 8 bits, with a scale for each stretch of an output feature; the rows that come are
    /// quantised too, and products added up as [`Sums`] says. Tables use the 8 bits alone.
    Int8(Sums),
}

impl Storage {
    /// 8 bits, by the fastest sums that are exact here.
    pub fn int8() -> Self {
        Self::Int8(Sums::here())
    }
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
    /// Quantised before: where a layer with 8-bit weights is applied part by part, so that it
    /// happens once.
    Quantized(QuantizedRows<'a>),
}

impl Input<'_> {
    /// The rows from `first` on.
    pub(crate) fn rows_from(self, first: usize) -> Self {
        match self {
            Self::Rows(Rows { data, stride }) => {
                Self::Rows(Rows { data: &data[first * stride..], stride })
            }
            Self::Quantized(QuantizedRows { data, stride }) => {
                Self::Quantized(QuantizedRows { data: &data[first * stride..], stride })
            }
        }
    }
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
            Storage::Int8(sums) => Weights::Int8(Int8Matrix::try_new(sums, in_features, cols)?),
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

    /// `x · weightᵀ + bias` of one group for `rows` rows.
    pub fn apply_group<'a>(
        &self,
        group: usize,
        rows: usize,
        x: impl Into<Input<'a>>,
        output: Output,
    ) {
        self.apply_part(group, 0..self.group_len, rows, x.into(), output);
    }

    /// The same for the output features at `cols` of a layer of one group, from where a panel begins.
    pub(crate) fn apply_columns(&self, cols: Range<usize>, rows: usize, x: Input, output: Output) {
        assert_eq!(self.groups, 1, "columns of all groups together are not numbered");
        self.apply_part(0, cols, rows, x, output);
    }

    fn apply_part(&self, group: usize, cols: Range<usize>, rows: usize, x: Input, output: Output) {
        debug_assert_eq!(cols.start % PANEL, 0);
        let depth = self.in_features;
        // Groups begin on a panel: their columns are numbered through.
        let first = group * padded(self.group_len) + cols.start;
        let shape = Shape { rows, depth, cols: cols.len() };
        let len = padded(cols.len());
        let bias = &self.bias[first..][..len];
        let start = Start::Bias(bias);
        match (&self.weights, x) {
            (Weights::F32(panels), Input::Rows(x)) => {
                let data = &panels[first * depth..][..len * depth];
                multiply(shape, x, Panels { data, stride: depth * PANEL }, start, output);
            }
            (Weights::F16(panels), Input::Rows(x)) => {
                multiply_half(shape, x, &panels[first * depth..][..len * depth], start, output);
            }
            (Weights::Int8(matrix), x) => {
                let panels = matrix.from_column(first);
                match x {
                    Input::Rows(x) => multiply_int8(shape, x, panels, bias, output),
                    Input::Quantized(x) => multiply_quantized(shape, x, panels, bias, output),
                }
            }
            (_, Input::Quantized(_)) => panic!("only 8-bit weights take quantised rows"),
        }
    }

    /// Makes `folded`, `[in_features]`, `weightᵀ · vector` of one group, for a vector of the group's
    /// features; `panel` is room for halves made longer. Of 8-bit weights it takes what they are worth;
    /// `vector` is not quantised.
    pub fn transposed_group(
        &self,
        group: usize,
        vector: &[f32],
        folded: &mut [f32],
        panel: &mut Vec<f32>,
    ) {
        folded.fill(0.0);
        let len = self.in_features * PANEL;
        let first = group * padded(self.group_len) / PANEL;
        for (i, part) in vector.chunks(PANEL).enumerate() {
            let mut eight = [0.0; PANEL];
            eight[..part.len()].copy_from_slice(part);
            let place = (first + i) * len;
            match &self.weights {
                Weights::F32(panels) => add_products(&panels[place..][..len], &eight, folded),
                Weights::F16(panels) => {
                    panel.resize(panel.len().max(len), 0.0);
                    widen(&panels[place..][..len], &mut panel[..len]);
                    add_products(&panel[..len], &eight, folded);
                }
                Weights::Int8(matrix) => matrix.add_products(first + i, &eight, folded),
            }
        }
    }

    /// `output = x · weightᵀ + bias`, both `[rows, ...]` without gaps; one group.
    pub fn apply(&self, x: &[f32], output: &mut [f32]) {
        let rows = x.len() / self.in_features;
        assert_eq!(x.len(), rows * self.in_features, "x must be [rows, in_features]");
        assert_eq!(output.len(), rows * self.out_features(), "output must be [rows, out_features]");
        let x = Input::Rows(Rows { data: x, stride: self.in_features });
        let output = Output { data: output, row_stride: self.group_len, panel_stride: PANEL };
        self.apply_columns(0..self.group_len, rows, x, output);
    }
}

/// `sums += panel · vector`, a panel `[sums][8]`; four sums at a time.
fn add_products(panel: &[f32], vector: &[f32; PANEL], sums: &mut [f32]) {
    let vector = load_pair(vector);
    let product = |row: &[f32; PANEL]| {
        let [left, right] = load_pair(row);
        left.mul_add(vector[0], right * vector[1])
    };
    let (rows, _) = panel.as_chunks::<PANEL>();
    let (fours, rest) = rows.as_chunks::<LANES>();
    let (vectors, tail) = sums.as_chunks_mut::<LANES>();
    for (rows, sums) in fours.iter().zip(vectors) {
        let [a, b, c, d] = F32x4::transpose(rows.each_ref().map(product));
        (F32x4::load(sums) + ((a + b) + (c + d))).store(sums);
    }
    for (row, sum) in rest.iter().zip(tail) {
        *sum += product(row).sum();
    }
}
