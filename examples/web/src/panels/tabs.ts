// Tabs, with the keys that people know from them.

import { byId } from '../elements';

const tabs = [...document.querySelectorAll<HTMLElement>('[role=tab]')];

export function select(id: 'tab-ask' | 'tab-lens' | 'tab-engine'): void {
  for (const tab of tabs) {
    const isChosen = tab.id === id;
    tab.setAttribute('aria-selected', String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    byId(tab.getAttribute('aria-controls')!).hidden = !isChosen;
  }
  document.body.dataset['panel'] = id.slice('tab-'.length);
  dispatchEvent(new CustomEvent('panel'));
}

export const isShown = (name: 'ask' | 'lens' | 'engine'): boolean => document.body.dataset['panel'] === name;

for (const [i, tab] of tabs.entries()) {
  tab.addEventListener('click', () => select(tab.id as 'tab-ask'));
  tab.addEventListener('keydown', ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step === undefined) return;
    const next = tabs[(i + step + tabs.length) % tabs.length]!;
    select(next.id as 'tab-ask');
    next.focus();
  });
}
select('tab-ask');
