// The control-flow graph: laid out by Graphviz in a worker, with zoom and pan.
import { $, el, say, unhurried } from './dom';
import { Detail, on, select, shown, state } from './model';
import { base } from './workers';

let worker: Worker | null = null;
let asked = 0;
let drawnFor: unknown = null;
let pending: unknown = null;

const MOST_BLOCKS = 400; // a larger graph takes too long to lay out, and nobody reads it

const escaped = (text: string): string =>
  text.replace(/[\\"]/g, '\\$&').replace(/\s+/g, ' ').replace(/[\x00-\x1f\x7f]/g, '?');

/** The graph in Graphviz's language. Colours come from the page's style sheet, by class. */
export function dotOf(detail: Detail): string {
  const lines = detail.blocks.map((block) => {
    const steps = block.steps.slice(0, 8).map((step) => step.text.slice(0, 46));
    if (block.steps.length > 8) steps.push(`… ${block.steps.length - 8} more`);
    const where = block.line === null ? '' : block.line === block.last_line ? `  line ${block.line}` : `  lines ${block.line} to ${block.last_line}`;
    const title = `${block.name}${where}${block.loop_head ? '  loop' : ''}${block.reachable ? '' : '  unreachable'}`;
    const text = [title, ...steps].map((line) => `${escaped(line)}\\l`).join('');
    const mark = [block.loop_head ? 'loop' : '', block.reachable ? '' : 'dead'].join(' ').trim();
    return `"${block.name}" [label="${text}", class="${mark}"]`;
  });
  for (const block of detail.blocks)
    for (const edge of block.edges) {
      const outcome = edge.kind === 'true' || edge.kind === 'false'; // not by the colour alone
      const label = outcome && edge.label ? `${edge.kind}: ${edge.label}` : edge.label ?? (edge.kind === 'exception' ? edge.kind : '');
      const dashed = edge.kind === 'exception' ? ', style=dashed' : '';
      lines.push(`"${block.name}" -> "${edge.target}" [label="${escaped(label.slice(0, 34))}", class="${edge.back ? 'back ' : ''}${edge.kind}"${dashed}]`);
    }
  return `digraph { bgcolor=transparent; nodesep=.3; ranksep=.35;
    node [shape=box, fontname="Courier", fontsize=10, margin="0.1,0.06"];
    edge [fontname="Courier", fontsize=9];
    ${lines.join('\n')} }`;
}

export function makeGraph(): void {
  on('document', unhurried(draw));
  on('panes', () => draw());
  on('failure', () => { drawnFor = null; $('#graph').replaceChildren(); });
  on('selection', mark);
  on('hover', (offset: number | null) => {
    const block = offset === null ? null : shown.at.get(offset)?.block;
    for (const node of $('#graph').querySelectorAll('g.node')) node.classList.toggle('hover', nameOf(node) === block);
  });
}

const nameOf = (node: Element): string => node.querySelector('title')?.textContent ?? '';

function draw(): void {
  if ($('#graph').closest('[hidden]') || !shown.detail || drawnFor === shown.detail || pending === shown.detail) return;
  const detail = shown.detail;
  if (detail.blocks.length > MOST_BLOCKS) {
    $('#graph').replaceChildren(el('p', { class: 'soft' }, `This code has ${detail.blocks.length} blocks: too many to draw.`));
    drawnFor = detail;
    return;
  }
  if (worker === null) {
    worker = new Worker(`${base}layout.js`, { type: 'module' });
    worker.onmessage = ({ data }) => {
      if (data.id === asked) arrived(data);
    };
  }
  pending = detail;
  worker.postMessage({ id: ++asked, dot: dotOf(detail) });
}

function arrived(data: { svg?: string; error?: string }): void {
  drawnFor = pending;
  pending = null;
  if (!data.svg) return say(`The graph cannot be drawn: ${data.error}`, 'error');
  const parsed = new DOMParser().parseFromString(data.svg, 'image/svg+xml').documentElement;
  const svg = document.importNode(parsed, true) as unknown as SVGSVGElement;
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `Control-flow graph of ${shown.code?.qualname}: ${shown.detail?.blocks.length} blocks. The listing says the same.`);
  for (const node of svg.querySelectorAll('g.node')) {
    const block = shown.detail?.blocks.find((each) => each.name === nameOf(node));
    node.addEventListener('click', () => block && select(block.start, null, 'graph'));
    node.addEventListener('mouseenter', () => block && hoverBlock(block.name));
    node.addEventListener('mouseleave', () => hoverBlock(null));
  }
  $('#graph').replaceChildren(svg);
  movable(svg);
  mark();
}

function hoverBlock(name: string | null): void {
  for (const row of document.querySelectorAll('#rows .row')) {
    const block = shown.at.get(Number(row.getAttribute('data-offset')))?.block;
    row.classList.toggle('hover', name !== null && block === name);
  }
}

function mark(): void {
  const block = state.offset === null ? null : shown.at.get(state.offset)?.block;
  for (const node of $('#graph').querySelectorAll('g.node')) node.classList.toggle('on', nameOf(node) === block);
}

let zoom = 1;

/** Wheel and buttons zoom, dragging pans: by the SVG's own viewBox. */
function movable(svg: SVGSVGElement): void {
  const whole = svg.viewBox.baseVal;
  const full = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
  svg.removeAttribute('width');
  svg.removeAttribute('height');
  const box = $('#graph');
  const fit = Math.min(1.35, box.clientWidth / (full.width * 1.0) || 1, box.clientHeight / full.height || 1);
  zoom = 1;
  let view = { ...full };
  const apply = () => svg.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`);
  // At first text is never larger than the page's own, nor smaller than can be read.
  const scale = Math.max(0.75, Math.min(1.35, fit));
  const width = Math.max(1, box.clientWidth);
  const height = Math.max(1, box.clientHeight);
  view = { x: full.x + (full.width - width / scale) / 2, y: full.y - 6, width: width / scale, height: height / scale };
  if (full.width * scale > width) view.x = full.x + Math.max(0, firstBlock(svg, full) - width / scale / 2);
  const start = { ...view };
  apply();
  const about = (factor: number, x = 0.5, y = 0.5) => {
    zoom = Math.min(12, Math.max(0.1, zoom * factor));
    const made = { width: start.width / zoom, height: start.height / zoom };
    view = { x: view.x + (view.width - made.width) * x, y: view.y + (view.height - made.height) * y, ...made };
    apply();
  };
  svg.addEventListener('wheel', (event) => {
    event.preventDefault();
    const bounds = svg.getBoundingClientRect();
    about(event.deltaY < 0 ? 1.15 : 1 / 1.15, (event.clientX - bounds.left) / bounds.width, (event.clientY - bounds.top) / bounds.height);
  }, { passive: false });
  let from: { x: number; y: number } | null = null;
  svg.addEventListener('pointerdown', (event) => {
    from = { x: event.clientX, y: event.clientY };
  });
  svg.addEventListener('pointermove', (event) => {
    if (!from) return;
    const bounds = svg.getBoundingClientRect();
    view.x -= ((event.clientX - from.x) / bounds.width) * view.width;
    view.y -= ((event.clientY - from.y) / bounds.height) * view.height;
    from = { x: event.clientX, y: event.clientY };
    apply();
  });
  for (const name of ['pointerup', 'pointerleave', 'pointercancel']) svg.addEventListener(name, () => (from = null));
  zoomers = { in: () => about(1.25), out: () => about(0.8), fit: () => { zoom = 1; view = { ...start }; apply(); }, whole: () => { zoom = 1; view = { ...full }; apply(); }, move: (x, y) => { view.x += x * view.width; view.y += y * view.height; apply(); } };
}

function firstBlock(svg: SVGSVGElement, full: { x: number }): number {
  const box = (svg.querySelector('g.node') as SVGGElement | null)?.getBBox();
  return box ? box.x + box.width / 2 - full.x : 0;
}

let zoomers: { in(): void; out(): void; fit(): void; whole(): void; move(x: number, y: number): void } | null = null;

export function makeZoomButtons(): void {
  const button = (text: string, label: string, act: () => void) =>
    el('button', { title: label, 'aria-label': label, onclick: act }, text);
  $('#graph-tools').append(
    button('+', 'Zoom in', () => zoomers?.in()), button('−', 'Zoom out', () => zoomers?.out()),
    button('1:1', '1:1, text in its own size', () => zoomers?.fit()), button('All', 'All of the graph', () => zoomers?.whole()),
  );
  $('#graph').addEventListener('keydown', (event) => {
    const moves: Record<string, [number, number]> = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
    if (event.key in moves) zoomers?.move(...moves[event.key]);
    else if (event.key === '+') zoomers?.in();
    else if (event.key === '-') zoomers?.out();
    else if (event.key === '0') zoomers?.whole();
    else return;
    event.preventDefault();
  });
}
