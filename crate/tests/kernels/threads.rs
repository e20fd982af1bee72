//! Results are the same bits with any number of threads. Natively: inside WebAssembly the pool
//! is made by the engine's workers.

use crate::reference::{Random, assert_same_bits};
use longformer::attention::{Heads, Projections, Source, Workspace, attention};
use longformer::band::Pattern;
use longformer::columns::{Scratch, add_linear, linear_of_rows};
use longformer::embedding::{Lookup, Table, embed};
use longformer::feed_forward::{Buffers, Norm, feed_forward};
use longformer::pooling::mean_of_ranges;
use longformer::work::whole;
use longformer::{Batch, LayerNorm, Linear, Storage};

const HEADS: Heads = Heads { num_heads: 7, head_dim: 5 };
const HIDDEN_SIZE: usize = 35;
/// Two blocks of rows and two rounds of heads, and one of both.
const TOKENS: [usize; 2] = [1000, 450];

/// Compares what `f` gives with one thread and with several, a few times each, as races are not
/// lost every time.
fn assert_independent_of_threads(f: impl Fn() -> Vec<f32> + Sync) {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(&f)
    };
    let alone = run(1);
    for threads in [2, 3, 8] {
        for round in 0..3 {
            assert_same_bits((threads, "threads, round", round), &run(threads), &alone);
        }
    }
}

fn layer(random: &mut Random, storage: Storage, [from, to]: [usize; 2], groups: usize) -> Linear {
    let mut linear = Linear::try_with_storage(storage, from, to, groups).expect("memory");
    linear.write_weight(0, &random.floats(from * to, 0.5)).expect("finite");
    linear.write_bias(0, &random.floats(to, 0.5));
    linear
}

#[test]
fn attention_is_independent_of_threads() {
    for tokens in TOKENS {
        let mut random = Random::new(1);
        let mut batch = Batch::default();
        batch.push(tokens - 300, vec![0, 100, 149], vec![7, 120]);
        batch.push(1, vec![], vec![]);
        batch.push(299, vec![5], (200..299).collect());
        let hidden_states = random.floats(tokens * HIDDEN_SIZE, 1.0);
        let layers =
            [(); 6].map(|()| layer(&mut random, Storage::F32, [HIDDEN_SIZE; 2], HEADS.num_heads));
        let source =
            |i: usize| Source::Projected { hidden_states: &hidden_states, weights: &layers[i] };
        let projections = [0, 3].map(|i| Projections {
            query: source(i),
            key: source(i + 1),
            value: source(i + 2),
        });
        for dilations in [[1; 7], [1, 2, 7, 1, 1, 3, 1]] {
            let pattern = Pattern::new(40, &dilations, false);
            assert_independent_of_threads(|| {
                let mut context = vec![f32::NAN; tokens * HIDDEN_SIZE];
                let mut workspace = Workspace::default();
                whole(|work| {
                    attention(
                        work,
                        HEADS,
                        &pattern,
                        &batch,
                        projections,
                        &mut workspace,
                        &mut context,
                    )
                });
                context
            });
        }
    }
}

#[test]
fn layers_are_independent_of_threads() {
    let storages = [Storage::F32, Storage::F16, Storage::int8()];
    for (tokens, storage) in TOKENS.into_iter().flat_map(|n| storages.map(|storage| (n, storage))) {
        let mut random = Random::new(2);
        let x = random.floats(tokens * HIDDEN_SIZE, 1.0);
        let norm = LayerNorm::new(HIDDEN_SIZE, 1e-5);
        let dense = layer(&mut random, storage, [HIDDEN_SIZE; 2], 1);
        let intermediate = layer(&mut random, storage, [HIDDEN_SIZE, 100], 1);
        let output = layer(&mut random, storage, [100, HIDDEN_SIZE], 1);
        let mut table = Table::try_new(50, HIDDEN_SIZE).expect("memory");
        table.write(0, &random.floats(50 * HIDDEN_SIZE, 1.0)).expect("finite");
        let ids: Vec<u32> = (0..tokens).map(|_| random.below(50) as u32).collect();
        assert_independent_of_threads(|| {
            let mut hidden_states = vec![f32::NAN; tokens * HIDDEN_SIZE];
            let words = Lookup { table: &table, ids: &ids };
            whole(|work| embed(work, &[words], Some(&norm), &mut hidden_states));
            whole(|work| {
                add_linear(
                    work,
                    &mut hidden_states,
                    &x,
                    &dense,
                    Some(&norm),
                    &mut Scratch::default(),
                )
            });
            whole(|work| {
                let norm = Norm::After(&norm);
                let buffers = &mut Buffers::default();
                feed_forward(work, &mut hidden_states, &intermediate, &output, norm, buffers)
            });
            let ranges: Vec<_> = (0..100).map(|i| i * 4..i * 4 + 4).collect();
            let mut means = vec![f32::NAN; 100 * HIDDEN_SIZE];
            whole(|work| mean_of_ranges(work, &hidden_states, HIDDEN_SIZE, &ranges, &mut means));
            let mut few = vec![f32::NAN; 5 * HIDDEN_SIZE];
            let scratch = &mut Scratch::default();
            whole(|work| linear_of_rows(work, &x, &[0, 9, 3, 9, 1], &dense, &mut few, scratch));
            hidden_states.extend(means);
            hidden_states.extend(few);
            hidden_states
        });
    }
}
