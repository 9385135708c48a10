// The listing: one row for each instruction, only those in view as elements. Beside the rows the
// jumps, the protected regions and the loops; in each row the symbolic stack before it.
import { $, el, say, svg } from './dom';
import { Instruction, Region, emit, makers, on, sameValue, select, shown, state, takersOf } from './model';
import { related } from './editor';

export const ROW = 22; // pixels
const MARGIN = 12; // rows drawn beyond the view
const LANE = 9; // pixels
const MOST_LANES = 7;

interface Jump { from: number; to: number; lane: number; offset: number; kind: string }
interface Bar { from: number; to: number; lane: number; region: Region }

let jumps: Jump[] = [];
let bars: Bar[] = [];
let lanes = 0;
let hovered: number | null = null;
let drawn = { first: -1, last: -1 };

const list = () => $('#listing');
const rows = () => $('#rows');

export function makeListing(): void {
  list().addEventListener('scroll', () => draw(false));
  new ResizeObserver(() => draw(true)).observe(list());
  on('document', () => { lay(); relate(); draw(true); });
  on('failure', () => { jumps = []; bars = []; draw(true); });
  on('selection', (from) => {
    relate();
    if (from === 'step' && stepped()) return;
    if (from !== 'listing' && state.offset !== null) reveal(state.offset);
    draw(true);
  });
  on('hover', (offset: number | null) => {
    if (offset === hovered) return;
    hovered = offset;
    for (const row of rows().querySelectorAll('.row')) row.classList.toggle('hover', row.getAttribute('data-offset') === String(offset));
  });
  list().addEventListener('keydown', onKey);
  rows().addEventListener('click', onClick);
  rows().addEventListener('mouseover', (event) => {
    const row = (event.target as Element).closest('.row');
    emit('hover', row ? Number(row.getAttribute('data-offset')) : null);
  });
  rows().addEventListener('mouseleave', () => emit('hover', null));
}

function onClick(event: Event): void {
  const target = event.target as Element;
  const row = target.closest('.row');
  if (!row) return;
  const offset = Number(row.getAttribute('data-offset'));
  const value = target.closest('.value');
  const jump = target.closest('.goto');
  if (jump) return select(Number(jump.getAttribute('data-to')));
  if (value) return select(offset, { offset, slot: Number(value.getAttribute('data-slot')) }, 'listing');
  select(offset, null, 'listing');
}

function onKey(event: KeyboardEvent): void {
  const instructions = shown.detail?.instructions ?? [];
  if (!instructions.length) return;
  const at = state.offset === null ? -1 : shown.index.get(state.offset) ?? -1;
  const page = Math.max(1, Math.floor(list().clientHeight / ROW) - 2);
  const moves: Record<string, number> = {
    ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), PageDown: at + page, PageUp: at - page, Home: 0, End: Infinity,
  };
  const current = instructions[at];
  if (event.key in moves) {
    const row = Math.min(Math.max(0, moves[event.key]), instructions.length - 1);
    select(instructions[row].offset);
  } else if (event.key === 'Enter' && current?.jump) select(shown.starts.get(current.jump) ?? current.offset);
  else if ((event.key === 'ArrowLeft' || event.key === 'ArrowRight') && current?.stack?.length) {
    const depth = current.stack.length;
    const step = event.key === 'ArrowRight' ? 1 : -1;
    const slot = state.value === null ? depth - 1 : (state.value.slot + step + depth) % depth;
    select(current.offset, { offset: current.offset, slot });
  } else if (event.key === 'p' && state.value && makers(state.value).length) select(makers(state.value)[0]);
  else if (event.key === 't' && state.value && takersOf(state.value).length) select(takersOf(state.value)[0]);
  else if (event.key === 'Escape' && state.value) select(state.offset);
  else return;
  event.preventDefault();
  if (state.value) say(wordsOf());
}

/** What is said of the selected value. */
export function wordsOf(): string {
  if (!state.value) return '';
  const text = shown.at.get(state.value.offset)?.stack?.[state.value.slot] ?? '';
  return `${text}: pushed by ${places(related.makers) || 'the interpreter'}, taken by ${places(related.takers) || 'nothing'}`;
}

const places = (offsets: number[]): string =>
  offsets.map((offset) => `${shown.at.get(offset)?.opname ?? ''} at ${offset}`).join(', ');

function relate(): void {
  related.makers = state.value ? makers(state.value) : [];
  related.takers = state.value ? takersOf(state.value) : [];
}

