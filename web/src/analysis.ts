// Text -> document: who compiles, who analyses, and what happens when one of them dies.
import { Compiler, Document, Failure, emit, show, shown, state } from './model';
import { say } from './dom';
import { ANALYST, Died, analyst, bare, keepSpare } from './workers';
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
      }
    }
  })().finally(() => (running = null));
  return running;
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
    setTimeout(keepSpare, 500);
  }
  shown.findings = [];
  emit('failure');
  emit('findings');
  say(shown.failure.message, 'error');
}
