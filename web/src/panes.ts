// Panes: three columns whose widths can be moved, tabs, and what is hidden.
import { $, el } from './dom';
import { emit, state } from './model';

export const PANES: Record<string, string> = {
  editor: 'Source', run: 'Run', tree: 'Code objects', bytecode: 'Bytecode', instruction: 'Instruction and stack',
  graph: 'Graph', cells: 'Cells', names: 'Names', findings: 'Findings', versions: 'Versions',
};
const TABS = ['graph', 'cells', 'names', 'findings', 'versions'];
const COLUMNS: Record<string, string[]> = {
  left: ['editor', 'run'], middle: ['tree', 'bytecode'], right: ['instruction', ...TABS],
};

export function makePanes(): void {
  const menu = $('#pane-list');
  for (const [name, title] of Object.entries(PANES)) {
    const box = el('input', { type: 'checkbox', id: `show-${name}`, checked: true, onchange: () => toggle(name) });
    menu.append(el('label', {}, box, ` ${title}`));
  }
  for (const button of document.querySelectorAll<HTMLElement>('[data-hide]'))
    button.addEventListener('click', () => {
      toggle(button.dataset.hide!);
      $('#panes-button').focus();
    });
  for (const tab of TABS) {
    const button = $(`#tab-${tab}`);
    button.addEventListener('click', () => chooseTab(tab));
    button.addEventListener('keydown', (event) => {
      const seen = TABS.filter((each) => !state.hidden.includes(each));
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined) return;
      const next = seen[(seen.indexOf(tab) + step + seen.length) % seen.length];
      chooseTab(next);
      $(`#tab-${next}`).focus();
      event.preventDefault();
    });
  }
  for (const handle of document.querySelectorAll<HTMLElement>('[role=separator]')) movable(handle);
  for (const button of document.querySelectorAll<HTMLElement>('#columns button'))
    button.addEventListener('click', () => column(button.dataset.column!));
  $('#wide').addEventListener('click', () => {
    const on = document.body.toggleAttribute('data-wide');
    $('#wide').setAttribute('aria-pressed', String(on));
    emit('panes');
  });
  arrange();
}

/** On a narrow screen one column is seen at a time. */
export function column(name: string): void {
  document.body.dataset.column = name;
  for (const button of document.querySelectorAll<HTMLElement>('#columns button'))
    button.setAttribute('aria-pressed', String(button.dataset.column === name));
  emit('panes');
}

export function chooseTab(tab: string): void {
  state.tab = tab;
  arrange();
  emit('panes');
}

export function toggle(name: string): void {
  state.hidden = state.hidden.includes(name) ? state.hidden.filter((each) => each !== name) : [...state.hidden, name];
  arrange();
  emit('panes');
}

/** Lay everything by the state. */
export function arrange(): void {
  const seen = (name: string) => !state.hidden.includes(name);
  for (const name of Object.keys(PANES)) ($(`#show-${name}`) as unknown as HTMLInputElement).checked = seen(name);
  const tabs = TABS.filter(seen);
  if (tabs.length && !tabs.includes(state.tab)) state.tab = tabs[0];
  for (const tab of TABS) {
    const on = tab === state.tab && seen(tab);
    $(`#tab-${tab}`).hidden = !seen(tab);
    $(`#tab-${tab}`).setAttribute('aria-selected', String(on));
    $(`#tab-${tab}`).tabIndex = on ? 0 : -1;
    $(`#panel-${tab}`).hidden = !on;
  }
  $('#tabs-pane').hidden = !tabs.length;
  for (const name of ['editor', 'run', 'tree', 'bytecode', 'instruction']) $(`#pane-${name}`).hidden = !seen(name);
  for (const [name, panes] of Object.entries(COLUMNS)) $(`#column-${name}`).hidden = !panes.some(seen);
  for (const handle of document.querySelectorAll<HTMLElement>('[role=separator]')) {
    const [before, after] = [handle.previousElementSibling, handle.nextElementSibling] as HTMLElement[];
    handle.hidden = before.hidden || after.hidden;
  }
}

/** A handle between two panes; it moves by pointer and by arrow keys. */
function movable(handle: HTMLElement): void {
  const across = handle.getAttribute('aria-orientation') === 'vertical';
  const pane = () => handle.previousElementSibling as HTMLElement;
  const other = () => handle.nextElementSibling as HTMLElement;
  const size = (each: HTMLElement) => (across ? each.offsetWidth : each.offsetHeight);
  const set = (pixels: number) => {
    const both = size(pane()) + size(other());
    const least = Math.min(90, both / 3);
    const first = Math.min(Math.max(least, pixels), both - least);
    pane().style.flex = `${first} 1 0px`;
    other().style.flex = `${both - first} 1 0px`;
    handle.setAttribute('aria-valuenow', String(Math.round((first / both) * 100)));
    emit('panes');
  };
  handle.addEventListener('pointerdown', (event) => {
    const start = (across ? event.clientX : event.clientY) - size(pane());
    handle.setPointerCapture(event.pointerId);
    const move = (now: PointerEvent) => set((across ? now.clientX : now.clientY) - start);
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', () => handle.removeEventListener('pointermove', move), { once: true });
    event.preventDefault();
  });
  handle.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -24, ArrowUp: -24, ArrowRight: 24, ArrowDown: 24 }[event.key];
    if (step === undefined) return;
    set(size(pane()) + step);
    event.preventDefault();
  });
}
