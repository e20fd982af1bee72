// Pictures of patterns: that each cell is what attention sees, and what is refused.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine, patternSvg, type Engine, type PatternPicture } from 'longformer-wasm';
import { escapeXml } from '../dist/svg.js';
import { assertRefuses } from './rejects.ts';

const test = suite<{ engine: Engine }>('pattern');

test.before(async (context) => {
  context.engine = await createEngine({ threads: 1 });
});

test.after(({ engine }) => engine.dispose());

interface DrawnPanel {
  texts: string[];
  /** What is drawn of each kind, as `query,key`. */
  cells: Map<string, Set<string>>;
}

/** What a picture shows, read from its paths. */
function panelsOf(svg: string): DrawnPanel[] {
  return [...svg.matchAll(/((?:<text [^\n]+\n)+)<g [^>]*>([^]*?)<\/g>/g)].map(([, texts, paths]) => {
    const cells = new Map<string, Set<string>>();
    for (const [, kind, path] of paths!.matchAll(/<path class="(\w+)" d="([^"]*)"/g)) {
      const set = new Set<string>();
      for (const [, from, row, to] of path!.matchAll(/M([\d.]+) ([\d.]+)H([\d.]+)/g)) {
        for (let key = Math.floor(Number(from)); key < Math.ceil(Number(to)); key++) {
          const cell = `${Math.floor(Number(row))},${key}`;
          assert.not.ok(set.has(cell), `${cell} is drawn once`);
          set.add(cell);
        }
      }
      cells.set(kind!, set);
    }
    return { texts: [...texts!.matchAll(/>([^<]*)<\/text>/g)].map(([, content]) => content!), cells };
  });
}

/** What each head of the engine's attention sees: with queries of 0, and a 1 in the value of each key at a place of its own. */
async function seenBy(engine: Engine, { seqLen, oneSidedWindow, dilation = 1, causal = false, globalTokens = [] }: PatternPicture): Promise<Set<string>[]> {
  const dilations = typeof dilation === 'number' ? [dilation] : [...(dilation as number[])];
  const heads = dilations.length;
  const size = seqLen * heads * seqLen;
  const value = new Float32Array(size);
  for (let key = 0; key < seqLen; key++) for (let head = 0; head < heads; head++) value[(key * heads + head) * seqLen + key] = 1;
  const { data } = await engine.attention({
    query: new Float32Array(size), key: Float32Array.from({ length: size }, (_, i) => Math.sin(i)), value,
    seqLen, numHeads: heads, headDim: seqLen, oneSidedWindow, dilation: dilations, causal, globalTokens,
  });
  return dilations.map((_, head) => {
    const seen = new Set<string>();
    for (let query = 0; query < seqLen; query++) {
      for (let key = 0; key < seqLen; key++) if (data[(query * heads + head) * seqLen + key]! > 0) seen.add(`${query},${key}`);
    }
    return seen;
  });
}

const PATTERNS: readonly PatternPicture[] = [
  { seqLen: 1, oneSidedWindow: 3 },
  { seqLen: 9, oneSidedWindow: 0 },
  { seqLen: 20, oneSidedWindow: 19 },
  { seqLen: 20, oneSidedWindow: 100 },
  { seqLen: 24, oneSidedWindow: 3 },
  { seqLen: 24, oneSidedWindow: 3, dilation: 2 },
  { seqLen: 24, oneSidedWindow: 3, causal: true },
  { seqLen: 24, oneSidedWindow: 2, dilation: [1, 2, 5, 23, 24, 90] },
  { seqLen: 24, oneSidedWindow: 3, globalTokens: [0, 15] },
  { seqLen: 24, oneSidedWindow: 2, dilation: [3, 1], causal: true, globalTokens: [0, 9, 23] },
  { seqLen: 7, oneSidedWindow: 1, globalTokens: [0, 1, 2, 3, 4, 5, 6] },
  { seqLen: 60, oneSidedWindow: 4, dilation: [1, 7], globalTokens: [31] }, // cells without gaps between
];

