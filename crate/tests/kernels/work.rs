//! Work that is interrupted: taken up again it gives the same bits, with threads it ends at once.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::Random;
use longformer::attention::{
    AttentionWeights, Head, Heads, Projections, Source, Workspace, attention, attention_weights,
    attentions, global_attentions,
};
use longformer::band::Pattern;
use longformer::columns::{Scratch, add_linear, linear_of_rows};
use longformer::embedding::{Lookup, Table, embed};
use longformer::feed_forward::{Buffers, Norm, feed_forward};
use longformer::layer_norm::layer_norm;
use longformer::pooling::mean_of_ranges;
use longformer::transform::transform;
use longformer::work::{Place, Stop, Work};
use longformer::{Batch, LayerNorm, Linear, Storage};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const HEADS: Heads = Heads { num_heads: 7, head_dim: 5 };
const HIDDEN_SIZE: usize = 35;
/// One block of rows and one round of heads, and two of both.
const TOKENS: [usize; 2] = [570, 700];

/// Everything that operations take, and what they keep from one interruption to the next.
struct Model {
    pattern: Pattern,
    batch: Batch,
    projections: [Linear; 6],
    intermediate: Linear,
    output: Linear,
    dense: Linear,
    norm: LayerNorm,
    table: Table,
    x: Vec<f32>,
    ids: Vec<u32>,
    tokens: usize,
}

impl Model {
    fn new(tokens: usize, globals: usize, storage: Storage) -> Self {
        let mut random = Random::new(1);
        let mut layer = |from, to, groups| {
            let mut linear = Linear::try_with_storage(storage, from, to, groups).expect("memory");
            linear.write_weight(0, &random.floats(from * to, 0.5)).expect("finite");
            linear.write_bias(0, &random.floats(to, 0.5));
            linear
        };
        let projections = [(); 6].map(|()| layer(HIDDEN_SIZE, HIDDEN_SIZE, HEADS.num_heads));
        let [intermediate, output] = [layer(HIDDEN_SIZE, 50, 1), layer(50, HIDDEN_SIZE, 1)];
        let dense = layer(HIDDEN_SIZE, HIDDEN_SIZE, 1);
        let mut batch = Batch::default();
        batch.push(tokens - 200, (0..globals).map(|i| i * 3).collect(), vec![7, 300]);
        batch.push(1, vec![], vec![]);
        batch.push(199, vec![5], (150..199).collect());
        let mut table = Table::try_new(50, HIDDEN_SIZE).expect("memory");
        table.write(0, &random.floats(50 * HIDDEN_SIZE, 1.0)).expect("finite");
        Self {
            pattern: Pattern::new(40, &[1, 2, 7, 1, 1, 3, 1], false),
            batch,
            projections,
            intermediate,
            output,
            dense,
            norm: LayerNorm::new(HIDDEN_SIZE, 1e-5),
            table,
            x: random.floats(tokens * HIDDEN_SIZE, 1.0),
            ids: (0..tokens).map(|_| random.below(50) as u32).collect(),
            tokens,
        }
    }

    fn projections<'a>(&'a self, hidden_states: &'a [f32]) -> [Projections<'a>; 2] {
        let source = |i: usize| Source::Projected { hidden_states, weights: &self.projections[i] };
        [0, 3].map(|i| Projections { query: source(i), key: source(i + 1), value: source(i + 2) })
    }

    /// Each operation once, each through `run`.
    fn everything(&self, mut run: impl FnMut(&mut Operation)) -> Vec<Vec<f32>> {
        let Self { pattern, batch, norm, tokens, .. } = self;
        let dense = &self.intermediate;
        let rows: Vec<u32> = (0..*tokens as u32).rev().step_by(3).collect();
        let ranges: Vec<_> = (0..100).map(|i| i * 5..i * 5 + 5).collect();
        let of = |count: usize, cols: usize| vec![f32::NAN; count * cols];

        let mut states = of(*tokens, HIDDEN_SIZE);
        let words = [Lookup { table: &self.table, ids: &self.ids }];
        run(&mut |work| embed(work, &words, Some(norm), &mut states));
        let mut context = of(*tokens, HIDDEN_SIZE);
        let mut workspace = Workspace::default();
        let projections = self.projections(&states);
        run(&mut |work| {
            attention(work, HEADS, pattern, batch, projections, &mut workspace, &mut context)
        });
        let mut results = Vec::new();
        let mut weights = AttentionWeights::default();
        for (number, query) in [(0, 3), (0, 4), (2, 100)] {
            let sequence = &batch.sequences()[number];
            run(&mut |work| {
                let weights = &mut weights;
                attention_weights(work, HEADS, pattern, sequence, query, projections, weights)
            });
            results.push(weights.values.clone());
            let head = Head { heads: HEADS, head: 1, pattern, sequence };
            let queries: Vec<usize> = (0..sequence.len()).collect();
            run(&mut |work| attentions(work, head, &queries, projections[0], &mut weights));
            results.push(weights.values.clone());
            run(&mut |work| global_attentions(work, head, projections[1], &mut weights));
            results.push(weights.values.clone());
        }
        let mut buffers = Buffers::default();
        let mut scratch = Scratch::default();
        let mut added = self.x.clone();
        run(&mut |work| {
            add_linear(work, &mut added, &context, &self.dense, Some(norm), &mut scratch)
        });
        let mut fed = self.x.clone();
        run(&mut |work| {
            feed_forward(work, &mut fed, dense, &self.output, Norm::After(norm), &mut buffers)
        });
        let mut fed_first = self.x.clone();
        run(&mut |work| {
            let norm = Norm::Before(norm);
            feed_forward(work, &mut fed_first, dense, &self.output, norm, &mut buffers)
        });
        let mut normal = of(*tokens, HIDDEN_SIZE);
        run(&mut |work| layer_norm(work, &self.x, norm, &mut normal));
        let mut one = of(1, 50);
        run(&mut |work| linear_of_rows(work, &self.x, &rows[..1], dense, &mut one, &mut scratch));
        let mut some = of(rows.len(), 50);
        run(&mut |work| linear_of_rows(work, &self.x, &rows, dense, &mut some, &mut scratch));
        let mut transformed = of(rows.len(), 50);
        let wide = LayerNorm::new(50, 1e-5);
        run(&mut |work| {
            transform(work, &self.x, &rows, dense, &wide, &mut transformed, &mut scratch)
        });
        let mut means = of(ranges.len(), HIDDEN_SIZE);
        run(&mut |work| mean_of_ranges(work, &self.x, HIDDEN_SIZE, &ranges, &mut means));
        results.extend([
            states,
            context,
            added,
            fed,
            fed_first,
            normal,
            one,
            some,
            transformed,
            means,
        ]);
        results
    }
}

