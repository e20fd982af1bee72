#!/usr/bin/env node
// The `longformer-wasm` command.

import { runCommand } from './run.ts';

process.exitCode = await runCommand(process.argv.slice(2));
