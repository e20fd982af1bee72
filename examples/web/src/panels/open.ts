// The ways in: a dialog, a drop, a paste, the sample.

import sample from '../../../../DESIGN.md?url';
import { forgetDocument, openDocument } from '../desk';
import { byId } from '../elements';
import { showProblem } from '../job';
import { keptDocument } from '../kept-document';
import { modelsListed, takeFolder } from './model';

const file = byId<HTMLInputElement>('file');
const pasted = byId<HTMLTextAreaElement>('pasted');
const dropping = byId('dropping');

let isAsked = false;

async function open(document: File): Promise<void> {
  isAsked = true;
  await modelsListed;
  await openDocument(document);
}

// What was open is open again, unless something else is by then.
void modelsListed.then(async () => {
  const kept = await keptDocument();
  if (kept !== null && !isAsked) await openDocument(kept, { isKept: true });
});

const PASTED = 'A pasted text';

for (const id of ['open', 'choose']) byId(id).addEventListener('click', () => file.click());

file.addEventListener('change', () => {
  const [first] = file.files!;
  if (first !== undefined) void open(first);
  file.value = '';
});

byId('sample').addEventListener('click', async () => {
  const reply = await fetch(sample);
  void open(new File([await reply.blob()], 'DESIGN.md'));
});

byId('forget').addEventListener('click', async () => {
  await forgetDocument();
  byId('choose').focus(); // the button is gone that had it
});

byId('paste').addEventListener('submit', (event) => {
  event.preventDefault();
  void open(new File([pasted.value], PASTED));
  pasted.value = '';
});

/** Anywhere but in a field, where a paste is for the field. */
addEventListener('paste', (event) => {
  if (event.target instanceof HTMLInputElement || event.clipboardData === null) return;
  const html = event.clipboardData.getData('text/html');
  const text = event.clipboardData.getData('text/plain');
  if (html === '' && text === '') return;
  event.preventDefault();
  pasted.value = '';
  void open(html !== '' ? new File([html], PASTED, { type: 'text/html' }) : new File([text], PASTED));
});

// ---------------------------------------------------------------------------- dropped

let depth = 0; // a drag enters each element below anew

addEventListener('dragenter', (event) => {
  if (!event.dataTransfer?.types.includes('Files')) return;
  depth++;
  dropping.hidden = false;
});
addEventListener('dragleave', () => {
  depth = Math.max(depth - 1, 0);
  dropping.hidden = depth === 0;
});
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', async (event) => {
  event.preventDefault();
  depth = 0;
  dropping.hidden = true;
  const entries = [...event.dataTransfer?.items ?? []].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const loose = [...event.dataTransfer?.files ?? []]; // only now: they are gone after the first wait
  const files = entries.some(({ isDirectory }) => isDirectory) ? (await Promise.all(entries.map(filesIn))).flat() : loose;
  if (files.some(({ name }) => name === 'config.json')) return void takeFolder(files);
  if (files.length > 0 && files.length === loose.length) return void open(files[0]!);
  showProblem('Drop a document, or the folder of a model, which has a config.json.');
});

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    Object.defineProperty(file, 'webkitRelativePath', { value: entry.fullPath.slice(1) }); // as a dialog for folders has it
    return [file];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const all: FileSystemEntry[] = [];
  for (;;) { // a hundred at a time
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return (await Promise.all(all.map(filesIn))).flat();
    all.push(...some);
  }
}