type Operation<'a> = dyn FnMut(&mut Work) -> Result<(), Stop> + 'a;

/// Runs an operation that stops before every `n`th unit, and takes it up until it is through.
#[cfg(not(feature = "threads"))]
fn with_stops(n: usize, stops: &mut usize, operation: &mut Operation) {
    let mut place = Place::default();
    loop {
        let asked = AtomicUsize::new(0);
        let ask = || asked.fetch_add(1, Relaxed) == n;
        match operation(&mut Work::new(&ask, &mut place)) {
            Ok(()) => return,
            Err(stop) => assert_eq!(stop, Stop::Interrupted),
        }
        *stops += 1;
    }
}

#[test]
#[cfg(not(feature = "threads"))]
fn interruptions_change_no_bit() {
    use crate::reference::assert_same_bits;
    use longformer::work::whole;
    // Folded global projections, and so many queries that they are not.
    let kinds = [(2, Storage::F32), (2, Storage::int8()), (120, Storage::F32)];
    for (tokens, (globals, storage)) in TOKENS.into_iter().flat_map(|n| kinds.map(|kind| (n, kind)))
    {
        let model = Model::new(tokens, globals, storage);
        let expected = model.everything(|operation| whole(operation));
        for n in [1, 2, 13] {
            let mut stops = 0;
            let actual = model.everything(|operation| with_stops(n, &mut stops, operation));
            for (i, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
                assert_same_bits((tokens, globals, storage, n, i), actual, expected);
            }
            assert!(stops > 400 / n, "{stops} stops");
        }
    }
}

#[test]
fn an_interruption_is_heard_before_the_next_unit() {
    let everything = |tokens, f: &dyn Fn(&mut Operation)| {
        Model::new(tokens, 2, Storage::F32).everything(f);
    };
    let heard = |operation: &mut Operation| {
        let asked = AtomicUsize::new(0);
        let never = || {
            asked.fetch_add(1, Relaxed);
            false
        };
        operation(&mut Work::new(&never, &mut Place::default())).expect("nobody interrupts");
        let units = asked.load(Relaxed);
        assert!(units > 0, "every operation asks");

        let asked = AtomicUsize::new(0);
        let after_one = || asked.fetch_add(1, Relaxed) >= 1;
        let stopped = operation(&mut Work::new(&after_one, &mut Place::default()));
        if units > 1 {
            assert_eq!(stopped, Err(Stop::Interrupted));
            // Other threads may ask once each, too.
            assert!(asked.load(Relaxed) <= 64, "asked {asked:?} times of {units}");
        }
        operation(&mut Work::new(&|| false, &mut Place::default())).expect("from the beginning");
    };
    TOKENS.into_iter().for_each(|tokens| everything(tokens, &heard));
}

#[test]
#[cfg(all(feature = "threads", not(target_arch = "wasm32")))]
#[should_panic(expected = "cannot be taken up again")]
fn work_of_several_threads_cannot_be_taken_up() {
    let mut place = Place::default();
    let mut data = [0.0; 4];
    for _ in 0..2 {
        let _ = Work::new(&|| true, &mut place).for_each_chunk(&mut data, 1, |_, _| {});
    }
}
