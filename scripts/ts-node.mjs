/** `node --import ./scripts/ts-node.mjs FILE.ts` runs TypeScript. */

import { register } from 'node:module';

register('ts-node/esm', new URL('..', import.meta.url));
