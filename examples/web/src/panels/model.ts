// Which model reads: one of the server's, a folder of the reader's, or one of the Hugging Face Hub.

import { chooseModel, desk, onChange } from '../desk';
import { byId, make } from '../elements';
import { showProblem } from '../job';
import { remember, remembered } from '../remembered';
import { folderChoice, hubChoice, hubChoices, rememberHubChoice, servedChoices, type Choice } from '../sources';

const select = byId<HTMLSelectElement>('model');
const hub = byId<HTMLFormElement>('hub');
const folder = byId<HTMLInputElement>('folder');
const choices: Choice[] = [];
let chosen = -1;

function list(): void {
  select.replaceChildren(
    ...(choices.length === 0 ? [make('option', { value: '', disabled: true, selected: true }, 'Choose a model')] : []),
    ...choices.map(({ label }, i) => make('option', { value: i, selected: i === chosen }, label)),
    make('option', { value: 'hub' }, 'From the Hugging Face Hub …'),
    make('option', { value: 'folder' }, 'A folder of this machine …'),
  );
}

async function take(number: number): Promise<void> {
  chosen = number;
  hub.hidden = true;
  list();
  await chooseModel(choices[number]!);
}

function add(choice: Choice): Promise<void> {
  const known = choices.findIndex(({ label }) => label === choice.label);
  if (known >= 0) choices[known] = choice;
  else choices.push(choice);
  return take(known >= 0 ? known : choices.length - 1);
}

/** A model from files that were dropped or chosen. */
export async function takeFolder(files: readonly File[]): Promise<void> {
  try {
    await add(folderChoice(files));
  } catch (error) {
    showProblem((error as Error).message);
  }
}

select.addEventListener('change', () => {
  const { value } = select;
  hub.hidden = value !== 'hub';
  if (value === 'hub') byId('hub-id').focus();
  else if (value === 'folder') {
    select.value = String(chosen); // a dialog may be left without a choice
    folder.click();
  } else void take(Number(value));
});

hub.addEventListener('submit', (event) => {
  event.preventDefault();
  void add(hubChoice(byId<HTMLInputElement>('hub-id').value.trim()));
});

folder.addEventListener('change', () => {
  if (folder.files!.length > 0) void takeFolder([...folder.files!]);
  folder.value = '';
});

let noted = desk.model;

onChange(() => {
  const { model } = desk;
  if (model === noted) return; // it may have been cleared since
  noted = model;
  if (model === null) return;
  remember('model', [model.choice.label]);
  if (model.choice.isOfHub) rememberHubChoice(model.choice.label);
});

/** Settles when it is known what there is, and the last one, or the first, is chosen: what is opened before waits for it. */
export const modelsListed = (async () => {
  choices.push(...await servedChoices(), ...hubChoices());
  list();
  const [last] = remembered('model');
  if (choices.length > 0) void take(Math.max(choices.findIndex(({ label }) => label === last), 0));
  else hub.hidden = false;
})();
