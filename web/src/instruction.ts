// The selected instruction: what it does, and the stack before and after it, value by value.
import { $, el } from './dom';
import { Instruction, makers, on, sameValue, select, shown, state, takersOf } from './model';

const WORDS: Record<string, string> = {
  load: 'loads', store: 'stores', delete: 'deletes', import: 'imports', compute: 'computes', build: 'builds',
  call: 'calls', jump: 'jumps', exception: 'handles exceptions', stack: 'moves the stack',
};

export function makeInstruction(): void {
  on('document', draw);
  on('selection', draw);
  on('failure', draw);
}

const link = (offset: number): HTMLElement =>
  el('button', { class: 'link', onclick: () => select(offset) }, `${offset} ${shown.at.get(offset)?.opname ?? ''}`);

function draw(): void {
  const box = $('#instruction');
  const each = state.offset === null ? undefined : shown.at.get(state.offset);
  if (!each || shown.failure) {
    box.replaceChildren(el('p', { class: 'soft' }, 'Select an instruction: by a click, with the arrow keys, or by the cursor in the source.'));
    return;
  }
  const help = (each as any).sentence as string | undefined;
  box.replaceChildren(
    el('h3', {}, el('span', { class: `op ${each.sort}` }, each.opname), ' ', el('span', { class: 'arg' }, each.argrepr || (each.arg === null ? '' : String(each.arg)))),
    el('p', { class: 'sentence' }, help ?? `It ${WORDS[each.sort] ?? each.sort}.`),
    el('p', { class: 'soft' }, `takes ${each.pops}, leaves ${each.pushes} · offset ${each.offset} · block ${each.block}${each.line ? ` · line ${each.line}` : ''}`),
    el('div', { class: 'stacks' }, pile('before', each), after(each)),
  );
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
