// Share: the whole state in the fragment of the address; copies as SVG, PNG, Markdown; a report.
import { $, download, el, say } from './dom';
import { shown, state } from './model';
import { compilerOf, wholeDocument } from './analysis';

interface Kept {
  t: string; n?: string; v?: string; k?: string | null; o?: number | null; s?: number | null;
  c?: string; h?: string[]; b?: string; w?: string[];
}

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const piped = new Blob([bytes as BlobPart]).stream().pipeThrough(stream as ReadableWritablePair<Uint8Array, BufferSource>);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

function toText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const fromText = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0));

export async function fragment(): Promise<string> {
  const native = compilerOf(state.compiler)?.native;
  const kept: Kept = {
    t: state.text, n: state.name, k: state.key, o: state.offset, s: state.value?.slot ?? null, c: state.call, h: state.hidden, b: state.tab,
    // Another machine has other interpreters: the version stands for the release.
    v: native ? compilerOf(state.compiler)!.version : state.compiler,
    w: state.others.map((id) => compilerOf(id)?.version ?? id),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(kept));
  return `#s=${toText(await through(bytes, new CompressionStream('deflate-raw')))}`;
}

const MOST = 4_000_000; // characters of a state

/** The state that the address holds; null if there is none, or it is damaged. */
export async function stateInAddress(): Promise<Kept | null> {
  const found = /[#&]s=([\w-]+)/.exec(location.hash);
  if (!found) return null;
  try {
    const bytes = await through(fromText(found[1]), new DecompressionStream('deflate-raw'));
    if (bytes.length > MOST) throw new Error('too long');
    const kept = JSON.parse(new TextDecoder().decode(bytes));
    const text = (value: unknown): value is string => typeof value === 'string';
    const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter(text) : []);
    if (!text(kept.t)) throw new Error('no text');
    return {
      t: kept.t, n: text(kept.n) ? kept.n.slice(0, 200) : undefined, v: text(kept.v) ? kept.v : undefined, k: text(kept.k) ? kept.k : null,
      o: Number.isInteger(kept.o) ? kept.o : null, s: Number.isInteger(kept.s) ? kept.s : null,
      c: text(kept.c) ? kept.c : '', h: texts(kept.h), b: text(kept.b) ? kept.b : undefined, w: texts(kept.w),
    };
  } catch {
    say('The link is damaged: it holds no view of the page.', 'error');
    return null;
  }
}

let timer = 0;

