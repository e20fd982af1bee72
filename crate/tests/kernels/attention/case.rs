//! A call of attention under conditions in which mistakes show: the context starts as NaN, and the
//! workspace holds NaN from another call.

use crate::reference::{Random, Sequence};
use longformer::Batch;
use longformer::attention::{Heads, Layout, Projections, Source, Workspace, attention};
use longformer::band::Pattern;
use longformer::work::whole;

/// Query, key and value, each `[tokens, num_heads, head_dim]`.
pub(crate) type Vectors = [Vec<f32>; 3];

/// The shapes of a call.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) heads: Heads,
    pub(crate) pattern: Pattern,
    pub(crate) sequences: Vec<Sequence>,
}

impl Case {
    /// One sequence, one window.
    pub(crate) fn new(heads: Heads, one_sided_window: usize, dilation: usize, len: usize) -> Self {
        let pattern = Pattern::new(one_sided_window, &vec![dilation; heads.num_heads], false);
        Self { heads, pattern, sequences: vec![Sequence { len, ..Sequence::default() }] }
    }

    /// The same with these global tokens, of the first sequence.
    pub(crate) fn with_globals(mut self, global_tokens: Vec<usize>) -> Self {
        self.sequences[0].global_tokens = global_tokens;
        self
    }

    pub(crate) fn tokens(&self) -> usize {
        self.sequences.iter().map(|sequence| sequence.len).sum()
    }

    /// Vectors whose scores have a standard deviation of 5: most of the weight is on a few keys.
    pub(crate) fn vectors(&self, random: &mut Random) -> Vectors {
        let len = self.tokens() * self.heads.hidden_size();
        [3.9, 3.9, 1.0].map(|limit| random.floats(len, limit))
    }

    /// The context where global queries use the same vectors as all others.
    pub(crate) fn context(&self, vectors: &Vectors) -> Vec<f32> {
        self.context_of([self.given(vectors); 2])
    }

    pub(crate) fn given<'a>(&self, vectors: &'a Vectors) -> Projections<'a> {
        let [query, key, value] =
            vectors.each_ref().map(|data| Source::Given { data, layout: Layout::ByToken });
        Projections { query, key, value }
    }

    pub(crate) fn context_of(&self, projections: [Projections; 2]) -> Vec<f32> {
        let mut batch = Batch::default();
        for Sequence { len, global_tokens, masked } in self.sequences.clone() {
            batch.push(len, global_tokens, masked);
        }
        let mut context = vec![f32::NAN; self.tokens() * self.heads.hidden_size()];
        let (pattern, mut workspace) = (&self.pattern, self.workspace_of_another_call());
        whole(|work| {
            attention(work, self.heads, pattern, &batch, projections, &mut workspace, &mut context)
        });
        context
    }

    /// A workspace full of NaN, larger than this call needs it: keys and values of as many tokens, heads
    /// and features, dilated, so that they are written there.
    fn workspace_of_another_call(&self) -> Workspace {
        let heads = Heads { head_dim: 32.max(self.heads.head_dim), ..self.heads };
        let len = self.tokens() + 5;
        let nan = vec![f32::NAN; len * heads.hidden_size()];
        let mut batch = Batch::default();
        batch.push(len, (0..len.min(24)).collect(), vec![]);
        let mut workspace = Workspace::default();
        let source = Source::Given { data: &nan, layout: Layout::ByToken };
        let projections = [Projections { query: source, key: source, value: source }; 2];
        let pattern = Pattern::new(0, &vec![2; heads.num_heads], false);
        let mut context = vec![0.0; nan.len()];
        whole(|work| {
            attention(work, heads, &pattern, &batch, projections, &mut workspace, &mut context)
        });
        workspace
    }
}
