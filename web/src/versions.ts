// Versions side by side: the same code object as several CPythons compile it, aligned.
import { $, el, unhurried } from './dom';
import { Code, Compiler, Document, Instruction, emit, on, select, shown, state } from './model';
import { ANALYST, bare } from './workers';
import { compilerOf, compilers, differences, ensure, explain, view } from './analysis';

interface Side { compiler: Compiler; code: Code | null; instructions: Instruction[]; problem: string | null }

let asked = 0;

export function makeVersions(): void {
  on('compilers', choices);
  on('document', unhurried(() => void draw()));
  on('panes', () => void draw());
  on('selection', mark);
}

/** One release of each version stands in the list, and natives beside those of the browser. */
function choices(): void {
  const box = $('#versions');
  box.replaceChildren(
    el('fieldset', { id: 'version-choice' }, el('legend', {}, 'Compare with'), ...compilers.map((each) =>
      el('label', {}, el('input', {
        type: 'checkbox', value: each.id, checked: state.others.includes(each.id),
        onchange: (event: Event) => {
          const on = (event.target as HTMLInputElement).checked;
          state.others = on ? [...state.others, each.id] : state.others.filter((other) => other !== each.id);
          emit('text', {});
          void draw();
        },
      }), ` ${each.release}${each.native ? ' native' : ''}`))),
    el('div', { id: 'comparison' }),
  );
}

export function chooseVersions(ids: string[]): void {
  state.others = ids;
  choices();
  void draw();
}

let last = '';

async function draw(): Promise<void> {
  const box = $('#versions');
  if (box.closest('[hidden]') || !shown.code) return;
  for (const input of box.querySelectorAll<HTMLInputElement>('#version-choice input')) {
    const own = input.value === state.compiler;
    input.disabled = own;
    if (own) input.checked = true;
    else input.checked = state.others.includes(input.value);
  }
  const others = state.others.filter((id) => id !== state.compiler && compilerOf(id));
  const target = $('#comparison');
  const wish = JSON.stringify([state.text, state.compiler, others, shown.code.key]);
  if (wish === last) return;
  last = wish;
  if (!others.length) {
    target.replaceChildren(el('p', { class: 'soft' }, 'Choose one or more versions: their instructions are shown beside these, aligned.'));
    return;
  }
  const mine = ++asked;
  target.replaceChildren(el('p', { class: 'soft' }, 'The other versions compile…'));
  try {
    const base = compilerOf(state.compiler)!;
    const sides: Side[] = [{ compiler: base, code: shown.code, instructions: shown.detail!.instructions, problem: null }];
    const changes: HTMLElement[] = [];
    for (const id of others) if (id !== ANALYST && !compilerOf(id)!.native) void bare(id); // they boot side by side
    for (const id of others) {
      const compiler = compilerOf(id)!;
      target.replaceChildren(el('p', { class: 'soft' }, `CPython ${compiler.release} compiles…`));
      const side = await sideOf(compiler, shown.code.key);
      if (mine !== asked) return;
      sides.push(side);
      if (side.problem === null) changes.push(await changesOf(base, side, sides[0]));
      if (mine !== asked) return;
    }
    target.replaceChildren(table(sides), ...changes);
    mark();
  } catch (error) {
    last = '';
    if (mine === asked) target.replaceChildren(el('p', { class: 'soft' }, (error as Error).message.trim().split('\n').pop()!));
  }
}

async function sideOf(compiler: Compiler, key: string): Promise<Side> {
  const failure = await ensure(compiler, state.text);
  if (failure) return { compiler, code: null, instructions: [], problem: failure.message };
  const found: Document = await view(compiler, key);
  const code = found.codes.find((each) => each.detail) ?? null;
  if (code?.key !== key)
    return { compiler, code: null, instructions: [], problem: `no code object ${key}: this version compiles it into another` };
  return { compiler, code, instructions: code.detail!.instructions, problem: null };
}

/** What an instruction is, without what moves when others are added. */
const named = (each: Instruction): string => `${each.opname} ${each.jump === null ? each.argrepr : 'to'}`;

