// The page: puts its parts together.
import { $, el, say } from './dom';
import { emit, on, select, shown, state } from './model';
import { compilers, compilerOf, held, refresh, timing } from './analysis';
import { analyst, counts, keepSpare } from './workers';
import { EXAMPLES, Example } from './examples';
import { edit, makeEditor, readOnly, setText } from './editor';
import { makeListing } from './bytecode';
import { makeInstruction } from './instruction';
import { makeTree } from './tree';
import { makeFacts } from './facts';
import { makeGraph, makeZoomButtons } from './graph';
import { PANES, arrange, chooseTab, makePanes } from './panes';
import { makeShare, markdown, remember, stateInAddress } from './share';
import { go, makeRun, recordings, resetRun, steps } from './run';
import { chooseVersions, makeVersions } from './versions';
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
    ? `${code.qualname.replaceAll('.<locals>', '')} · ${code.bytes} bytes · stack ${stack.needed ?? '?'} of ${stack.declared} · ${code.flags.names.join(' ')}`
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

interface Opened { text: string; name: string; key?: string | null; call?: string; question?: string; others?: string[]; pyc?: Uint8Array; changed?: number; path?: string }

/** Show another text, or another file. */
async function openText(given: Opened): Promise<void> {
  state.key = given.key ?? null;
  state.offset = null;
  state.value = null;
  state.call = given.call ?? '';
  state.name = given.name;
  held.data = given.pyc ?? null;
  held.mtime = given.changed ?? 0;
  setText(given.text);
  onDisk = { path: given.path ?? '', text: state.text };
  readOnly(given.pyc !== undefined);
  resetRun();
  $('#question').hidden = !given.question;
  $('#question').textContent = given.question ?? '';
  if (given.others) chooseVersions(given.others);
  await refresh();
}

const openExample = (each: Example): Promise<void> =>
  openText({ ...each, name: 'input.py', others: each.others ?? [] }).then(() => chooseTab(each.tab ?? state.tab));

async function openState(): Promise<boolean> {
  const kept = await stateInAddress();
  if (!kept) return false;
  const compiler = compilers.find((each) => each.id === kept.v) ?? compilers.find((each) => each.version === kept.v);
  if (compiler) state.compiler = compiler.id;
  $<HTMLSelectElement>('#compiler').value = state.compiler;
  state.hidden = (kept.h ?? []).filter((name) => name in PANES);
  if (kept.b && kept.b in PANES) state.tab = kept.b;
  arrange();
  const others = (kept.w ?? []).flatMap((version) => compilers.find((each) => each.id === version)?.id ?? []);
  await openText({ text: kept.t, name: kept.n ?? 'input.py', key: kept.k, call: kept.c, others });
  if (kept.o !== null && kept.o !== undefined && shown.at.has(kept.o))
    select(kept.o, kept.s !== null && kept.s !== undefined && shown.at.get(kept.o)!.stack?.[kept.s] ? { offset: kept.o, slot: kept.s } : null);
  return true;
}

async function versions(): Promise<server.Hello | null> {
  const built = await (await fetch('build.json')).json();
  for (const [version, release] of Object.entries(built.releases) as [string, string][])
    compilers.push({ id: version, version, release, native: false });
  let given: server.Hello | null = null;
  if (server.served) {
    try {
      given = await server.hello();
      compilers.push(...server.compilersOf(given));
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
    say(`CPython ${compilerOf(state.compiler)?.release} starts…`);
    void refresh();
  });
  emit('compilers');
  return given;
}

/** Open a file of the server's folder, or one that the user chose or dropped here. */
async function openFile(path: string, read: Reader, onServer = true): Promise<void> {
  const place = onServer ? path : '';
  if (/\.pyc$/.test(path)) {
    const found = await read.bytes(path);
    const source = await read.source(sourceOf(path)).catch(() => null);
    await openText({ text: source?.text ?? '', name: path, pyc: found, changed: source?.changed, path: place });
  } else {
    const found = await read.source(path);
    await openText({ text: found.text, name: path, path: place });
  }
}

type Reader = Pick<typeof server, 'bytes' | 'source'>;

/** Where the source of a .pyc is, by the layout of folders. */
const sourceOf = (path: string): string =>
  path.replace(/(^|\/)__pycache__\/([^/]+?)\.[\w-]+(\.opt-\d)?\.pyc$/, '$1$2.py').replace(/\.pyc$/, '.py');

