// The page, put together. What it knows is in desk.ts; where it uses longformer-wasm, in reader.ts.

import { cancel } from './job';
import { byId } from './elements';
import { startOffline } from './offline';
import './panels/tabs';
import './panels/ask';
import './panels/open';
import './panels/engine';
import './attention/lens';
import './panels/model';

byId('cancel').addEventListener('click', cancel);
addEventListener('keydown', ({ key }) => key === 'Escape' && cancel());

void startOffline();
