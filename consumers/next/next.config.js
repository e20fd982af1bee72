// The pages become files. Their server takes the package as it lies there; Next's own lies in consumers/,
// outside of the app's folder.
import { fileURLToPath } from 'node:url';

export default {
  output: 'export',
  serverExternalPackages: ['longformer-wasm'],
  turbopack: { root: fileURLToPath(new URL('../../..', import.meta.url)) },
};