/** Longest common subsequence, by rows; the ends that agree are cut off first. */
export function align(one: string[], other: string[]): [number | null, number | null][] {
  let head = 0;
  while (head < one.length && head < other.length && one[head] === other[head]) head++;
  let tail = 0;
  while (tail < one.length - head && tail < other.length - head && one[one.length - 1 - tail] === other[other.length - 1 - tail]) tail++;
  const a = one.slice(head, one.length - tail);
  const b = other.slice(head, other.length - tail);
  const found: [number | null, number | null][] = [];
  for (let at = 0; at < head; at++) found.push([at, at]);
  if (a.length * b.length > 4_000_000) { // too long to be aligned: side by side as they are
    for (let at = 0; at < Math.max(a.length, b.length); at++) found.push([at < a.length ? head + at : null, at < b.length ? head + at : null]);
  } else {
    const width = b.length + 1;
    const sizes = new Uint32Array((a.length + 1) * width);
    for (let i = a.length - 1; i >= 0; i--)
      for (let j = b.length - 1; j >= 0; j--)
        sizes[i * width + j] = a[i] === b[j] ? sizes[(i + 1) * width + j + 1] + 1 : Math.max(sizes[(i + 1) * width + j], sizes[i * width + j + 1]);
    let i = 0;
    let j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) found.push([head + i++, head + j++]);
      else if (j >= b.length || (i < a.length && sizes[(i + 1) * width + j] >= sizes[i * width + j + 1])) found.push([head + i++, null]);
      else found.push([null, head + j++]);
    }
  }
  for (let at = 0; at < tail; at++) found.push([one.length - tail + at, other.length - tail + at]);
  return found;
}

/**
 * Rows of several versions: each is aligned with the first, and what it adds goes between. An
 * instruction that gave way to others is beside the first of them.
 */
function rowsOf(sides: Side[]): (number | null)[][] {
  const base = sides[0].instructions.map(named);
  const before: number[][][] = Array.from({ length: base.length + 1 }, () => sides.map(() => []));
  const same: (number | null)[][] = base.map((_, at) => [at, ...sides.slice(1).map(() => null)]);
  for (const [column, side] of sides.entries()) {
    if (column === 0 || side.problem) continue;
    let at = 0;
    for (const [i, j] of align(base, side.instructions.map(named))) {
      if (i !== null) {
        same[i][column] = j;
        at = i + 1;
      } else if (j !== null) before[at][column].push(j);
    }
  }
  // Instructions that gave way to others are beside them, in their order.
  for (const column of sides.keys())
    for (let at = 0; at < base.length; ) {
      let end = at;
      while (end < base.length && same[end][column] === null && (end === at || !before[end][column].length)) end++;
      for (let row = at; row < end && before[end][column].length; row++) same[row][column] = before[end][column].shift()!;
      at = Math.max(end, at + 1);
    }
  const rows: (number | null)[][] = [];
  for (let at = 0; at <= base.length; at++) {
    const most = Math.max(...before[at].map((each) => each.length));
    for (let row = 0; row < most; row++) rows.push(sides.map((_, column) => before[at][column][row] ?? null));
    if (at < base.length) rows.push(same[at]);
  }
  return rows;
}

