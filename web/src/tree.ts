// The code objects of the text, as a tree.
import { $, el } from './dom';
import { emit, on, shown } from './model';

export function makeTree(): void {
  on('document', draw);
  $('#tree').addEventListener('keydown', onKey);
}

function draw(): void {
  const depths = new Map<number, number>();
  const made = shown.codes.map((code) => {
    const depth = code.parent === null ? 0 : depths.get(code.parent)! + 1;
    depths.set(code.index, depth);
    const isOn = code.index === shown.code?.index;
    const item = el(
      'li',
      {
        role: 'treeitem', 'aria-level': depth + 1, 'aria-selected': isOn ? 'true' : 'false',
        tabindex: isOn ? '0' : '-1', class: isOn ? 'on' : '', 'data-key': code.key,
        title: `${code.qualname}, ${code.kind}, lines ${code.first_line} to ${code.last_line}`,
        onclick: () => emit('text', { key: code.key }),
      },
      code.name, el('span', { class: 'kind' }, code.kind === 'function' ? '' : ` ${code.kind}`),
      code.cellvars.length ? el('span', { class: 'cell', title: `makes cells: ${code.cellvars.join(', ')}` }, ` ▣${code.cellvars.length}`) : null,
      code.freevars.length ? el('span', { class: 'free', title: `captures: ${code.freevars.join(', ')}` }, ` ◇${code.freevars.length}`) : null,
    );
    item.style.paddingLeft = `${8 + depth * 14}px`;
    return item;
  });
  $('#tree').replaceChildren(...made);
}

function onKey(event: KeyboardEvent): void {
  const items = [...$('#tree').querySelectorAll<HTMLElement>('li')];
  const at = items.indexOf(event.target as HTMLElement);
  const next: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
  if (event.key === 'Enter' || event.key === ' ') emit('text', { key: items[at]?.dataset.key });
  else if (event.key in next) items[Math.min(Math.max(0, next[event.key]), items.length - 1)]?.focus();
  else return;
  event.preventDefault();
}
