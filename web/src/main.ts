// The page: puts its parts together.
import { $, el, say } from './dom';
import { emit, on, select, shown, state } from './model';
import { compilers, compilerOf, refresh, timing } from './analysis';
import { counts, keepSpare } from './workers';
import { EXAMPLES, Example } from './examples';
import { edit, makeEditor, setText } from './editor';
import { makeListing } from './bytecode';
import { makeInstruction } from './instruction';
import { makeTree } from './tree';
import { makeFacts } from './facts';
import { makeGraph, makeZoomButtons } from './graph';
import { makePanes } from './panes';
import * as server from './server';

function themes(): void {
  const kept = localStorage.getItem('coscope-theme');
  if (kept) document.documentElement.dataset.theme = kept;
  $('#theme').addEventListener('click', () => {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === 'dark'
      : matchMedia('(prefers-color-scheme: dark)').matches;
    const next = dark ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    localStorage.setItem('coscope-theme', next);
  });
}

function card(): void {
  const code = shown.code;
  const stack = shown.detail?.stack;
  $('#card').textContent = code && stack
    ? `${code.qualname.replace('.<locals>', '')} · ${code.bytes} bytes · stack ${stack.needed ?? '?'} of ${stack.declared} · ${code.flags.names.join(' ')}`
    : '';
}

function failure(): void {
  const box = $('#failure');
  box.hidden = shown.failure === null;
  box.textContent = shown.failure === null ? '' : [shown.failure.message, shown.failure.hint].filter(Boolean).join('\n');
}

let wish = 0;

/** Show another code object, and then do something with it, unless another wish came meanwhile. */
async function chooseCode(given: { key?: string; then?: () => void }): Promise<void> {
  const mine = ++wish;
  if (given.key && (given.key !== state.key || given.key !== shown.code?.key)) {
    if (given.key !== shown.code?.key) {
      state.offset = null;
      state.value = null;
    }
    state.key = given.key;
    await refresh();
  }
  if (mine === wish && (!given.key || given.key === shown.code?.key)) given.then?.();
}

async function openExample(example: Example): Promise<void> {
  state.key = example.key ?? null;
  state.offset = null;
  state.value = null;
  state.call = example.call;
  state.name = 'input.py';
  setText(example.text);
  $('#question').hidden = false;
  $('#question').textContent = example.question;
  await refresh();
}

async function versions(): Promise<void> {
  const built = await (await fetch('build.json')).json();
  for (const [version, release] of Object.entries(built.releases) as [string, string][])
    compilers.push({ id: version, version, release, native: false });
  if (server.served) {
    try {
      const given = await server.hello();
      compilers.push(...server.compilersOf(given));
      files = given;
    } catch (error) {
      say((error as Error).message, 'error');
    }
  }
  compilers.sort((a, b) => Number(a.version.slice(2)) - Number(b.version.slice(2)) || Number(a.native) - Number(b.native));
  const chooser = $<HTMLSelectElement>('#compiler');
  chooser.replaceChildren(...compilers.map((each) =>
    el('option', { value: each.id, selected: each.id === state.compiler }, `${each.release}${each.native ? ' native' : ''}`)));
  chooser.addEventListener('change', () => {
    state.compiler = chooser.value;
    const compiler = compilerOf(state.compiler);
    say(`CPython ${compiler?.release} starts…`);
    void refresh();
  });
  emit('compilers');
}

let files: server.Hello | null = null;

async function start(): Promise<void> {
  server.takeToken();
  themes();
  makePanes();
  makeEditor(() => void refresh());
  makeTree();
  makeListing();
  makeInstruction();
  makeFacts();
  makeGraph();
  makeZoomButtons();
  on('document', () => { card(); failure(); });
  on('failure', failure);
  on('text', chooseCode);
  const chooser = $<HTMLSelectElement>('#examples');
  chooser.append(...EXAMPLES.map((each, at) => el('option', { value: at }, each.name)));
  chooser.addEventListener('change', () => chooser.value && openExample(EXAMPLES[Number(chooser.value)]));
  await versions();
  await openExample(EXAMPLES[0]);
  document.body.dataset.ready = '';
  setTimeout(keepSpare, 1500);
}

// For tests and benchmarks: what the page did, and how long it took.
Object.assign(window, { coscope: { state, shown, timing, counts, select, setText, edit, refresh } });

void start();
