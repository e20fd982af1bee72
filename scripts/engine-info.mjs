// What an engine says of itself where this runs, as a line of JSON.

import { createEngine } from 'longformer-wasm';

const engine = await createEngine();
console.log(JSON.stringify(engine.info));
await engine.dispose();
