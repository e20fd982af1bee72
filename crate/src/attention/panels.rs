//! Keys and values of some heads, packed once per layer in the order in which products read them.
//!
//! Per sequence and head, strand after strand (`band.rs`), then the global tokens once more:
//!
//! ```text
//! keys    [room(places) / 8][head_dim][8]         the B of  queries · keysᵀ : 8 keys per panel
//! values  [padded(head_dim) / 8][room(places)][8]     the B of  weights · values: 8 features per panel
//! ```
//!
//! A band is then a run of key panels, and a run of rows inside every value panel. `places` is
//! rounded up to an odd number of panels: value panels a power of two apart would be written
//! through the same few lines of the first-level cache.

use super::{Head, Heads, Projections, ROWS, Source, Tokens};
use crate::band::{Pattern, Strands};
use crate::batch::{Batch, Sequence};
use crate::gemm::{Output, PANEL, Panels, pack_columns, padded};
use crate::spare::Spare;
use crate::work::{Stop, Units, Work};
use std::ops::Range;

/// Places that `count` keys take. The padding is one panel or two per strand: it shows only under
/// dilations that leave strands of a few keys, at most eightfold.
fn room(count: usize) -> usize {
    if count == 0 { 0 } else { (count.div_ceil(PANEL) | 1) * PANEL }
}

/// Where the panels of one sequence lie.
pub(super) struct SequenceLayout {
    heads: Heads,
    globals: usize,
    strands: Vec<Strands>, // of each head
}

impl SequenceLayout {
    pub(super) fn new(sequence: &Sequence, heads: Heads, pattern: &Pattern) -> Self {
        let strands = pattern.bands.iter().map(|band| band.strands(sequence.len())).collect();
        Self { heads, globals: sequence.global_tokens.len(), strands }
    }

    fn head(&self, head: usize) -> HeadLayout {
        let head_dim = self.heads.head_dim;
        HeadLayout { head_dim, globals: self.globals, strands: self.strands[head] }
    }
}

/// Where the panels of one head of one sequence lie.
#[derive(Clone, Copy)]
pub(super) struct HeadLayout {
    head_dim: usize,
    globals: usize,
    pub(super) strands: Strands,
}

impl HeadLayout {
    /// Places before strand `strand`, each strand padded to whole panels.
    fn places_before(self, strand: usize) -> usize {
        let longer = strand.min(self.strands.longer());
        let shortest = self.strands.len(self.strands.count() - 1);
        longer * room(shortest + 1) + (strand - longer) * room(shortest)
    }

    fn places(self) -> usize {
        self.places_before(self.strands.count()) + room(self.globals)
    }

    fn keys_len(self) -> usize {
        self.places() * self.head_dim
    }

    fn values_len(self) -> usize {
        self.places() * padded(self.head_dim)
    }
}

/// The packed keys and values of one head of one sequence.
pub(super) struct HeadPanels<'a> {
    pub(super) layout: HeadLayout,
    keys: &'a [f32],
    values: &'a [f32],
}

impl<'a> HeadPanels<'a> {
    /// The key panels of a strand from place `first` on, a multiple of 8.
    pub(super) fn keys(&self, strand: usize, first: usize) -> Panels<'a> {
        let head_dim = self.layout.head_dim;
        let start = (self.layout.places_before(strand) + first) * head_dim;
        Panels { data: &self.keys[start..], stride: head_dim * PANEL }
    }

    /// The value panels of a strand from place `first` on.
    pub(super) fn values(&self, strand: usize, first: usize) -> Panels<'a> {
        let start = self.layout.places_before(strand) * padded(self.layout.head_dim);
        let stride = room(self.layout.strands.len(strand)) * PANEL;
        Panels { data: &self.values[start + first * PANEL..], stride }
    }

    /// The key panels of the global tokens.
    pub(super) fn global_keys(&self) -> Panels<'a> {
        self.keys(self.layout.strands.count(), 0)
    }

    /// The value panels of the global tokens.
    pub(super) fn global_values(&self) -> Panels<'a> {
        let strands = self.layout.strands.count();
        let start = self.layout.places_before(strands) * padded(self.layout.head_dim);
        Panels { data: &self.values[start..], stride: room(self.layout.globals) * PANEL }
    }
}

/// Makes `keys` and `values` hold the panels of any of the rounds.
pub(super) fn make_room(
    work: &mut Work,
    layouts: &[SequenceLayout],
    rounds: impl Iterator<Item = Range<usize>> + Clone,
    [keys, values]: [&mut Vec<f32>; 2],
) -> Result<(), Stop> {
    let most = |len: fn(HeadLayout) -> usize| {
        let of_round = |heads: Range<usize>| -> usize {
            layouts.iter().flat_map(|layout| heads.clone().map(|h| len(layout.head(h)))).sum()
        };
        rounds.clone().map(of_round).max().unwrap_or(0)
    };
    work.grow(keys, most(HeadLayout::keys_len))?;
    work.grow(values, most(HeadLayout::values_len))
}

