// Elements, made without markup: no text is ever read as HTML.
export type Child = Node | string | null | undefined | false;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, given: Record<string, unknown> = {}, ...children: (Child | Child[])[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  apply(made, given);
  for (const child of children.flat()) if (child) made.append(child);
  return made;
}

export function svg(tag: string, given: Record<string, unknown> = {}, ...children: Child[]): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  apply(made, given);
  for (const child of children) if (child) made.append(child);
  return made;
}

function apply(made: Element, given: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value as EventListener);
    else made.setAttribute(name, value === true ? '' : String(value));
  }
}

export const $ = <T extends Element = HTMLElement>(selector: string): T => {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
};

/** A polite message for everybody, screen readers too. */
export function say(text: string, kind: 'info' | 'error' = 'info'): void {
  const status = $('#status');
  status.textContent = text;
  status.className = kind;
}

export function download(name: string, data: Blob): void {
  const url = URL.createObjectURL(data);
  const link = el('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const encoder = new TextEncoder();

/** A column in UTF-8 bytes as a column in UTF-16 units, as the editor counts. */
export function column(line: string, bytes: number): number {
  // eslint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(line)) return Math.min(bytes, line.length);
  let units = 0;
  let seen = 0;
  for (const character of line) {
    if (seen >= bytes) break;
    seen += encoder.encode(character).length;
    units += character.length;
  }
  return units;
}

const waiting = new Map<() => void, number>();

/**
 * What draws a pane that is not looked at while a run is played: at once for a new document, and
 * after a pause for one that a step brought into view.
 */
export function unhurried(draw: () => void): (how: unknown) => void {
  return (how) => {
    clearTimeout(waiting.get(draw));
    if (how === 'step') waiting.set(draw, window.setTimeout(draw, 150));
    else draw();
  };
}
