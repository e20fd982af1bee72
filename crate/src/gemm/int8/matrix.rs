//! Weights in 8 bits, quantised when they are packed: a scale for each stretch of a column.

use super::Sums;
use super::rows::quantize_symmetric;
use super::step::STEP;
use crate::gemm::PANEL;
use crate::memory::{OutOfMemory, try_filled, try_len};
use std::array::from_fn;

/// The right matrix of a product, in panels.
#[derive(Clone, Debug)]
pub struct Int8Matrix {
    sums: Sums,
    depth: usize,
    data: Vec<i8>,
    /// `[panels][stretches][8]`.
    scales: Vec<[f32; PANEL]>,
    /// Of the weights of each stretch, `[panels][stretches][8]`.
    weight_sums: Vec<[i32; PANEL]>,
}

/// Eight columns of it. The last panel has all of them, too.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    stretch: usize,
    data: &'a [i8],
    scales: &'a [[f32; PANEL]],
    weight_sums: &'a [[i32; PANEL]],
}

/// A part of a panel, [`Sums::stretch`] numbers deep or what is left.
pub(super) struct Stretch<'a> {
    /// `[8][STEP]` each; zeros fill the last one up.
    pub(super) steps: &'a [[i8; STEP * PANEL]],
    pub(super) scales: &'a [f32; PANEL],
    #[allow(dead_code, reason = "the step of two keeps numbers as they are")]
    pub(super) weight_sums: &'a [i32; PANEL],
}

impl<'a> Panel<'a> {
    #[inline(always)]
    pub(super) fn stretches(self) -> impl Iterator<Item = Stretch<'a>> {
        let (steps, _) = self.data.as_chunks();
        let scales = self.scales.iter().zip(self.weight_sums);
        let parts = steps.chunks(self.stretch / STEP).zip(scales);
        parts.map(|(steps, (scales, weight_sums))| Stretch { steps, scales, weight_sums })
    }
}

/// Panels from one of them on.
#[derive(Clone, Copy)]
pub struct Int8Panels<'a> {
    matrix: &'a Int8Matrix,
    first: usize,
}

impl<'a> Int8Panels<'a> {
    pub(super) fn depth(self) -> usize {
        self.matrix.depth
    }

    pub(super) fn sums(self) -> Sums {
        self.matrix.sums
    }

    pub(super) fn panel(self, panel: usize) -> Panel<'a> {
        self.matrix.panel(self.first + panel)
    }
}

fn panel_len(depth: usize) -> usize {
    depth.next_multiple_of(STEP) * PANEL
}

impl Int8Matrix {
    /// Zeros, `cols` whole panels of columns.
    ///
    /// # Panics
    ///
    /// If such sums are not exact here.
    pub fn try_new(sums: Sums, depth: usize, cols: usize) -> Result<Self, OutOfMemory> {
        assert!(Sums::exact().contains(&sums), "sums must be exact here, {sums:?} are not");
        let panels = cols / PANEL;
        let stretches = try_len(depth.div_ceil(sums.stretch()), panels)?;
        Ok(Self {
            sums,
            depth,
            data: try_filled(try_len(panel_len(depth), panels)?, 0)?,
            scales: try_filled(stretches, [0.0; PANEL])?,
            weight_sums: try_filled(stretches, [0; PANEL])?,
        })
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        let Self { data, scales, weight_sums, .. } = self;
        data.len() + size_of_val(scales.as_slice()) + size_of_val(weight_sums.as_slice())
    }

    /// The panels from column `first` on, where one begins.
    pub fn from_column(&self, first: usize) -> Int8Panels<'_> {
        Int8Panels { matrix: self, first: first / PANEL }
    }

    fn panel(&self, panel: usize) -> Panel<'_> {
        let stretch = self.sums.stretch();
        let (len, stretches) = (panel_len(self.depth), self.depth.div_ceil(stretch));
        Panel {
            stretch,
            data: &self.data[panel * len..][..len],
            scales: &self.scales[panel * stretches..][..stretches],
            weight_sums: &self.weight_sums[panel * stretches..][..stretches],
        }
    }

    /// Quantises a column. A NaN or an infinity in it gives NaN in every product.
    pub fn write_column(&mut self, col: usize, column: &[f32]) {
        let (panel, col) = (col / PANEL, col % PANEL);
        let len = panel_len(self.depth);
        let (steps, _) = self.data[panel * len..][..len].as_chunks_mut::<STEP>();
        let (stretch, most) = (self.sums.stretch(), self.sums.most_weight());
        let stretches = panel * self.depth.div_ceil(stretch)..;
        let sums = &mut self.weight_sums[stretches.clone()];
        let scales = self.scales[stretches].iter_mut().zip(sums);
        let parts = steps.chunks_mut(stretch / STEP * PANEL).zip(column.chunks(stretch));
        for ((steps, numbers), (scales, sums)) in parts.zip(scales) {
            let mut sum = 0;
            scales[col] = quantize_symmetric(numbers, most, |k, weight| {
                steps[k / STEP * PANEL + col][k % STEP] = weight;
                sum += i32::from(weight);
            });
            sums[col] = sum;
        }
    }

    /// `to += panel · vector` of panel `panel`, a row of it for each element.
    pub fn add_products(&self, panel: usize, vector: &[f32; PANEL], to: &mut [f32]) {
        let parts = to.chunks_mut(self.sums.stretch());
        for (to, Stretch { steps, scales, .. }) in parts.zip(self.panel(panel).stretches()) {
            let factors: [f32; PANEL] = from_fn(|col| vector[col] * scales[col]);
            for (to, step) in to.chunks_mut(STEP).zip(steps) {
                let mut products = [0.0; STEP];
                for (factor, weights) in factors.iter().zip(step.as_chunks::<STEP>().0) {
                    for (product, &weight) in products.iter_mut().zip(weights) {
                        *product += factor * f32::from(weight);
                    }
                }
                to.iter_mut().zip(products).for_each(|(x, product)| *x += product);
            }
        }
    }
}