let onDisk = { path: '', text: '' };

function listFiles(files: string[]): void {
  const chooser = $<HTMLSelectElement>('#files');
  $('#files-label').hidden = !files.length;
  chooser.replaceChildren(el('option', { value: '' }, 'choose…'), ...files.map((path) => el('option', { value: path, selected: path === onDisk.path }, path)));
}

async function useFolder(given: server.Hello): Promise<void> {
  listFiles(Object.keys(given.files));
  const chooser = $<HTMLSelectElement>('#files');
  const opening = (path: string) => openFile(path, server).catch((error: Error) => say(error.message, 'error'));
  chooser.addEventListener('change', () => chooser.value && opening(chooser.value));
  void (async () => {
    let before: Pick<server.Hello, 'files' | 'state'> = given;
    for (;;) {
      try {
        const found = await server.changes(before.state);
        const changed = (path: string) => before.files[path] !== found.files[path];
        const reread = onDisk.path !== '' && (changed(onDisk.path) || changed(sourceOf(onDisk.path)));
        before = found;
        listFiles(Object.keys(found.files));
        if (reread) {
          if (state.text === onDisk.text) {
            const kept = state.key;
            await opening(onDisk.path);
            emit('text', { key: shown.codes.some((code) => code.key === kept) ? kept : undefined });
            say(`${onDisk.path} changed on disk, and was read again.`);
          } else say(`${onDisk.path} changed on disk. You edited it here: choose it again to read it.`);
        }
      } catch {
        say('The server has ended. The page goes on without its interpreters and files.', 'error');
        await new Promise((resolve) => setTimeout(resolve, 5000));
      }
    }
  })();
}

/** Files from the user's own disk, which no server sees. */
function localFiles(): void {
  const open = async (file: File) => {
    const read: Reader = {
      bytes: async () => new Uint8Array(await file.arrayBuffer()),
      source: async (path) => {
        if (path !== file.name) throw new Error('not at hand');
        return { text: await file.text(), changed: 0 };
      },
    };
    if (file.size > 4_000_000) return say(`${file.name} is too large for the page.`, 'error');
    await openFile(file.name, read, false);
  };
  const chooser = $<HTMLInputElement>('#local-file');
  chooser.addEventListener('change', () => chooser.files?.[0] && open(chooser.files[0]));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    void open(file);
  });
}

function offline(): void {
  // The local server is there whenever it is needed; its port is another one each time.
  if (!server.served && 'serviceWorker' in navigator) navigator.serviceWorker.register('sw.js').catch(() => {});
}

async function start(): Promise<void> {
  server.takeToken();
  analyst(); // it boots while the page is put together
  themes();
  makePanes();
  makeEditor(() => void refresh());
  makeTree();
  makeListing();
  makeInstruction();
  makeFacts();
  makeGraph();
  makeZoomButtons();
  makeRun();
  makeVersions();
  makeShare();
  localFiles();
  on('document', () => { card(); failure(); remember(); });
  on('failure', () => { failure(); remember(); });
  on('text', chooseCode);
  for (const topic of ['selection', 'panes'] as const) on(topic, remember);
  const chooser = $<HTMLSelectElement>('#examples');
  chooser.append(...EXAMPLES.map((each, at) => el('option', { value: at }, each.title)));
  chooser.addEventListener('change', () => chooser.value && openExample(EXAMPLES[Number(chooser.value)]));
  const given = await versions();
  if (given) void useFolder(given);
  if (!(await openState())) {
    if (given?.first) await openFile(given.first, server);
    else await openExample(EXAMPLES[0]);
  }
  addEventListener('hashchange', () => void openState());
  document.body.dataset.ready = '';
  setTimeout(keepSpare, 1500);
  offline();
}

/** Milliseconds of `dis` over a text in the analyst's interpreter, for bench/page.mjs. */
const measure = async (text: string): Promise<number[]> => analyst().ask('coscope_compiler.dis_times', [text]);

// For tests and benchmarks: what the page did, and how long it took.
Object.assign(window, { coscope: { state, shown, timing, counts, select, setText, edit, refresh, go, steps, recordings, examples: EXAMPLES, markdown, on, measure } });

void start();
