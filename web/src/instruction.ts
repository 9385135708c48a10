// The selected instruction: what it does, and the stack before and after it, value by value.
import { $, el } from './dom';
import { Explained, explain } from './analysis';
import { Instruction, makers, on, sameValue, select, shown, state, takersOf } from './model';

export function makeInstruction(): void {
  on('document', draw);
  on('selection', draw);
  on('failure', draw);
}

const link = (offset: number): HTMLElement =>
  el('button', { class: 'link', onclick: () => select(offset) }, el('span', {}, String(offset)), ' ', shown.at.get(offset)?.opname ?? '');

let asked = 0;

function draw(): void {
  const box = $('#instruction');
  const each = state.offset === null ? undefined : shown.at.get(state.offset);
  const mine = ++asked;
  if (!each || shown.failure) {
    box.replaceChildren(el('p', { class: 'soft' }, 'Select an instruction: by a click, with the arrow keys, or by the cursor in the source.'));
    return;
  }
  const sentence = el('p', { class: 'sentence' });
  const more = el('div', {});
  box.replaceChildren(
    el('h3', {}, el('span', { class: `op s-${each.sort}` }, each.opname), ' ', el('span', { class: 'arg' }, each.jump ? `to ${each.jump}` : each.argrepr || (each.arg === null ? '' : String(each.arg)))),
    sentence,
    el('p', { class: 'soft' }, `takes ${each.pops}, leaves ${each.pushes} · offset ${each.offset} · block ${each.block}${each.line ? ` · line ${each.line}` : ''}`),
    el('div', { class: 'stacks' }, pile('before', each), after(each)),
    more,
  );
  const version = shown.code?.version ?? '';
  void explain(each.opname, version).then((found) => {
    if (mine !== asked || !found) return;
    sentence.textContent = found.sentence;
    more.replaceChildren(about(found, version));
  }).catch(() => {});
}

/** What is known of the opcode besides this instruction. */
function about(found: Explained, version: string): HTMLElement {
  const facts: [string, string][] = [
    ['Argument', found.argument],
    ['Takes', found.takes.join(', ') || 'nothing'],
    ['Leaves', found.leaves.join(', ') || 'nothing'],
    ['In CPython', found.since === found.until ? found.since : `${found.since} to ${found.until}`],
  ];
  const forms = found.forms.length
    ? el('details', {}, el('summary', {}, `${found.forms.length} specialised form${found.forms.length === 1 ? '' : 's'} in ${version}`),
        el('dl', {}, ...found.forms.flatMap(([name, text]) => [el('dt', {}, el('code', {}, name)), el('dd', {}, text)])))
    : null;
  return el('div', { class: 'about' }, el('dl', {}, ...facts.flatMap(([name, text]) => [el('dt', {}, name), el('dd', {}, text)])), forms);
}

function pile(title: string, each: Instruction): HTMLElement {
  const found = each.stack ?? [];
  const taken = found.length - each.pops;
  return el(
    'section', { class: 'pile', 'aria-label': `stack ${title}` },
    el('h4', {}, `Stack ${title}`, each.stack === null ? ': not known' : found.length ? '' : ': empty'),
    el('ol', {}, ...found.map((text, slot) => value(text, slot, each, slot >= taken)).reverse()),
  );
}

function value(text: string, slot: number, each: Instruction, taken: boolean): HTMLElement {
  const at = { offset: each.offset, slot };
  const isOn = state.value?.offset === each.offset && state.value.slot === slot;
  const kind = each.kinds?.[slot];
  return el(
    'li', { class: isOn ? 'on' : '' },
    el('button', { class: `value${isOn ? ' on' : ''}${taken ? ' taken' : ''}`, 'aria-pressed': isOn ? 'true' : 'false', onclick: () => select(each.offset, at) }, text),
    kind && kind !== 'any' ? el('span', { class: 'soft' }, ` ${kind}`) : null,
    el('div', { class: 'soft' }, 'pushed by ', ...listed(makers(at), 'the interpreter'), '; taken by ', ...listed(takersOf(at), 'nothing')),
  );
}

function listed(offsets: number[], none: string): (Node | string)[] {
  if (!offsets.length) return [none];
  return offsets.slice(0, 4).flatMap((offset, at) => (at ? [', ', link(offset)] : [link(offset)]));
}

/** The stack of the instruction that comes next on the path that does not jump. */
function after(each: Instruction): HTMLElement {
  const row = shown.index.get(each.offset)!;
  const next = shown.detail!.instructions[row + 1];
  const falls = next && (shown.detail!.blocks.find((block) => block.name === each.block)!.stop > next.offset ||
    shown.detail!.blocks.find((block) => block.name === each.block)!.edges.some((edge) => edge.target === next.block && edge.kind !== 'exception'));
  if (!falls || !next?.stack) return el('section', { class: 'pile' }, el('h4', {}, 'Stack after: it leaves the code here'));
  const known = each.producers ?? [];
  return el(
    'section', { class: 'pile', 'aria-label': 'stack after' },
    el('h4', {}, 'Stack after', next.stack.length ? '' : ': empty'),
    el('ol', {}, ...next.stack.map((text, slot) => {
      const made = next.producers?.[slot] ?? [];
      const fresh = !known[slot] || !sameValue(known[slot], made);
      return el('li', {}, el('button', { class: `value${fresh ? ' fresh' : ''}`, onclick: () => select(next.offset, { offset: next.offset, slot }) }, text));
    }).reverse()),
  );
}
