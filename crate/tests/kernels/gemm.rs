//! The matrix product against its definition, in every layout and from every start.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::panels::with_two_panels;
use crate::reference::{self, Random, assert_close, assert_same_bits, exact};
use longformer::gemm::{
    Output, PANEL, Panels, Rows, Shape, Start, multiply, multiply_transposed, pack_column, padded,
};

/// Sums of up to 130 products of numbers in -1..1 stay below 32, where one rounding is at most
/// 1e-6. Most are of smaller sums, and they lean both ways: twenty of them one way are out of reach.
const TOLERANCE: f64 = 2e-5;

/// Every number of rows of a tile of 4 and of 6, and the ends of several tiles.
const ROWS: [usize; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 25];
const DEPTHS: [usize; 7] = [0, 1, 2, 3, 8, 64, 130];
/// Parts of a panel, whole panels, whole ones and a part.
const COLS: [usize; 10] = [1, 2, 3, 4, 7, 8, 9, 16, 17, 24];

/// A right matrix `[depth, cols]`, and the same in panels.
struct Right {
    plain: Vec<f32>,
    panels: Vec<f32>,
    stride: usize,
}

impl Right {
    /// With NaN in the columns past the last, and `gap` NaN after each panel.
    fn new(random: &mut Random, depth: usize, cols: usize, gap: usize) -> Self {
        let plain = random.floats(depth * cols, 1.0);
        let mut packed = vec![f32::NAN; padded(cols) * depth];
        for col in 0..cols {
            let column: Vec<f32> = (0..depth).map(|k| plain[k * cols + col]).collect();
            pack_column(&mut packed, depth, col, &column);
        }
        let stride = depth * PANEL + gap;
        let mut panels = vec![f32::NAN; padded(cols) / PANEL * stride];
        if depth > 0 {
            for (to, from) in panels.chunks_mut(stride).zip(packed.chunks(depth * PANEL)) {
                to[..depth * PANEL].copy_from_slice(from);
            }
        }
        Self { plain, panels, stride }
    }

    fn panels(&self) -> Panels<'_> {
        Panels { data: &self.panels, stride: self.stride }
    }
}

/// Strides of a result, row by row with a gap, or panel by panel.
fn layouts(rows: usize, cols: usize) -> [[usize; 2]; 3] {
    [[cols, PANEL], [cols + 3, PANEL], [PANEL, rows * PANEL]]
}

/// The elements of a result in rows without gaps, and whatever else is in `data`.
fn split(data: &[f32], rows: usize, cols: usize, strides: [usize; 2]) -> (Vec<f32>, Vec<f32>) {
    let [row_stride, panel_stride] = strides;
    let at = |i: usize| {
        let (row, col) = (i / cols, i % cols);
        row * row_stride + col / PANEL * panel_stride + col % PANEL
    };
    let places: Vec<usize> = (0..rows * cols).map(at).collect();
    let mut rest = data.to_vec();
    places.iter().for_each(|&place| rest[place] = 0.5);
    (places.iter().map(|&place| data[place]).collect(), rest)
}

