// Text -> document: who compiles, who analyses, and what happens when one of them dies.
import { Compiler, Document, Failure, emit, show, shown, state } from './model';
import { say } from './dom';
import { ANALYST, Died, analyst, bare } from './workers';
import * as server from './server';

export const compilers: Compiler[] = [];

export const compilerOf = (id: string): Compiler | undefined => compilers.find((each) => each.id === id);

/** Compiled bytes of a file that has no text, by its slot. */
export const held = { data: null as Uint8Array | null, mtime: 0 };

export const timing = { opened: 0, viewed: 0, rendered: 0, total: 0, runs: 0 };

/** Open the text, as one version compiles it, in a slot of the analyst named after the compiler. */
async function open(compiler: Compiler, text: string): Promise<any> {
  const slot = compiler.id;
  if (held.data !== null) {
    const source = text === '' ? undefined : text;
    return parse(analyst().ask('coscope_page.open_pyc', [slot, held.data, state.name, source, held.mtime]));
  }
  if (!compiler.native && compiler.version === ANALYST)
    return parse(analyst().ask('coscope_page.open_text', [slot, text, state.name]));
  let made: { data: Uint8Array } | { reason: string; detail: string };
  if (compiler.native) made = await server.compile(compiler, text, state.name);
  else {
    const [kind, value] = await bare(compiler.version).ask('coscope_compiler.compile_text', [text, state.name]);
    made = kind === 'code' ? { data: value } : { reason: kind, detail: value };
  }
  if ('reason' in made)
    return parse(analyst().ask('coscope_page.refuse', [slot, state.name, made.reason, made.detail]));
  const given = [slot, text, state.name, made.data, compiler.version, compiler.release];
  return parse(analyst().ask('coscope_page.open_marshalled', given));
}

const parse = async (answer: Promise<string>): Promise<any> => JSON.parse(await answer);

/** What each slot of the analyst holds now, so that a change of view compiles nothing. */
const opened = new Map<string, { text: string; analyst: unknown; data: unknown; failure: Failure | null }>();

export async function ensure(compiler: Compiler, text: string): Promise<Failure | null> {
  const known = opened.get(compiler.id);
  if (known && known.text === text && known.analyst === analyst() && known.data === held.data && !analyst().dead)
    return known.failure;
  opened.delete(compiler.id);
  const answer = await open(compiler, text);
  const failure: Failure | null = answer.error ?? null;
  opened.set(compiler.id, { text, analyst: analyst(), data: held.data, failure });
  return failure;
}

export async function view(compiler: Compiler, key: string | null): Promise<Document> {
  return parse(analyst().ask('coscope_page.view', [compiler.id, key ?? undefined]));
}

/** The whole text as one file: a report in HTML, or the document. */
export async function wholeDocument(form = 'html'): Promise<string> {
  const compiler = compilerOf(state.compiler)!;
  const failure = await ensure(compiler, state.text);
  if (failure) throw new Error(failure.message);
  const answer: string = await analyst().ask('coscope_page.whole', [compiler.id, form]);
  const found = JSON.parse(answer);
  if (found.error) throw new Error(found.error.message);
  return form === 'json' ? answer : found;
}

export interface Explained {
  sentence: string; argument: string; takes: string[]; leaves: string[]; since: string; until: string;
  forms: [string, string][];
}

const explained = new Map<string, Explained>();

/** What an opcode does in a version, in plain words; asked once. */
export async function explain(name: string, version: string): Promise<Explained | null> {
  const known = explained.get(`${version} ${name}`);
  if (known) return known;
  const found = await parse(analyst().ask('coscope_page.explain', [name, version]));
  if (found.error) return null;
  explained.set(`${version} ${name}`, found);
  return found;
}

export async function differences(one: Compiler, other: Compiler): Promise<any> {
  return parse(analyst().ask('coscope_page.differences', [one.id, other.id]));
}

let wanted = 0;
let running: Promise<void> | null = null;

/** Show the text anew; many wishes while one is being met become one. */
export function refresh(): Promise<void> {
  wanted++;
  running ??= (async () => {
    let done = 0;
    while (done !== wanted) {
      done = wanted;
      try {
        await once(() => done !== wanted);
      } catch (error) {
        failed(error as Error);
        timing.runs++;
      }
    }
  })().finally(() => (running = null));
  return running;
}

/** Documents of code objects of the shown text, by key; emptied when the text changes. */
const kept = new Map<string, Document>();
let keptFor: unknown = null;

export async function documentOf(key: string): Promise<Document | null> {
  const compiler = compilerOf(state.compiler);
  if (!compiler || (await ensure(compiler, state.text)) !== null) return null;
  const version = opened.get(compiler.id);
  if (keptFor !== version) kept.clear();
  keptFor = version;
  const found = kept.get(key) ?? (await view(compiler, key));
  kept.set(key, found);
  return found;
}

/** Show a code object whose document is at hand, at once. */
export function showDocument(key: string, offset: number): void {
  const found = kept.get(key);
  if (!found || found.error !== null) return;
  state.key = key;
  state.value = null;
  state.offset = offset;
  show(found);
  emit('document', 'step');
}

async function once(outdated: () => boolean): Promise<void> {
  const start = performance.now();
  const compiler = compilerOf(state.compiler) ?? compilers[0];
  const text = state.text;
  const failure = await ensure(compiler, text);
  timing.opened = performance.now() - start;
  if (outdated() && state.text !== text) return;
  if (failure !== null) {
    shown.failure = failure;
    shown.findings = [];
    emit('failure');
    emit('findings');
    say(failure.message, 'error');
  } else {
    const key = state.key;
    const document = await view(compiler, key);
    timing.viewed = performance.now() - start;
    if (outdated() && (state.key !== key || state.text !== text)) return; // it is asked for anew
    if (document.error !== null) throw new Error(document.error.message);
    show(document);
    emit('document');
    say(told());
    timing.rendered = performance.now() - start;
    if (!outdated()) {
      const found = await parse(analyst().ask('coscope_page.findings', [compiler.id]));
      if (Array.isArray(found) && !outdated()) {
        shown.findings = found;
        emit('findings');
      }
    }
  }
  timing.total = performance.now() - start;
  timing.runs++;
}

/** The line at the foot of the page. */
function told(): string {
  const code = shown.code;
  if (!code) return '';
  const count = shown.codes.length;
  return `CPython ${code.release ?? code.version}: ${count} code object${count === 1 ? '' : 's'}; ` +
    `${code.qualname}, ${code.bytes} bytes, ${code.instruction_count} instructions`;
}

function failed(error: Error): void {
  if (!(error instanceof Died)) {
    shown.failure = { type: 'Error', message: error.message.trim().split('\n').pop() ?? '' };
  } else {
    const deep = /call stack|recursion|memory access out of bounds/i.test(error.message);
    const message = deep
      ? 'The source is nested too deeply for the compiler in the browser. Its interpreter ended; another one took its place.'
      : `The interpreter ended: ${error.message}. Another one took its place.`;
    shown.failure = { type: 'SourceError', message };
    analyst(); // the spare steps in now
  }
  shown.findings = [];
  emit('failure');
  emit('findings');
  say(shown.failure.message, 'error');
}
