'use strict';
// The page of `coscope report`: a tree, a search, and a card that is unpacked when it is asked for.
// Every text becomes a text node; no markup is ever made from one.

const KINDS = ['next', 'jump', 'true', 'false', 'exception'];
const $ = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const svg = ['svg', 'g', 'rect', 'path', 'text', 'defs', 'marker'].includes(tag);
  const node = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined).map((child) => (child instanceof Node ? child : String(child))));
  return node;
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%()*+-;=>?@^_`{|}~,.';

/** Bytes from base 85; see `_chunk` in page.py. */
function from85(text, length) {
  const values = new Uint8Array(128);
  for (let at = 0; at < DIGITS.length; at += 1) values[DIGITS.charCodeAt(at)] = at;
  const bytes = new Uint8Array((text.length / 5) * 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0, to = 0; at < text.length; to += 4) {
    let number = 0;
    for (const end = at + 5; at < end; at += 1) number = number * 85 + values[text.charCodeAt(at)];
    view.setUint32(to, number);
  }
  return bytes.subarray(0, length);
}

/** The texts of a file: some are places in its source. */
const textsOf = ({ words, source }) => words.map((word) => (typeof word === 'string' ? word : source.slice(word[0], word[0] + word[1])));

async function chunk(name) {
  const bytes = from85($(name).textContent, Number($(name).dataset.bytes));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

/** A text as the numbers that its characters stand for; see `digits` in packing.py. */
function numbers(text) {
  return Array.from(text, (character) => {
    let code = character.codePointAt(0);
    code -= code < 0xd800 ? 0x23 : 0x823;
    return code % 2 ? -(code + 1) / 2 : code / 2;
  });
}

/** A packed code object as rows; see packing.py. */
function unpack(packed, words) {
  const code = {};
  for (const name of ['op', 'arg', 'rep', 'at', 'pos', 'keep', 'count', 'add', 'jump']) code[name] = numbers(packed[name]);
  code.blocks = packed.blocks;
  let taken = 0;
  const rows = [];
  const position = [0, 0, 0, 0];
  const jumps = new Map();
  for (let at = 0; at < code.jump.length; at += 2) jumps.set(code.jump[at], code.jump[at + 1]);
  const starts = new Map(code.blocks.map((block, number) => [block[0], number]));
  let offset = 0;
  let stack = [];
  let block = 0;
  for (let at = 0; at < code.op.length; at += 1) {
    offset += code.at[at];
    for (let part = 0; part < 4; part += 1) position[part] += code.pos[4 * at + part];
    if (starts.has(at)) block = starts.get(at);
    let shown = null;
    if (code.keep[at] >= 0) {
      const added = code.add.slice(taken, taken + code.count[at]).map((number) => words[number]);
      taken += code.count[at];
      stack = [...stack.slice(0, stack.length - code.keep[at]), ...added];
      shown = stack;
    } else stack = [];
    rows.push({
      at, offset, block, opname: words[code.op[at]], arg: code.arg[at] < 0 ? null : code.arg[at],
      argrepr: code.rep[at] < 0 ? `to B${jumps.get(at)}` : words[code.rep[at]],
      jump: jumps.get(at) ?? null, stack: shown, positions: position.map((number) => (number ? number - 1 : null)),
    });
  }
  return rows;
}

if (typeof document !== 'undefined') start();
else module.exports = { unpack, textsOf, from85 }; // for the test that compares with the document

async function start() {
  const index = await chunk('index');
  const files = new Map(); // number -> promise of its chunk
  const file = (number) => {
    if (!files.has(number)) files.set(number, chunk(`file-${number}`));
    return files.get(number);
  };
  drawTree(index, '');
  $('tree').addEventListener('keydown', (event) => walk(event));
  let wait = 0;
  $('search').addEventListener('input', () => {
    clearTimeout(wait);
    wait = setTimeout(() => drawTree(index, $('search').value.trim().toLowerCase()), 120);
  });
  $('search').addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'Enter') { event.preventDefault(); items()[0]?.focus(); }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== $('search')) { event.preventDefault(); $('search').focus(); }
  });
  window.addEventListener('hashchange', () => follow(index, file));
  follow(index, file);
}

/** The address names what is shown: #3 is a file, #3/12 a code object of it. */
async function follow(index, file) {
  const [number, code] = location.hash.slice(1).split('/').map((word) => (word === '' ? NaN : Number(word)));
  const entry = index.files[number];
  mark();
  if (!entry) overview(index);
  else if (entry.error !== null) fill(make('h2', {}, entry.path), make('p', { class: 'bad' }, entry.error));
  else if (Number.isInteger(code) && entry.codes[code]) await card(index, number, code, await file(number));
  else fileView(index, number, await file(number));
  document.body.dataset.shown = location.hash;
}

function fill(...children) {
  $('main').replaceChildren(...children);
  $('main').scrollTop = 0;
}

const link = (hash, text, kind) => make('button', { type: 'button', class: kind, onclick: () => { location.hash = hash; } }, text);

function overview(index) {
  const all = index.files.flatMap((entry, number) => entry.findings.map((found) => [number, found]));
  const broken = index.files.filter((entry) => entry.error !== null);
  fill(
    make('h2', {}, index.title), make('p', { class: 'soft' }, `Made by ${index.producer}. Press / to search, arrows to walk the tree.`),
    ...(broken.length ? [make('h3', {}, 'Not read'), ...broken.map((entry) => make('p', {}, make('span', { class: 'name' }, entry.path), ` ${entry.error}`))] : []),
    make('h3', {}, all.length ? 'Findings' : 'No findings'), ...all.map(([number, found]) => findingView(index, number, found)),
  );
}

function findingView(index, number, [rule, severity, message, code, line, instead]) {
  const at = index.files[number].codes.findIndex((each) => each[0] === code);
  return make(
    'div', { class: 'finding' }, make('span', { class: 'bad' }, `${rule} ${severity} `),
    link(at < 0 ? `${number}` : `${number}/${at}`, `${index.files[number].path}${line === null ? '' : `:${line}`} ${code}`, 'name'),
    `\n${message}`, instead ? `\nInstead: ${instead}` : '',
  );
}

function fileView(index, number, packed) {
  const entry = index.files[number];
  const rows = entry.codes.map((code, at) => make(
    'tr', {}, make('td', {}, '  '.repeat(depth(entry, at)), link(`${number}/${at}`, code[0], 'name')), make('td', { class: 'kind' }, code[2]),
    make('td', {}, `${code[3]}-${code[4]}`), make('td', { class: 'soft' }, `${code[5]} instructions`),
  ));
  const lines = packed.source.split('\n');
  fill(
    make('h2', {}, entry.path), ...entry.findings.map((found) => findingView(index, number, found)),
    make('h3', {}, 'Code objects'), make('table', {}, ...rows),
    make('h3', {}, 'Source'), make('table', { class: 'wide' }, ...lines.map((text, at) => make('tr', {}, make('td', { class: 'soft' }, at + 1), make('td', {}, text)))),
  );
}

function depth(entry, at) {
  let count = 0;
  for (let code = entry.codes[at]; code[1] >= 0; code = entry.codes[code[1]]) count += 1;
  return count;
}

async function card(index, number, at, packed) {
  const entry = index.files[number];
  const about = entry.codes[at];
  const code = packed.codes[at];
  const words = textsOf(packed);
  const rows = unpack(code, words);
  const text = (place) => (place < 0 ? '' : words[place]);
  const table = (title, head, body) => (body.length ? [make('h3', {}, title), make('div', { class: 'wide' }, make(
    'table', {}, make('tr', {}, ...head.map((word) => make('th', { scope: 'col' }, word))),
    ...body.map((cells) => make('tr', {}, ...cells.map(([value, kind]) => make('td', { class: kind }, value)))),
  ))] : []);
  const says = make('p', { class: 'says', 'aria-live': 'polite' }, 'Point at an instruction, or move with the arrows: what it does is said here.');
  fill(
    make('h2', {}, about[0], ' ', make('span', { class: 'kind' }, about[2])),
    make('p', {}, link(`${number}`, entry.path, 'name'), `, lines ${about[3]} to ${about[4]}, CPython ${about[7]}`),
    make('p', { class: 'soft' }, `${about[6]} bytes · ${about[5]} instructions · ${code.blocks.length} blocks · stack ${code.stack[0] ?? 'unknown'} needed of ${code.stack[1]} declared · ${about[8]}`),
    ...code.warnings.map((warning) => make('p', { class: 'bad' }, `warning: ${warning}`)),
    ...entry.findings.filter((found) => found[3] === about[0]).map((found) => findingView(index, number, found)),
    ...table('Fast locals', ['name', 'kind', 'default'], code.locals.map(([name, kind, value]) => [[text(name), 'name'], [text(kind), 'kind'], [text(value), 'mark']])),
    ...table('Cells', ['owner', 'name', 'value or users'], code.cells.map(([owner, name, value]) => [[owner === -2 ? 'own' : text(owner) || 'an enclosing function', 'soft'], [text(name), 'name'], [text(value), 'mark']])),
    ...table('Names', ['used as', 'names'], code.names.map(([group, names]) => [[group, 'kind'], [names.map(text).join('  '), 'name']])),
    ...table('Constants', ['type', 'value'], code.constants.map(([type, value]) => [[text(type), 'kind'], [text(value), 'mark']])),
    make('h3', { id: 'bytecode' }, 'Bytecode'), make('div', { class: 'wide' }, listing(index, rows, packed.source.split('\n'), says)), says,
    ...table('Exception regions', ['blocks', 'handler', 'keeps'], code.regions.map(([first, last, handler, kept]) => [[`B${first}..B${last}`, 'block'], [`B${handler}`, 'block'], [kept, 'soft']])),
    make('h3', {}, 'Control flow'), make('div', { class: 'wide', id: 'graph' }, drawGraph(code, words, rows)),
    ...nested(index, number, at),
  );
}

function nested(index, number, at) {
  const { codes } = index.files[number];
  const inside = codes.map((code, place) => [code, place]).filter(([code]) => code[1] === at);
  return inside.length ? [make('h3', {}, 'Nested code'), ...inside.map(([code, place]) => make('p', {}, link(`${number}/${place}`, code[0], 'name'), ` ${code[2]}`))] : [];
}

/** Source lines and instructions; one and the other light up together. */
function listing(index, rows, lines, says) {
  const body = [];
  let line = null;
  let block = null;
  const light = (chosen) => {
    for (const node of body) node.classList.toggle('lit', chosen !== null && node.dataset.line === String(chosen));
  };
  for (const row of rows) {
    if (row.positions[0] !== line) {
      [line] = row.positions;
      const number = line;
      body.push(make('tr', { class: 'source', 'data-line': number, onmouseenter: () => light(number), onmouseleave: () => light(null) }, make('td', { class: 'soft' }, line ?? ''), make('td', { colspan: 7 }, line ? lines[line - 1] ?? '' : '')));
    }
    const label = row.block === block ? '' : `B${row.block}`;
    block = row.block;
    const tell = () => {
      for (const node of body) node.classList.remove('picked');
      node.classList.add('picked');
      says.replaceChildren(make('b', {}, row.opname), ` ${index.opcodes[row.opname] ?? ''}`);
    };
    const stack = row.stack === null ? 'unreachable' : row.stack.length > 4 ? `… │ ${row.stack.slice(-4).join(' │ ')}` : row.stack.join(' │ ');
    const node = make(
      'tr', { 'data-line': row.positions[0], 'data-at': row.at, onmouseenter: () => { light(row.positions[0]); tell(); }, onmouseleave: () => light(null) },
      make('td', {}, ''), make('td', { class: 'mark', title: excerpt(lines, row.positions) }, short(excerpt(lines, row.positions), 30)), make('td', { class: 'block' }, label),
      make('td', { class: 'soft' }, row.offset), make('td', { tabindex: row.at ? -1 : 0, onfocus: tell, onkeydown: (event) => step(event, node) }, row.opname),
      make('td', { class: 'soft' }, row.arg ?? ''), make('td', { class: 'name', title: row.argrepr }, short(row.argrepr, 40)), make('td', { class: 'soft', title: row.stack === null ? null : row.stack.join('\n') }, short(stack, 60)),
    );
    body.push(node);
  }
  return make('table', { id: 'listing', 'aria-labelledby': 'bytecode' }, ...body);
}

function step(event, node) {
  const direction = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
  if (!direction) return;
  event.preventDefault();
  let next = node[direction];
  while (next && next.dataset.at === undefined) next = next[direction];
  next?.querySelector('[tabindex]').focus();
}

const short = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** The text under an instruction. Columns count UTF-8 bytes. */
function excerpt(lines, [line, endLine, start, end]) {
  if (!line || start === null || end === null || line !== endLine || lines[line - 1] === undefined) return '';
  return new TextDecoder().decode(new TextEncoder().encode(lines[line - 1]).slice(start, end));
}

/** Blocks below one another in code order; jumps beside them, back on the left, as `graph_svg.py` draws it. */
function drawGraph(code, words) {
  const [character, lineHeight, pad, gap, lane, margin] = [7.3, 17, 9, 30, 14, 20];
  const boxes = [];
  let y = margin;
  for (const [number, [, reachable, head, steps, edges]] of code.blocks.entries()) {
    const texts = steps.map((place) => short(words[place].replace(/\s+/g, ' '), 60));
    const lines = [`B${number}`, ...(texts.length > 12 ? [...texts.slice(0, 11), `... ${texts.length - 11} more`] : texts)];
    boxes.push({ lines, reachable, head, edges, top: y, height: lines.length * lineHeight + 2 * pad });
    y += boxes[number].height + gap;
  }
  const width = Math.max(60, ...boxes.flatMap((box) => box.lines.map((text) => text.length * character))) + 2 * pad;
  const lanes = { left: [], right: [] };
  const edges = boxes.flatMap((box, source) => box.edges.map(([kind, target, label]) => {
    const back = boxes[target].top <= box.top;
    return { kind: KINDS[kind], source, target, label: words[label], back, straight: target === source + 1, from: box.top + box.height - 8, to: boxes[target].top + 10, lane: 0 };
  }));
  for (const edge of [...edges].sort((a, b) => Math.abs(a.to - a.from) - Math.abs(b.to - b.from))) {
    if (!edge.straight) edge.lane = place(lanes[edge.back ? 'left' : 'right'], edge.from, edge.to);
  }
  const x = margin + lane * (lanes.left.length + 1);
  const full = x + width + lane * (lanes.right.length + 1) + 230;
  const svg = make('svg', { viewBox: `0 0 ${full} ${y}`, width: full, height: y, role: 'img', 'aria-label': 'Control-flow graph' });
  svg.append(make('defs', {}, make('marker', { id: 'end', viewBox: '0 0 8 8', refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' }, make('path', { d: 'M0 0L8 4L0 8z', style: 'fill:#888;stroke:none' }))));
  for (const box of boxes) {
    svg.append(make('rect', { class: `${box.reachable ? '' : 'dead '}${box.head ? 'head' : ''}`, x, y: box.top, width, height: box.height, rx: 4 }));
    box.lines.forEach((text, at) => svg.append(make('text', { class: at ? null : 'soft', x: x + pad, y: box.top + pad + lineHeight * at + 12 }, text)));
  }
  for (const edge of edges) {
    const side = edge.back ? x - lane * (edge.lane + 1) : x + width + lane * (edge.lane + 1);
    const wall = edge.back ? x : x + width;
    const middle = x + width / (edge.kind === 'false' || edge.kind === 'exception' ? 3 : 2);
    const line = edge.straight ? `M${middle} ${boxes[edge.source].top + boxes[edge.source].height}V${boxes[edge.target].top}` : `M${wall} ${edge.from}H${side}V${edge.to}H${wall}`;
    svg.append(make('path', { class: edge.kind, d: line, 'marker-end': 'url(#end)' }));
    const said = short([['true', 'false'].includes(edge.kind) ? edge.kind : '', edge.label].filter(Boolean).join(' ').replace(/\s+/g, ' '), 34);
    if (said) svg.append(make('text', { class: 'label', x: (edge.straight ? middle + 3 : side) + 3, y: edge.straight ? boxes[edge.target].top - 12 : edge.back ? edge.from - 4 : edge.from + 12 }, said));
  }
  return svg;
}

function place(lanes, start, stop) {
  const [low, high] = [Math.min(start, stop), Math.max(start, stop)];
  const free = lanes.findIndex((spans) => spans.every(([from, to]) => high < from || to < low));
  if (free < 0) lanes.push([[low, high]]);
  else lanes[free].push([low, high]);
  return free < 0 ? lanes.length - 1 : free;
}

/** The tree; with a search only what it finds, and what holds that. */
function drawTree(index, wanted) {
  const tree = [];
  index.files.forEach((entry, number) => {
    const hit = (text) => text.toLowerCase().includes(wanted);
    const whole = !wanted || hit(entry.path);
    const shown = new Set();
    entry.codes.forEach((code, at) => {
      const found = whole || hit(code[0]) || entry.findings.some((each) => each[3] === code[0] && (hit(each[0]) || hit(each[2])));
      for (let up = at; found && up >= 0; up = entry.codes[up][1]) shown.add(up);
    });
    if (!whole && !shown.size) return;
    const inside = branch(entry, number, -1, shown, 2);
    tree.push(item(`${number}`, entry.path, entry.error === null ? '' : 'not read', entry.findings.length, inside, Boolean(wanted) && !whole, 1));
  });
  $('tree').replaceChildren(...tree);
  if (!tree.length) $('tree').append(make('li', { class: 'row soft', role: 'none' }, 'Nothing of that name.'));
  mark();
  (items().find((each) => each.getAttribute('aria-selected') === 'true') ?? items()[0])?.setAttribute('tabindex', '0');
}

function branch(entry, number, parent, shown, level) {
  return entry.codes.flatMap((code, at) => {
    if (code[1] !== parent || !shown.has(at)) return [];
    const name = parent < 0 ? code[0] : code[0].slice(code[0].lastIndexOf('.') + 1);
    const count = entry.findings.filter((each) => each[3] === code[0]).length;
    return [item(`${number}/${at}`, name, code[2], count, branch(entry, number, at, shown, level + 1), true, level)];
  });
}

function item(hash, name, kind, count, inside, open, level) {
  const node = make('li', {
    role: 'treeitem', tabindex: -1, 'data-hash': hash, 'aria-level': level, 'aria-selected': 'false',
    'aria-expanded': inside.length ? String(open) : null, 'aria-labelledby': `row-${hash}`,
  });
  const row = make('div', { class: 'row', id: `row-${hash}`, onclick: () => { choose(node); toggle(node, node.getAttribute('aria-expanded') !== 'true' || location.hash !== `#${hash}`); location.hash = hash; } },
    make('span', { class: 'twist', 'aria-hidden': true }, inside.length ? (open ? '▾' : '▸') : ''), make('span', { class: 'name' }, name),
    make('span', { class: 'kind' }, kind), count ? make('span', { class: 'count', title: 'findings' }, count) : null);
  node.append(row);
  if (inside.length) node.append(make('ul', { role: 'group' }, ...inside));
  return node;
}