function table(sides: Side[]): HTMLElement {
  const live = sides.filter((side) => side.problem === null);
  const rows = rowsOf(sides);
  const heads = sides.map((side) => el('th', { scope: 'col' }, side.compiler.release + (side.compiler.native ? ' native' : ''),
    el('div', { class: 'soft' }, side.problem ?? `${side.code!.bytes} bytes, ${side.code!.instruction_count} instructions`)));
  const body = rows.slice(0, 2000).map((row) => {
    const names = new Set(sides.flatMap((side, at) => side.problem === null ? [row[at] === null ? null : named(side.instructions[row[at]!])] : []));
    const differs = names.size > 1;
    return el('tr', { class: differs ? 'differs' : '' }, ...row.map((at, column) => {
      const each = at === null ? null : sides[column].instructions[at];
      if (!each) return el('td', { class: 'none' }, sides[column].problem ? '' : '·');
      const before = each.line !== sides[column].instructions[at! - 1]?.line ? String(each.line ?? '') : '';
      return el('td', { 'data-offset': column === 0 ? each.offset : undefined, onclick: () => column === 0 && select(each.offset), title: each.source ?? undefined },
        el('span', { class: 'soft number' }, before), el('span', { class: `op s-${each.sort}` }, each.opname), ' ', each.jump ? `to ${each.jump}` : each.argrepr);
    }));
  });
  return el('table', { class: 'versions' },
    el('caption', {}, live.length < 2 ? 'No other version to compare with' : body.every((row) => !row.classList.contains('differs')) ? 'The same instructions in all of them' : 'Rows that differ are marked'),
    el('thead', {}, el('tr', {}, ...heads)), el('tbody', {}, ...body));
}

/** What one version does otherwise than the first, and why that matters. */
async function changesOf(base: Compiler, side: Side, first: Side): Promise<HTMLElement> {
  const count = (instructions: Instruction[]) => {
    const found = new Map<string, number>();
    for (const each of instructions) found.set(each.opname, (found.get(each.opname) ?? 0) + 1);
    return found;
  };
  const [here, there] = [count(first.instructions), count(side.instructions)];
  const only = async (one: Map<string, number>, other: Map<string, number>, compiler: Compiler): Promise<HTMLElement[]> => {
    const made = [];
    for (const [name, times] of one)
      if (!other.has(name)) {
        const known = await explain(name, compiler.version);
        const range = known ? (known.since === known.until ? `in ${known.since} only` : `in ${known.since} to ${known.until}`) : '';
        made.push(el('li', {}, el('code', {}, name), ` ${times} time${times === 1 ? '' : 's'}, ${range}. `, el('span', { class: 'soft' }, known?.sentence ?? '')));
      }
    return made;
  };
  const [ours, theirs] = [await only(here, there, base), await only(there, here, side.compiler)];
  const facts = await differences(base, side.compiler);
  const [size, other] = [first.code!, side.code!];
  const told: string[] = [];
  if (facts.text && !facts.error)
    told.push(facts.text === 'different' ? 'The two compile the file to code that is not the same, instruction for instruction.' : `The file as a whole: ${facts.text}.`);
  for (const [what, left, right] of facts.facts?.[size.qualname] ?? [])
    if (what !== 'instructions') told.push(`${what}: ${left || 'none'} in ${base.release}, ${right || 'none'} in ${side.compiler.release}`);
  for (const [title, names] of [[`Code objects only in ${base.release}`, facts.removed], [`Code objects only in ${side.compiler.release}`, facts.added]] as [string, string[]][])
    if (names?.length) told.push(`${title}: ${names.join(', ')}. ${names.some((name) => /comp>/.test(name)) ? 'The other version inlines comprehensions (PEP 709): no call, no frame of its own.' : ''}`);
  if (size.bytes !== other.bytes) told.push(`${size.bytes} bytes in ${base.release}, ${other.bytes} in ${side.compiler.release}`);
  if (size.detail && other.detail && size.detail.stack.declared !== other.detail.stack.declared)
    told.push(`stack of ${size.detail.stack.declared} and ${other.detail.stack.declared} slots`);
  return el('section', { class: 'card' },
    el('h3', {}, `${base.release} and ${side.compiler.release}`),
    el('ul', {}, ...told.map((text) => el('li', {}, text))),
    ours.length ? el('div', {}, `Only ${base.release} uses`, el('ul', {}, ...ours)) : null,
    theirs.length ? el('div', {}, `Only ${side.compiler.release} uses`, el('ul', {}, ...theirs)) : null,
    !ours.length && !theirs.length ? el('p', {}, 'Both use the same opcodes.') : null);
}

function mark(): void {
  for (const cell of document.querySelectorAll('#comparison td[data-offset]'))
    cell.classList.toggle('on', cell.getAttribute('data-offset') === String(state.offset));
}