#[test]
fn multiply_matches_reference() {
    let mut random = Random::new(1);
    for rows in ROWS {
        for depth in DEPTHS {
            for cols in COLS {
                // Rows of A, too, may lie apart.
                let a_stride = depth + random.below(3);
                let a = random.floats(rows * a_stride, 1.0);
                let right = Right::new(&mut random, depth, cols, 4);
                let bias = random.floats(padded(cols), 1.0);
                let start = random.floats(rows * cols, 1.0);
                let a_plain: Vec<f32> =
                    (0..rows * depth).map(|i| a[i / depth * a_stride + i % depth]).collect();
                let product = reference::matrix_product(
                    &exact(&a_plain),
                    &exact(&right.plain),
                    [rows, depth, cols],
                );
                for strides in layouts(rows, cols) {
                    for from in ["zero", "bias", "accumulate"] {
                        let [row_stride, panel_stride] = strides;
                        let len = (rows - 1) * row_stride
                            + (padded(cols) / PANEL - 1) * panel_stride
                            + PANEL;
                        // What lies between the elements is 0.5 and must stay that.
                        let mut data = vec![0.5; len];
                        for (i, &x) in start.iter().enumerate() {
                            let (row, col) = (i / cols, i % cols);
                            let place = row * row_stride + col / PANEL * panel_stride + col % PANEL;
                            data[place] = if from == "accumulate" { x } else { f32::NAN };
                        }
                        let kind = match from {
                            "zero" => Start::Zero,
                            "bias" => Start::Bias(&bias),
                            _ => Start::Accumulate,
                        };
                        multiply(
                            Shape { rows, depth, cols },
                            Rows { data: &a, stride: a_stride },
                            right.panels(),
                            kind,
                            Output { data: &mut data, row_stride, panel_stride },
                        );
                        let (result, rest) = split(&data, rows, cols, strides);
                        let expected: Vec<f64> = (0..rows * cols)
                            .map(|i| match kind {
                                Start::Zero => product[i],
                                Start::Bias(bias) => product[i] + f64::from(bias[i % cols]),
                                Start::Accumulate => product[i] + f64::from(start[i]),
                            })
                            .collect();
                        let case = (rows, depth, cols, strides, from);
                        assert_close(case, &result, &expected, TOLERANCE);
                        assert!(rest.iter().all(|&x| x == 0.5), "wrote between elements {case:?}");
                    }
                }
            }
        }
    }
}