function toggle(node, open) {
  if (!node.hasAttribute('aria-expanded')) return;
  node.setAttribute('aria-expanded', String(open));
  node.querySelector('.twist').textContent = open ? '▾' : '▸';
}

const items = () => [...$('tree').querySelectorAll('[role=treeitem]')].filter((node) => !node.parentElement.closest('[aria-expanded=false]'));

function choose(node) {
  for (const each of $('tree').querySelectorAll('[tabindex="0"]')) each.setAttribute('tabindex', '-1');
  node.setAttribute('tabindex', '0');
}

function mark() {
  for (const node of $('tree').querySelectorAll('[role=treeitem]')) {
    const selected = `#${node.dataset.hash}` === location.hash;
    node.setAttribute('aria-selected', String(selected));
    for (let up = node.parentElement.closest('[role=treeitem]'); selected && up; up = up.parentElement.closest('[role=treeitem]')) toggle(up, true);
  }
}

/** The keys of a tree, as the ARIA practices have them. */
function walk(event) {
  const node = event.target.closest('[role=treeitem]');
  if (!node) return;
  const shown = items();
  const at = shown.indexOf(node);
  const open = node.getAttribute('aria-expanded');
  let next = null;
  if (event.key === 'ArrowDown') next = shown[at + 1];
  else if (event.key === 'ArrowUp') next = shown[at - 1];
  else if (event.key === 'Home') [next] = shown;
  else if (event.key === 'End') next = shown.at(-1);
  else if (event.key === 'ArrowRight' && open === 'false') toggle(node, true);
  else if (event.key === 'ArrowRight' && open) next = shown[at + 1];
  else if (event.key === 'ArrowLeft' && open === 'true') toggle(node, false);
  else if (event.key === 'ArrowLeft') next = node.parentElement.closest('[role=treeitem]');
  else if (event.key === 'Enter' || event.key === ' ') location.hash = node.dataset.hash;
  else return;
  event.preventDefault();
  if (next) { choose(next); next.focus(); }
}
