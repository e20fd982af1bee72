// The page's side of the worker that turns files into HTML.

import type { ExtractReply, ExtractRequest, Kind } from './extract.worker';

/** A file as HTML of unknown origin. Rejects with what is wrong with it. */
export async function extract(file: File, signal: AbortSignal): Promise<string> {
  const kind = await kindOf(file);
  const bytes = await file.arrayBuffer();
  signal.throwIfAborted();
  const worker = new Worker(new URL('./extract.worker.ts', import.meta.url), { type: 'module', name: 'extract' });
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      worker.onerror = () => reject(new Error('The reader of files could not be started.'));
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }: MessageEvent<ExtractReply>) =>
        'html' in data ? resolve(data.html) : reject(new Error(`This file cannot be shown: ${data.problem}.`));
      worker.postMessage({ kind, bytes } satisfies ExtractRequest, [bytes, port2]);
    });
  } finally {
    worker.terminate();
  }
}

async function kindOf(file: File): Promise<Kind> {
  const { name } = file;
  const start = await file.slice(0, 200).text();
  if (start.startsWith('%PDF-')) return 'pdf';
  if (file.type === 'text/html' || /\.x?html?$/i.test(name) || /^\s*<(!doctype html|html)/i.test(start)) return 'html';
  return /\.(md|markdown)$/i.test(name) ? 'markdown' : 'text'; // a log, a program, a paste: their lines are theirs
}
