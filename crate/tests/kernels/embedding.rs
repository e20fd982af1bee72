//! Embeddings against their definition.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::{self, Random, assert_close};
use longformer::LayerNorm;
use longformer::embedding::{Lookup, Table, embed};
use longformer::work::whole;

/// Three numbers in -1..1 added round by 2e-7; a layer norm with an eps of 0.1 at most triples it.
const TOLERANCE: f64 = 2e-6;

#[test]
fn embed_matches_reference() {
    let mut random = Random::new(1);
    for cols in [1, 3, 4, 8, 11, 64] {
        for tokens in [1, 2, 12, 13, 50, 300] {
            for tables in 1..=3 {
                let sizes = [50, 7, 1];
                let data: Vec<Vec<f32>> =
                    (0..tables).map(|i| random.floats(sizes[i] * cols, 1.0)).collect();
                let ids: Vec<Vec<u32>> = (0..tables)
                    .map(|i| (0..tokens).map(|_| random.below(sizes[i]) as u32).collect())
                    .collect();
                let expected: Vec<(&[f32], &[u32])> =
                    (0..tables).map(|i| (&data[i][..], &ids[i][..])).collect();
                let expected = reference::embed(&expected, cols);

                let tables: Vec<Table> = data.iter().map(|data| table(data, cols)).collect();
                let lookups: Vec<Lookup> =
                    tables.iter().zip(&ids).map(|(table, ids)| Lookup { table, ids }).collect();
                let mut hidden_states = vec![f32::NAN; tokens * cols];
                whole(|work| embed(work, &lookups, None, &mut hidden_states));
                let case = (cols, tokens, lookups.len());
                assert_close(case, &hidden_states, &expected, TOLERANCE);

                let norm = LayerNorm {
                    weight: random.floats(cols, 1.0),
                    bias: random.floats(cols, 1.0),
                    eps: 0.1,
                };
                let expected = reference::layer_norm(&expected, &norm.weight, &norm.bias, norm.eps);
                hidden_states.fill(f32::NAN);
                whole(|work| embed(work, &lookups, Some(&norm), &mut hidden_states));
                assert_close(("norm", case), &hidden_states, &expected, TOLERANCE);
            }
        }
    }
}

fn table(data: &[f32], cols: usize) -> Table {
    let mut table = Table::try_new(data.len() / cols, cols).expect("memory");
    table.write(0, data).expect("finite");
    table
}

#[test]
fn rows_may_come_in_pieces() {
    let data = Random::new(2).floats(10 * 3, 1.0);
    let mut table = Table::try_new(10, 3).expect("memory");
    assert_eq!((table.rows(), table.cols()), (10, 3));
    table.write(6, &data[18..]).expect("finite");
    table.write(0, &data[..18]).expect("finite");
    let ids: Vec<u32> = (0..10).collect();
    let mut hidden_states = vec![f32::NAN; 30];
    whole(|work| embed(work, &[Lookup { table: &table, ids: &ids }], None, &mut hidden_states));
    assert_eq!(hidden_states, data);
}

#[test]
fn a_table_too_large_for_any_memory_is_an_error() {
    assert!(Table::try_new(usize::MAX / 2, 3).is_err());
    assert!(Table::try_new(usize::MAX / 4, 1).is_err());
}

#[cfg(not(target_arch = "wasm32"))]
mod refused {
    use super::{Lookup, Table, embed, whole};

    #[test]
    #[should_panic(expected = "out of range")]
    fn an_id_outside_the_table() {
        let table = Table::try_new(4, 2).expect("memory");
        whole(|work| embed(work, &[Lookup { table: &table, ids: &[4] }], None, &mut [0.0; 2]));
    }

    #[test]
    #[should_panic(expected = "one id per token")]
    fn ids_for_another_number_of_tokens() {
        let table = Table::try_new(4, 2).expect("memory");
        whole(|work| embed(work, &[Lookup { table: &table, ids: &[0] }], None, &mut [0.0; 4]));
    }

    #[test]
    #[should_panic(expected = "equal columns")]
    fn tables_of_unequal_width() {
        let [wide, narrow] = [4, 2].map(|cols| Table::try_new(4, cols).expect("memory"));
        let lookups = [&wide, &narrow].map(|table| Lookup { table, ids: &[0] });
        whole(|work| embed(work, &lookups, None, &mut [0.0; 4]));
    }
}
