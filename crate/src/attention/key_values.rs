//! Keys and values of the heads, as products read them.
//!
//! Per head, the tokens of a batch one after another, and those of a dilated sequence strand after
//! strand (`band.rs`), so that a window is always a run of them:
//!
//! ```text
//! keys    [tokens][head_dim]                         the A of  keys · queriesᵀ
//! values  [padded(head_dim) / 8][tokens | 1][8]      the A of  valuesᵀ · weights
//! ```
//!
//! What is projected is written like that, for some heads at a time. What is given like that is read
//! where it lies. `tokens` is rounded up to an odd number: panels of values a power of two apart
//! would be written through the same few lines of the first-level cache.

use super::bound::largest_square_of_rows;
use super::{Heads, Projections, ROWS, Source, Tokens};
use crate::band::Pattern;
use crate::batch::Batch;
use crate::gemm::{Output, PANEL, Panels, Rows, padded};
use crate::work::{Stop, Units, Work};
use std::ops::Range;

/// Heads whose keys and values are packed at once, at least: a dozen tasks for threads to share.
const FEWEST_HEADS: usize = 6;

/// The same times tokens, at least: so many that a short text takes all heads in one round.
const LEAST_PACKED: usize = 4096;

/// The keys and values of one head.
#[derive(Clone, Copy)]
pub(super) struct KeyValues<'a> {
    keys: Rows<'a>,
    values: Panels<'a>,
    /// The largest `key · key`.
    pub(super) largest_square: f32,
}

impl<'a> KeyValues<'a> {
    /// Keys from number `first` on, in the order in which they lie.
    pub(super) fn keys(&self, first: usize) -> Rows<'a> {
        Rows { data: &self.keys.data[first * self.keys.stride..], ..self.keys }
    }

    /// Values from number `first` on.
    pub(super) fn values(&self, first: usize) -> Panels<'a> {
        Panels { data: &self.values.data[first * PANEL..], ..self.values }
    }
}

/// What keys and values are made of.
#[derive(Clone, Copy)]
pub(super) struct Packing<'a> {
    pub(super) heads: Heads,
    pub(super) pattern: &'a Pattern,
    pub(super) batch: &'a Batch,
    pub(super) local: Projections<'a>,
}

impl<'a> Packing<'a> {
    /// The heads, round after round: those whose keys and values lie packed at one time. A long text
    /// needs memory for a few heads only; what is read where it lies needs none.
    pub(super) fn rounds(&self) -> impl Iterator<Item = Range<usize>> + Clone + use<> {
        let Heads { num_heads, .. } = self.heads;
        let packs = (0..num_heads).any(|head| self.floats(head) != [0, 0]);
        let most = (LEAST_PACKED / self.batch.total_tokens().max(1)).max(FEWEST_HEADS);
        let most = if packs { most } else { num_heads.max(1) };
        let count = num_heads.div_ceil(num_heads.div_ceil(most).max(1)).max(1);
        (0..num_heads).step_by(count).map(move |first| first..num_heads.min(first + count))
    }

    /// Makes `keys` and `values` hold those of any round.
    pub(super) fn make_room(
        &self,
        work: &mut Work,
        packed: [&mut Vec<f32>; 2],
    ) -> Result<(), Stop> {
        for (kind, packed) in packed.into_iter().enumerate() {
            let of_round = |heads: Range<usize>| {
                heads.map(|head| self.floats(head)[kind]).fold(0, usize::saturating_add)
            };
            work.grow(packed, self.rounds().map(of_round).max().unwrap_or(0))?;
        }
        Ok(())
    }

    /// Packs the keys and values of the heads of a round, and writes their largest `key · key` to
    /// `squares`, which are 0.
    pub(super) fn pack(
        &self,
        work: &mut Work,
        heads: Range<usize>,
        [mut keys, mut values]: [&mut [f32]; 2],
        squares: &mut [f32],
    ) -> Result<(), Stop> {
        let mut tasks = Vec::new();
        for (head, square) in heads.clone().zip(&mut squares[heads]) {
            let [keys_len, values_len] = self.floats(head);
            let data = keys.split_off_mut(..keys_len).expect("room for all keys");
            let rows = Output { data, row_stride: self.heads.head_dim, panel_stride: PANEL };
            let rows = (keys_len > 0).then_some(rows);
            tasks.push(Task { head, source: self.local.key, to: rows, square: Some(square) });
            if values_len > 0 {
                let data = values.split_off_mut(..values_len).expect("room for all values");
                let panel_stride = self.panel_stride();
                let panels = Some(Output { data, row_stride: PANEL, panel_stride });
                tasks.push(Task { head, source: self.local.value, to: panels, square: None });
            }
        }
        work.for_each_part(&mut tasks, 1, |_, task, units| self.run(&mut task[0], units))
    }