/** Keep the address at the state, so that a reload or a bookmark shows the same. */
export function remember(): void {
  clearTimeout(timer);
  timer = window.setTimeout(async () => history.replaceState(null, '', await fragment()), 400);
}

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} is in the clipboard.`);
  } catch {
    const field = el('textarea', { readonly: true, rows: '4', 'aria-label': what }, text);
    $('#share-list').append(field);
    field.select();
    say(`The browser does not give the clipboard away: copy ${what} from the field.`);
  }
}

/** The listing as Markdown: a table in a code block, which every renderer leaves as it is. */
export function markdown(): string {
  const code = shown.code!;
  const rows = shown.detail!.instructions.map((each, at, all) => [
    each.line !== all[at - 1]?.line ? String(each.line ?? '') : '', each.block !== all[at - 1]?.block ? each.block : '', String(each.offset),
    each.opname, each.jump ? `to ${each.jump}` : each.argrepr, each.stack === null ? 'unreachable' : each.stack.join(' | '),
  ]);
  const heads = ['line', 'block', 'offset', 'operation', 'operand', 'stack before'];
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at].length)));
  const line = (row: string[]) => row.map((cell, at) => cell.padEnd(widths[at])).join('  ').trimEnd();
  const fence = '`'.repeat(Math.max(3, ...[...state.text.matchAll(/`+/g), ...rows.flatMap((row) => [...row.join(' ').matchAll(/`+/g)])].map((each) => each[0].length + 1)));
  const body = [heads, ...rows].map(line).join('\n');
  const release = code.release ?? code.version;
  return `**${code.qualname.replace(/([*_<>`\\])/g, '\\$1')}**, CPython ${release}, ${code.bytes} bytes\n\n${fence}python\n${state.text.trimEnd()}\n${fence}\n\n${fence}text\n${body}\n${fence}\n`;
}

/** The graph as a file of its own: with its colours written into it. */
export function graphSvg(): string | null {
  const drawn = document.querySelector<SVGSVGElement>('#graph svg');
  if (!drawn) return null;
  const marked = [...drawn.querySelectorAll('.on, .hover')].map((each) => [each, each.getAttribute('class')!] as const);
  for (const [each] of marked) each.classList.remove('on', 'hover'); // what is selected is no part of it
  const made = drawn.cloneNode(true) as SVGSVGElement;
  const from = [...drawn.querySelectorAll('*')];
  for (const [at, each] of [...made.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(from[at]);
    for (const name of ['fill', 'stroke', 'stroke-width', 'stroke-dasharray']) {
      const value = style.getPropertyValue(name);
      if (value && /^(path|polygon|text|ellipse)$/.test(each.tagName)) each.setAttribute(name, value);
    }
    if (each.tagName === 'text') each.setAttribute('font-family', 'monospace');
  }
  for (const [each, classes] of marked) each.setAttribute('class', classes);
  const box = drawn.querySelector<SVGGElement>('g.graph')!.getBBox();
  const move = drawn.querySelector<SVGGElement>('g.graph')!.transform.baseVal.consolidate()!.matrix;
  const [x, y, width, height] = [box.x + move.e - 4, box.y + move.f - 4, box.width + 8, box.height + 8];
  made.setAttribute('viewBox', `${x} ${y} ${width} ${height}`);
  made.setAttribute('width', String(Math.ceil(width * 1.33)));
  made.setAttribute('height', String(Math.ceil(height * 1.33)));
  const back = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  const colour = getComputedStyle(document.body).backgroundColor;
  for (const [name, value] of Object.entries({ x, y, width, height, fill: colour })) back.setAttribute(name, String(value));
  made.insertBefore(back, made.firstChild);
  return new XMLSerializer().serializeToString(made);
}

async function graphPng(): Promise<Blob> {
  const text = graphSvg();
  if (!text) throw new Error('no graph is drawn');
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = el('canvas', { width: image.width * 2, height: image.height * 2 });
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the picture is too large'))), 'image/png'));
}

const fileName = (ending: string): string => `${(shown.code?.qualname ?? 'coscope').replace(/[^\w.-]+/g, '_').replace(/^_+|_+$/g, '') || 'module'}.${ending}`;

export function makeShare(): void {
  const act = (label: string, id: string, action: () => unknown) =>
    el('button', { id, onclick: () => Promise.resolve(action()).catch((error: Error) => say(error.message, 'error')) }, label);
  const graph = () => {
    const text = graphSvg();
    if (!text) throw new Error('Show the graph first: it is drawn when it is seen.');
    return text;
  };
  $('#share-list').append(
    act('Copy link', 'share-link', async () => {
      history.replaceState(null, '', await fragment());
      const address = new URL(location.href);
      await copy(address.href, 'The link');
    }),
    act('Copy as Markdown', 'share-markdown', () => copy(markdown(), 'The Markdown')),
    act('Copy graph as SVG', 'share-svg', () => copy(graph(), 'The SVG')),
    act('Save graph as SVG', 'save-svg', () => download(fileName('svg'), new Blob([graph()], { type: 'image/svg+xml' }))),
    act('Save graph as PNG', 'save-png', async () => download(fileName('png'), await graphPng())),
    act('Copy graph as PNG', 'share-png', async () => {
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': graphPng() })]);
      say('The picture is in the clipboard.');
    }),
    act('Save the report', 'save-report', async () => {
      const made = await wholeDocument();
      download(fileName('html'), new Blob([made], { type: 'text/html' }));
    }),
    act('Save the document as JSON', 'save-json', async () => download(fileName('json'), new Blob([await wholeDocument('json')], { type: 'application/json' }))),
  );
}
