/**
 * Real browsers, as Debian packages them, each started with a profile of its own that is thrown away.
 *
 * Where one is missing and we may install packages (root, with apt-get), it is installed.
 */

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { Failure, ask, attempt, run, step } from './step.mjs';

/** Nothing of a browser's own shall happen: no updates, no reports, no questions. */
const firefoxPrefs = {
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.telemetry.reportingpolicy.firstRun': false,
  'browser.tabs.remote.autostart': true,
};

export const browsers = [
  {
    name: 'chromium',
    packages: ['chromium'],
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    args: (profile) => [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', `--user-data-dir=${profile}`,
    ],
  },
  {
    name: 'firefox',
    packages: ['firefox-esr'],
    programs: ['firefox-esr', 'firefox'],
    args: (profile) => {
      const lines = Object.entries(firefoxPrefs).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`);
      writeFileSync(join(profile, 'user.js'), lines.join(''));
      return ['--headless', '--no-remote', '--profile', profile];
    },
  },
  {
    name: 'webkit', // WebKitGTK's own small browser, the nearest thing to Safari that runs on Linux
    packages: ['webkit2gtk-driver', 'xvfb', 'xauth'],
    programs: ['/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser', '/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser'],
    wrapper: ['xvfb-run', '-a'],
    env: { JSC_useSharedArrayBuffer: '1' }, // in Safari isolated pages have it, WebKitGTK leaves it off
    args: () => ['--private'],
  },
];

const SECONDS_TO_INSTALL = 600;

/** `{ program, version }` of a browser, installed if it must and can be; throws a Failure where it can't be had. */
export async function findBrowser({ name, packages, programs, wrapper }) {
  const program = onPath(programs) ?? (await install(name, packages), onPath(programs));
  const { output } = program ? await ask(...wrapped(wrapper, program, ['--version'])) : { output: '' };
  const version = /\d+(\.\d+)+\w*/.exec(output)?.[0];
  if (!version) throw new Failure(`${name} was not found, or does not say its version`);
  return { program, version };
}

/** The first of `programs`, names or whole paths, that is there. */
const onPath = (programs) =>
  programs.flatMap((name) => process.env.PATH.split(delimiter).map((folder) => resolve(folder, name))).find((file) => existsSync(file));

/** A program and its arguments, behind those of what it is to be started by. */
const wrapped = (wrapper = [], program, args) => {
  const [first, ...rest] = [...wrapper, program, ...args];
  return [first, rest];
};

async function install(name, packages) {
  const how = `apt-get install ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || (await ask('apt-get', ['--version'])).code !== 0) {
    throw new Failure(`${name} is not installed; on Debian, as root: ${how}`);
  }
  await step(how, async () => {
    await run('apt-get', ['update', '-q'], { log: 'apt-get-update', seconds: SECONDS_TO_INSTALL });
    await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages],
      { env: { DEBIAN_FRONTEND: 'noninteractive' }, log: `apt-get-install-${name}`, seconds: SECONDS_TO_INSTALL });
  });
}

/** Opens an address; `{ stop }` ends the browser and throws its profile away. */
export function openBrowser({ name, args, wrapper, env }, program, address) {
  const profile = mkdtempSync(join(tmpdir(), `longformer-${name}-`));
  const ending = new AbortController();
  const ended = attempt(...wrapped(wrapper, program, [...args(profile), address]), { env, signal: ending.signal });
  return {
    async stop() {
      ending.abort();
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}