    /// Keys and values of the heads of a round, packed or not.
    pub(super) fn of_round(
        &self,
        heads: Range<usize>,
        [mut keys, mut values]: [&'a [f32]; 2],
        squares: &[f32],
    ) -> Vec<KeyValues<'a>> {
        let mut of_head = |head| {
            let [keys_len, values_len] = self.floats(head);
            let rows = keys.split_off(..keys_len).expect("room for all keys");
            let panels = values.split_off(..values_len).expect("room for all values");
            let keys = self.given_keys(head);
            let values = self.given_values(head);
            KeyValues {
                keys: keys.unwrap_or(Rows { data: rows, stride: self.heads.head_dim }),
                values: values.unwrap_or(Panels { data: panels, stride: self.panel_stride() }),
                largest_square: squares[head],
            }
        };
        heads.map(&mut of_head).collect()
    }

    fn panel_stride(&self) -> usize {
        (self.batch.total_tokens() | 1).saturating_mul(PANEL)
    }

    /// Floats that keys and values of a head take in packing.
    fn floats(&self, head: usize) -> [usize; 2] {
        let Heads { head_dim, .. } = self.heads;
        let keys = match self.given_keys(head) {
            Some(_) => 0,
            None => self.batch.total_tokens().saturating_mul(head_dim),
        };
        let values = match self.given_values(head) {
            Some(_) => 0,
            None => self.panel_stride().saturating_mul(padded(head_dim) / PANEL),
        };
        [keys, values]
    }

    fn given_keys(&self, head: usize) -> Option<Rows<'a>> {
        self.local.key.as_rows(self.heads, head).filter(|_| self.pattern.bands[head].dilation == 1)
    }

    fn given_values(&self, head: usize) -> Option<Panels<'a>> {
        self.local
            .value
            .as_panels(self.heads, head)
            .filter(|_| self.pattern.bands[head].dilation == 1)
    }

    /// Goes over the vectors of one head, sequence after sequence and strand after strand.
    fn run(&self, task: &mut Task, units: &mut Units) -> Result<(), Stop> {
        let Task { head, source, to, square } = task;
        let (heads, head) = (self.heads, *head);
        for sequence in self.batch.sequences() {
            let strands = self.pattern.bands[head].strands(sequence.len());
            for strand in 0..strands.count() {
                let places = strands.len(strand);
                let number = sequence.rows.start + strands.number(strand, 0);
                for first in (0..places).step_by(ROWS) {
                    if !units.due()? {
                        continue;
                    }
                    let count = (places - first).min(ROWS);
                    let number = number + first;
                    if let Some(Output { data, row_stride, panel_stride }) = to {
                        let start = sequence.rows.start + strands.position(strand, first);
                        let tokens = Tokens { first: start, step: strands.count(), count };
                        let (row_stride, panel_stride) = (*row_stride, *panel_stride);
                        let data = &mut data[number * row_stride..];
                        let to = Output { data, row_stride, panel_stride };
                        source.write_rows(heads, head, tokens, to);
                    }
                    if let Some(square) = square {
                        let Rows { data, stride } = match to {
                            Some(to) => Rows { data: to.data, stride: to.row_stride },
                            None => self.given_keys(head).expect("packed, or read where they lie"),
                        };
                        let keys = Rows { data: &data[number * stride..], stride };
                        **square = square.max(largest_square_of_rows(count, heads.head_dim, keys));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Keys or values of one head: what they are made of, and where they go, if they do not lie as they
/// are read. Of keys the largest square is sought, too.
struct Task<'a> {
    head: usize,
    source: Source<'a>,
    to: Option<Output<'a>>,
    square: Option<&'a mut f32>,
}
