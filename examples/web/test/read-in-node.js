// The same reading as the page's, in Node: `node read-in-node.js MODEL WORDS` prints what it took as JSON.

import { SearchIndex } from '../../../dist/index.js';
import { longDocument } from './long-document.js';

const [model, words] = process.argv.slice(2);
const index = await SearchIndex.create(model, { dtype: 'f16' });
const text = longDocument(Number(words));
const start = performance.now();
const [{ tokens }] = await index.add([{ id: 'document', text }]);
const duration = performance.now() - start;
const { runtime, build, threads } = index.engine.info;
console.log(JSON.stringify({ tokens, duration, runtime, build, threads }));
await index.dispose();