/** Mark the row of a step without making any row anew; false if it is not in view. */
function stepped(): boolean {
  const row = document.getElementById(`row-${state.offset}`);
  const box = list();
  const at = shown.index.get(state.offset ?? -1);
  if (!row || at === undefined) return false;
  const top = at * ROW;
  if (top < box.scrollTop || top > box.scrollTop + box.clientHeight - 2 * ROW) return false;
  for (const each of rows().querySelectorAll('.on, .maker, .taker, .same')) {
    each.classList.remove('on', 'maker', 'taker', 'same');
    if (each.getAttribute('role') === 'row') each.setAttribute('aria-selected', 'false');
  }
  row.classList.add('on');
  row.setAttribute('aria-selected', 'true');
  box.setAttribute('aria-activedescendant', row.id);
  return true;
}

/** Scroll so that an instruction is in view. */
function reveal(offset: number): void {
  const row = shown.index.get(offset);
  if (row === undefined) return;
  const box = list();
  const top = row * ROW;
  if (top < box.scrollTop + ROW || top > box.scrollTop + box.clientHeight - 3 * ROW)
    box.scrollTop = Math.max(0, top - box.clientHeight / 3);
}

function lay(): void {
  const detail = shown.detail;
  jumps = [];
  bars = [];
  if (!detail) return;
  const rowOf = (offset: number): number => {
    const exact = shown.index.get(offset);
    if (exact !== undefined) return exact;
    const after = detail.instructions.findIndex((each) => each.offset >= offset);
    return after < 0 ? detail.instructions.length : after;
  };
  const kinds = new Map<string, string>();
  for (const block of detail.blocks) for (const edge of block.edges) kinds.set(`${block.name} ${edge.target}`, edge.back ? 'back' : edge.kind);
  for (const each of detail.instructions) {
    if (!each.jump) continue;
    const to = shown.index.get(shown.starts.get(each.jump) ?? -1);
    const from = shown.index.get(each.offset)!;
    const kind = kinds.get(`${each.block} ${each.jump}`) ?? 'jump';
    if (to !== undefined) jumps.push({ from, to, lane: 0, offset: each.offset, kind });
  }
  // The shortest arrows lie next to the rows; each takes the first lane that is free along it.
  const taken: [number, number][][] = [];
  for (const jump of [...jumps].sort((a, b) => Math.abs(a.to - a.from) - Math.abs(b.to - b.from))) {
    const [low, high] = [Math.min(jump.from, jump.to), Math.max(jump.from, jump.to)];
    let lane = 0;
    while (lane < MOST_LANES - 1 && (taken[lane] ?? []).some(([a, b]) => a <= high && low <= b)) lane++;
    (taken[lane] ??= []).push([low, high]);
    jump.lane = lane;
  }
  lanes = Math.min(MOST_LANES, taken.length);
  for (const region of detail.regions) {
    const from = rowOf(region.start);
    const to = rowOf(region.stop) - 1;
    const lane = bars.filter((bar) => bar.from <= to && from <= bar.to).length % 4;
    bars.push({ from, to, lane, region });
  }
}

function draw(force: boolean): void {
  const box = list();
  const instructions = shown.detail?.instructions ?? [];
  const first = Math.max(0, Math.floor(box.scrollTop / ROW) - MARGIN);
  const last = Math.min(instructions.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + MARGIN);
  if (!force && first === drawn.first && last === drawn.last) return;
  drawn = { first, last };
  const held = rows();
  held.style.height = `${instructions.length * ROW}px`;
  $('#pane-bytecode').style.setProperty('--lanes', `${lanes * LANE + 26}px`);
  list().setAttribute('aria-rowcount', String(instructions.length));
  const selected = state.value ? shown.at.get(state.value.offset)?.producers?.[state.value.slot] ?? [] : [];
  const made = [];
  let blocks = new Map(shown.detail?.blocks.map((block) => [block.start, block]) ?? []);
  for (let at = first; at < last; at++) {
    const each = instructions[at];
    made.push(row(each, at, instructions[at - 1], blocks.get(each.offset), selected));
  }
  held.replaceChildren(gutter(first, last), ...made);
  const on = state.offset === null ? null : `row-${state.offset}`;
  if (on && shown.at.has(state.offset!)) box.setAttribute('aria-activedescendant', on);
  else box.removeAttribute('aria-activedescendant');
}

