// The same from CommonJS, which reaches the package by import().

import('longformer-wasm').then(() => import('./process.js'));
