// Cells, constants and names, findings: what the document says of the shown code object.
import { $, el, unhurried } from './dom';
import { Name, User, emit, on, select, shown } from './model';

export function makeFacts(): void {
  on('document', unhurried(() => {
    if (!shown.detail) return;
    cells();
    names();
  }));
  on('findings', findings);
  on('failure', () => {
    $('#cells').replaceChildren();
    $('#names').replaceChildren();
  });
}

/** A button that shows another code object. */
function codeLink(qualname: string | null): HTMLElement {
  const code = shown.codes.find((each) => each.qualname === qualname || each.key === qualname);
  if (!code) return el('span', {}, qualname ?? 'an enclosing function');
  return el('button', { class: 'link', onclick: () => emit('text', { key: code.key }) }, code.qualname.replaceAll('.<locals>', ''));
}

function users(how: string, found: User[]): HTMLElement | null {
  if (!found.length) return null;
  return el('div', {}, el('span', { class: 'soft' }, `${how} `), ...found.flatMap((user, at) => [
    at ? ', ' : '', codeLink(user.code), el('span', { class: 'soft' }, ` line${user.lines.length > 1 ? 's' : ''} ${user.lines.join(', ')}`),
  ]));
}

function cells(): void {
  const detail = shown.detail!;
  const code = shown.code!;
  const made: HTMLElement[] = [];
  for (const own of detail.cells.own)
    made.push(el('article', { class: 'card' },
      el('h3', {}, 'Cell ', el('code', {}, own.name), own.parameter ? el('span', { class: 'soft' }, ' a parameter') : null),
      el('div', { class: 'chain' },
        box('owner', code.qualname, 'a call of it makes the cell'), arrow(),
        box('cell', own.name, `cellvar ${code.cellvars.indexOf(own.name)}`), arrow(),
        el('div', { class: 'takers' }, ...own.captured_by.map((name) => {
          const taker = shown.codes.find((each) => each.qualname === name);
          const index = taker?.freevars.indexOf(own.name) ?? -1;
          return el('div', { class: 'box function' }, codeLink(name), el('div', { class: 'soft' }, index >= 0 ? `freevar ${index}: __closure__[${index}]` : 'captures it'));
        }))),
      users('written by', own.writers), users('read by', own.readers), own.note ? el('p', { class: 'note' }, own.note) : null));
  for (const free of detail.cells.free)
    made.push(el('article', { class: 'card' },
      el('h3', {}, 'Free variable ', el('code', {}, free.name)),
      el('div', { class: 'chain' },
        el('div', { class: 'box owner' }, codeLink(free.owner), el('div', { class: 'soft' }, 'its call makes the cell')), arrow(),
        box('cell', free.name, 'one cell, shared'), arrow(),
        box('function', code.qualname, `freevar ${free.index}: __closure__[${free.index}]`)),
      users('written by', free.writers), users('read by', free.readers), free.note ? el('p', { class: 'note' }, free.note) : null));
  if (!made.length) made.push(el('p', { class: 'soft' }, 'It makes no cells, and captures no variable.'));
  $('#cells').replaceChildren(...made);
}

const arrow = (): HTMLElement => el('span', { class: 'arrow', 'aria-hidden': 'true' }, '→');

const box = (kind: string, name: string, what: string): HTMLElement =>
  el('div', { class: `box ${kind}` }, el('code', {}, name.replaceAll('.<locals>', '')), el('div', { class: 'soft' }, what));

function offsets(found: number[]): HTMLElement {
  return el('td', {}, ...found.slice(0, 12).map((offset) =>
    el('button', { class: 'link', title: shown.at.get(offset)?.opname, onclick: () => select(offset) }, String(offset))),
    found.length > 12 ? `and ${found.length - 12} more` : null);
}

function names(): void {
  const detail = shown.detail!;
  const made: HTMLElement[] = [];
  const table = (title: string, heads: string[], rows: HTMLElement[]) => {
    if (rows.length)
      made.push(el('table', {}, el('caption', {}, title), el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))), el('tbody', {}, ...rows)));
  };
  table('Locals', ['slot', 'name', 'kind', 'default'], detail.locals.map((each) =>
    el('tr', {}, el('td', { class: 'soft' }, String(each.slot)), el('td', {}, el('code', {}, each.name)), el('td', {}, each.kind + (each.cell ? ', cell' : '')), el('td', {}, each.default?.text ?? ''))));
  table('Constants', ['index', 'type', 'value', 'loaded at'], detail.constants.map((each) =>
    el('tr', {}, el('td', { class: 'soft' }, String(each.index)), el('td', {}, each.type), el('td', { class: 'wrap' }, el('code', {}, each.text.slice(0, 200)), each.docstring ? el('span', { class: 'soft' }, ' docstring') : null), offsets(each.offsets))));
  for (const [group, found] of Object.entries(detail.names) as [string, Name[]][])
    table(group[0].toUpperCase() + group.slice(1), ['name', 'use', 'at'], found.map((each) =>
      el('tr', {}, el('td', {}, el('code', {}, each.name)), el('td', {}, each.access.join(', ')), offsets(each.offsets))));
  table('Inlined comprehensions', ['kind', 'line', 'names'], detail.inlined.map((each) =>
    el('tr', {}, el('td', {}, each.kind), el('td', {}, String(each.line ?? '')), el('td', {}, el('code', {}, each.names.join(', '))))));
  $('#names').replaceChildren(...(made.length ? made : [el('p', { class: 'soft' }, 'It has neither constants nor names.')]));
}

function findings(): void {
  const found = shown.findings;
  $('#tab-findings').textContent = found.length ? `Findings (${found.length})` : 'Findings';
  $('#findings').replaceChildren(...(found.length ? found.map((each) =>
    el('article', { class: `card finding ${each.severity}` },
      el('h3', {}, el('button', { class: 'link', onclick: () => jump(each.code, each.offset) }, `${each.rule} ${each.title}`)),
      el('p', {}, `${each.message}.`),
      el('p', { class: 'soft' }, `${each.severity}, ${each.confidence}; ${each.code}${each.positions?.[0] ? `, line ${each.positions[0]}` : ''}`),
      each.evidence.length ? el('ul', {}, ...each.evidence.map((fact) => el('li', {}, fact.text))) : null,
      el('p', {}, each.why),
      el('p', { class: 'instead' }, el('b', {}, 'Instead: '), each.instead)))
    : [el('p', { class: 'soft' }, shown.failure ? 'The source does not compile.' : 'No rule has anything to say.')]));
}

function jump(qualname: string, offset: number | null): void {
  const code = shown.codes.find((each) => each.qualname === qualname);
  emit('text', { key: code?.key, then: () => offset !== null && select(offset) });
}