for (const pattern of PATTERNS) {
  test(`draws what attention sees: ${JSON.stringify(pattern)}`, async ({ engine }) => {
    const seen = await seenBy(engine, pattern);
    const panels = panelsOf(patternSvg(pattern));
    assert.is(panels.length, seen.length);
    for (const [head, { cells }] of panels.entries()) {
      const drawn = ['itself', 'window', 'global'].flatMap((kind) => [...(cells.get(kind) ?? [])]);
      assert.is(new Set(drawn).size, drawn.length, 'a cell has one kind');
      assert.equal(drawn.sort(), [...seen[head]!].sort(), `head ${head}`);
      assert.is(cells.get('empty')!.size, pattern.seqLen ** 2);
    }
  });
}

test('tells the query itself, its window and global tokens apart', () => {
  const [{ cells } = assert.unreachable() as never] = panelsOf(patternSvg({ seqLen: 6, oneSidedWindow: 1, globalTokens: [4] }));
  assert.equal([...cells.get('itself')!], ['0,0', '1,1', '2,2', '3,3', '4,4', '5,5']);
  assert.equal([...cells.get('window')!], ['0,1', '1,0', '1,2', '2,1', '2,3', '3,2']);
  assert.equal([...cells.get('global')!].sort(), ['0,4', '1,4', '2,4', '3,4', '4,0', '4,1', '4,2', '4,3', '4,5', '5,4']);
});

test('heads of the same dilation share a panel', () => {
  const texts = panelsOf(patternSvg({ seqLen: 9, oneSidedWindow: 2, dilation: [1, 1, 2, 1, 2, 3], title: 'Layer 4' })).map(({ texts }) => texts);
  assert.equal(texts, [
    ['Layer 4, heads 0-1, 3', '2 keys per side'],
    ['Layer 4, heads 2, 4', '2 keys per side, 2 apart'],
    ['Layer 4, head 5', '2 keys per side, 3 apart'],
  ]);
  assert.equal(panelsOf(patternSvg({ seqLen: 9, oneSidedWindow: 1, dilation: [1, 1], causal: true })).map(({ texts }) => texts), [['1 key before']]);
});

test('several patterns stand side by side, and in rows', () => {
  const one = { seqLen: 8, oneSidedWindow: 1, title: 'a < b & "c"' };
  const svg = patternSvg([one, one, one, one, { ...one, globalTokens: [0, 1, 2, 3, 4, 5] }]);
  assert.is(panelsOf(svg).length, 5);
  assert.match(svg, /^<svg [^>]*role="img" aria-label="[^"]*a &lt; b &amp; &quot;c&quot;: 1 key per side; /);
  assert.match(svg, /<title>[^<]*1 key per side, global 0, 1, 2, 3, \.\.\.<\/title>/);
  const places = [...svg.matchAll(/translate\((\d+) (\d+)\)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  assert.is(places[4]![0], places[0]![0]);
  assert.ok(places[4]![1]! > places[0]![1]! + 200);
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number);
  for (const [x, y] of places) assert.ok(x! + 200 < width! && y! + 200 < height!);
});

test('what is no pattern is refused by name', async () => {
  const refuse = (change: object, ...patterns: RegExp[]): Promise<void> =>
    assertRefuses(() => patternSvg({ seqLen: 9, oneSidedWindow: 2, ...change }), 'BAD_INPUT', ...patterns);
  await refuse({ seqLen: 0 }, /seqLen .* from 1 to 1024, got 0/);
  await refuse({ seqLen: 1025 }, /seqLen/, /1025/);
  await refuse({ oneSidedWindow: 1.5 }, /oneSidedWindow/, /1\.5/);
  await refuse({ dilation: 0 }, /dilation must/, /0/);
  await refuse({ dilation: [1, -2] }, /dilation\[1\]/, /-2/);
  await refuse({ dilation: [] }, /dilation/, /none/);
  await refuse({ globalTokens: [9] }, /globalTokens\[0\]/, /9/);
});

test('text cannot leave its place in a picture', () => {
  assert.is(escapeXml(`<a b="c">&\x1b${String.fromCharCode(0xd800)}\u{1f600}`), '&lt;a b=&quot;c&quot;&gt;&amp;\ufffd\ufffd\u{1f600}');
});

test.run();