/// Whole panels of rows, by tiles of 6, of 4, and both; of columns, alone and in pairs.
#[test]
fn multiply_transposed_matches_reference() {
    let mut random = Random::new(8);
    for rows in (8..=72).step_by(8) {
        for depth in DEPTHS {
            for cols in [8, 16, 24] {
                let left = Right::new(&mut random, depth, rows, 4);
                let right = Right::new(&mut random, depth, cols, 4);
                let transposed: Vec<f32> =
                    (0..rows * depth).map(|i| left.plain[i % depth * rows + i / depth]).collect();
                let product = reference::matrix_product(
                    &exact(&transposed),
                    &exact(&right.plain),
                    [rows, depth, cols],
                );
                let begin = random.floats(rows * cols, 1.0);
                for strides in layouts(rows, cols) {
                    let [row_stride, panel_stride] = strides;
                    let len = (rows - 1) * row_stride + (cols / PANEL - 1) * panel_stride + PANEL;
                    for accumulates in [false, true] {
                        let mut of_one = Vec::new();
                        for two in [false, true] {
                            let mut data = vec![0.5; len];
                            for (i, &x) in begin.iter().enumerate() {
                                let (row, col) = (i / cols, i % cols);
                                let place =
                                    row * row_stride + col / PANEL * panel_stride + col % PANEL;
                                data[place] = if accumulates { x } else { f32::NAN };
                            }
                            let to = Output { data: &mut data, row_stride, panel_stride };
                            let start = if accumulates { Start::Accumulate } else { Start::Zero };
                            let shape = Shape { rows, depth, cols };
                            with_two_panels(two, || {
                                multiply_transposed(
                                    shape,
                                    left.panels(),
                                    right.panels(),
                                    start,
                                    to,
                                );
                            });
                            let (result, rest) = split(&data, rows, cols, strides);
                            let begin = |i: usize| f64::from(begin[i]);
                            let expected: Vec<f64> = (0..rows * cols)
                                .map(|i| product[i] + if accumulates { begin(i) } else { 0.0 })
                                .collect();
                            let case = (shape, strides, accumulates, two);
                            assert_close(case, &result, &expected, TOLERANCE);
                            assert!(rest.iter().all(|&x| x == 0.5), "between elements: {case:?}");
                            if two {
                                assert_same_bits(case, &result, &of_one);
                            }
                            of_one = result;
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_result_does_not_depend_on_how_rows_are_split() {
    let mut random = Random::new(2);
    let (rows, depth, cols) = (13, 37, 19);
    let a = random.floats(rows * depth, 1.0);
    let right = Right::new(&mut random, depth, cols, 0);
    let product = |rows: std::ops::Range<usize>| {
        let mut data = vec![f32::NAN; rows.len() * cols];
        multiply(
            Shape { rows: rows.len(), depth, cols },
            Rows { data: &a[rows.start * depth..], stride: depth },
            right.panels(),
            Start::Zero,
            Output { data: &mut data, row_stride: cols, panel_stride: PANEL },
        );
        data
    };
    let whole = product(0..rows);
    for at in 0..=rows {
        let parts = [product(0..at), product(at..rows)].concat();
        assert_same_bits(("split at", at), &parts, &whole);
    }
}

#[test]
fn two_panels_at_a_time_give_the_same_bits() {
    let mut random = Random::new(4);
    for (rows, depth, cols) in ROWS.into_iter().flat_map(|rows| {
        DEPTHS.into_iter().flat_map(move |depth| COLS.map(|cols| (rows, depth, cols)))
    }) {
        let a = random.floats(rows * depth, 1.0);
        let right = Right::new(&mut random, depth, cols, 4);
        let bias = random.floats(padded(cols), 1.0);
        for ([row_stride, panel_stride], start) in
            layouts(rows, cols).into_iter().flat_map(|strides| {
                [Start::Zero, Start::Bias(&bias), Start::Accumulate].map(|start| (strides, start))
            })
        {
            let [one, two] = [false, true].map(|two| {
                let mut data = vec![0.5; rows * row_stride + padded(cols) / PANEL * panel_stride];
                with_two_panels(two, || {
                    multiply(
                        Shape { rows, depth, cols },
                        Rows { data: &a, stride: depth },
                        right.panels(),
                        start,
                        Output { data: &mut data, row_stride, panel_stride },
                    );
                });
                data
            });
            assert_same_bits((rows, depth, cols), &two, &one);
        }
    }
}

#[test]
fn the_identity_gives_back_the_rows() {
    let mut random = Random::new(3);
    for size in [1, 5, 8, 21] {
        let a = random.floats(7 * size, 1.0);
        let mut panels = vec![f32::NAN; padded(size) * size];
        for col in 0..size {
            let mut column = vec![0.0; size];
            column[col] = 1.0;
            pack_column(&mut panels, size, col, &column);
        }
        let mut data = vec![f32::NAN; 7 * size];
        multiply(
            Shape { rows: 7, depth: size, cols: size },
            Rows { data: &a, stride: size },
            Panels { data: &panels, stride: size * PANEL },
            Start::Zero,
            Output { data: &mut data, row_stride: size, panel_stride: PANEL },
        );
        assert_same_bits(size, &data, &a);
    }
}

#[test]
fn nothing_is_touched_without_rows_or_columns() {
    for (rows, cols) in [(0, 8), (3, 0)] {
        let mut data = [0.5; 8];
        multiply(
            Shape { rows, depth: 4, cols },
            Rows { data: &[], stride: 4 },
            Panels { data: &[], stride: 32 },
            Start::Zero,
            Output { data: &mut data, row_stride: 8, panel_stride: PANEL },
        );
        assert_eq!(data, [0.5; 8]);
    }
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
#[should_panic(expected = "A is too short")]
fn a_left_matrix_that_is_too_short_is_refused() {
    multiply(
        Shape { rows: 2, depth: 4, cols: 8 },
        Rows { data: &[0.0; 7], stride: 4 },
        Panels { data: &[0.0; 32], stride: 32 },
        Start::Zero,
        Output { data: &mut [0.0; 16], row_stride: 8, panel_stride: PANEL },
    );
}