/// The heads whose keys and values lie packed at one time, of all sequences.
pub(super) struct Round<'a> {
    pub(super) pattern: &'a Pattern,
    pub(super) batch: &'a Batch,
    pub(super) layouts: &'a [SequenceLayout],
    pub(super) heads: Range<usize>,
}

impl Round<'_> {
    /// Packs them.
    pub(super) fn pack(
        &self,
        work: &mut Work,
        local: Projections,
        [mut keys, mut values]: [&mut [f32]; 2],
        projected: &Spare<Vec<f32>>,
    ) -> Result<(), Stop> {
        let mut tasks = Vec::new();
        for (sequence, layout) in self.batch.sequences().iter().zip(self.layouts) {
            for head in self.heads.clone() {
                let (heads, layout) = (layout.heads, layout.head(head));
                let head = Head { heads, head, pattern: self.pattern, sequence };
                let panels = keys.split_off_mut(..layout.keys_len()).expect("room for all keys");
                let vectors = HeadVectors { head, layout, source: local.key };
                tasks.push((Kind::Keys, vectors, panels));
                let panels =
                    values.split_off_mut(..layout.values_len()).expect("room for all values");
                tasks.push((Kind::Values, HeadVectors { source: local.value, ..vectors }, panels));
            }
        }
        work.for_each_part(&mut tasks, 1, |_, task, units| {
            let (kind, vectors, panels) = &mut task[0];
            match kind {
                Kind::Keys => projected.lend(|buffer| vectors.pack_keys(panels, buffer, units)),
                Kind::Values => vectors.pack_values(panels, units),
            }
        })
    }

    /// What is packed, of each sequence and head.
    pub(super) fn panels<'b>(
        &self,
        [mut keys, mut values]: [&'b [f32]; 2],
    ) -> Vec<Vec<HeadPanels<'b>>> {
        let mut take = |layout: HeadLayout| HeadPanels {
            layout,
            keys: keys.split_off(..layout.keys_len()).expect("room for all keys"),
            values: values.split_off(..layout.values_len()).expect("room for all values"),
        };
        let of_sequence = |layout: &SequenceLayout| {
            self.heads.clone().map(|head| take(layout.head(head))).collect()
        };
        self.layouts.iter().map(of_sequence).collect()
    }
}

enum Kind {
    Keys,
    Values,
}

/// The keys or the values of one head of one sequence, before they are packed.
#[derive(Clone, Copy)]
struct HeadVectors<'a> {
    head: Head<'a>,
    layout: HeadLayout,
    source: Source<'a>,
}

impl HeadVectors<'_> {
    /// The tokens at places `first..first + count` of a strand.
    fn tokens(&self, strand: usize, first: usize, count: usize) -> Tokens {
        let step = self.layout.strands.count();
        Tokens { first: strand + first * step, step, count }
    }

    fn pack_keys(
        &self,
        mut panels: &mut [f32],
        buffer: &mut Vec<f32>,
        units: &mut Units,
    ) -> Result<(), Stop> {
        let head_dim = self.head.heads.head_dim;
        let strands = self.layout.strands;
        for strand in 0..strands.count() {
            let places = strands.len(strand);
            let strand_panels =
                panels.split_off_mut(..room(places) * head_dim).expect("room for all strands");
            for first in (0..places).step_by(ROWS) {
                if !units.due()? {
                    continue;
                }
                let count = (places - first).min(ROWS);
                let tokens = self.tokens(strand, first, count);
                let keys = self.head.rows(self.source, tokens, buffer);
                pack_columns(strand_panels, head_dim, first, count, keys);
            }
        }
        self.head.pack_globals(self.source, panels, buffer, units)
    }

    fn pack_values(&self, mut panels: &mut [f32], units: &mut Units) -> Result<(), Stop> {
        let width = padded(self.head.heads.head_dim);
        let strands = self.layout.strands;
        for strand in 0..strands.count() {
            let places = strands.len(strand);
            let panel_stride = room(places) * PANEL;
            let strand_panels =
                panels.split_off_mut(..room(places) * width).expect("room for all strands");
            for first in (0..places).step_by(ROWS) {
                if !units.due()? {
                    continue;
                }
                let count = (places - first).min(ROWS);
                let data = &mut strand_panels[first * PANEL..];
                let output = Output { data, row_stride: PANEL, panel_stride };
                let tokens = self.tokens(strand, first, count);
                self.head.write(self.source, tokens, output);
            }
        }
        let panel_stride = room(self.layout.globals) * PANEL;
        for (block, tokens) in self.head.sequence.global_tokens.chunks(ROWS).enumerate() {
            if !units.due()? {
                continue;
            }
            let data = &mut panels[block * ROWS * PANEL..];
            let output = Output { data, row_stride: PANEL, panel_stride };
            self.head.write_at(self.source, tokens, output);
        }
        Ok(())
    }
}