function row(each: Instruction, at: number, before: Instruction | undefined, block: any, selected: number[]): HTMLElement {
  const marks = ['row'];
  const isOn = each.offset === state.offset;
  if (isOn) marks.push('on');
  if (related.makers.includes(each.offset)) marks.push('maker');
  if (related.takers.includes(each.offset)) marks.push('taker');
  if (block && at > 0) marks.push('head');
  if (each.offset === hovered) marks.push('hover');
  if (each.stack === null) marks.push('dead');
  const label = block ? block.name + (block.loop_head ? ' ↻' : '') : '';
  const where = each.line !== before?.line || block ? String(each.line ?? '') : '';
  const operand = each.jump
    ? el('button', { class: 'goto', tabindex: '-1', 'data-to': shown.starts.get(each.jump) }, `to ${each.jump}`)
    : el('span', { title: each.argrepr }, each.argrepr || (each.arg === null ? '' : String(each.arg)));
  const made = el(
    'div',
    {
      class: marks.join(' '), role: 'row', id: `row-${each.offset}`, 'data-offset': each.offset,
      'aria-rowindex': at + 1, 'aria-selected': isOn ? 'true' : 'false',
    },
    el('span', { role: 'gridcell', class: 'line' }, where),
    el('span', { role: 'gridcell', class: 'gap' }),
    el('span', { role: 'gridcell', class: 'block', title: block && !block.reachable ? 'no path leads here' : undefined }, label),
    el('span', { role: 'gridcell', class: 'offset' }, String(each.offset)),
    el('span', { role: 'gridcell', class: `op s-${each.sort}` }, each.opname),
    el('span', { role: 'gridcell', class: 'arg' }, operand),
    el('span', { role: 'gridcell', class: 'stack' }, el('span', {}, ...stack(each, selected))),
    el('span', { role: 'gridcell', class: 'text', title: each.source ?? undefined }, (each.source ?? '').replace(/\s+/g, ' ').slice(0, 80)),
  );
  made.style.top = `${at * ROW}px`;
  return made;
}

const MOST_VALUES = 6;

function stack(each: Instruction, selected: number[]): (Node | string)[] {
  if (each.stack === null) return [el('span', { class: 'soft' }, 'unreachable')];
  const from = Math.max(0, each.stack.length - MOST_VALUES);
  const shownValues = each.stack.slice(from).map((text, index) => {
    const slot = from + index;
    const made = each.producers?.[slot] ?? [];
    const marks = ['value'];
    if (selected.length && sameValue(selected, made)) marks.push('same');
    if (state.value?.offset === each.offset && state.value.slot === slot) marks.push('on');
    const by = made.map((offset) => `${shown.at.get(offset)?.opname} at ${offset}`).join(', ');
    return el(
      'button',
      { class: marks.join(' '), tabindex: '-1', 'data-slot': slot, title: `${text}\npushed by ${by || 'the interpreter'}` },
      text.length > 24 ? `${text.slice(0, 23)}…` : text,
    );
  });
  return from > 0 ? [el('span', { class: 'soft' }, `${from} more `), ...shownValues] : shownValues;
}

function gutter(first: number, last: number): SVGElement {
  const width = lanes * LANE + 26;
  const made = svg('svg', { class: 'gutter', width, height: (shown.detail?.instructions.length ?? 0) * ROW, 'aria-hidden': 'true' });
  for (const bar of bars) {
    if (bar.to < first || bar.from > last) continue;
    const title = svg('title', {}, `protected: the handler is ${bar.region.handler}, ${bar.region.depth} values stay`);
    made.append(svg('rect', { class: 'region', x: 2 + bar.lane * 4, y: bar.from * ROW + 2, width: 3, height: (bar.to - bar.from + 1) * ROW - 4 }, title));
  }
  for (const jump of jumps) {
    const [low, high] = [Math.min(jump.from, jump.to), Math.max(jump.from, jump.to)];
    if (high < first || low > last) continue;
    const right = width - 4;
    const x = right - 5 - jump.lane * LANE;
    const y1 = jump.from * ROW + ROW / 2 + 2;
    const y2 = jump.to * ROW + ROW / 2 - 2;
    const on = jump.offset === state.offset ? ' on' : '';
    made.append(
      svg('path', { class: `jump ${jump.kind}${on}`, d: `M${right} ${y1}H${x}V${y2}H${right - 3}` }),
      svg('path', { class: `tip ${jump.kind}${on}`, d: `M${right - 4} ${y2 - 3}l5 3l-5 3z` }),
    );
  }
  return made;
}
