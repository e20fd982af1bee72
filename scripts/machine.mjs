/** Says what the machine lacks, before anything is tried. (rust.mjs says it of Rust.) */

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure } from './step.mjs';

export function checkMachine() {
  if (Number(process.versions.node.split('.')[0]) < 20) throw new Failure(`Node 20 or newer is needed, this is ${process.versions.node}`);
  if (process.platform === 'win32') throw new Failure('the build scripts run on Linux and macOS; on Windows use WSL');
  if (!onPath('cc')) throw new Failure('cc, a C compiler, is missing; Rust links with it. On Debian: apt-get install build-essential');
  if (!onPath('npm')) throw new Failure('npm is missing; it comes with Node, on Debian: apt-get install npm');
}

const onPath = (program) => process.env.PATH.split(delimiter).some((folder) => existsSync(join(folder, program)));
