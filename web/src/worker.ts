// One interpreter. It is told what it is by its first message, and ends by `terminate`.
//
// An analyst holds coscope; a compiler is a bare CPython. A runner is either one, disarmed: the
// user's code runs in it, and finds neither network nor storage.
declare const COMPILER: string;
declare const RECORDER: string;

export interface Boot {
  kind: 'boot';
  base: string; // URL of the page's folder
  version: string; // "3.14": names the folder of its Pyodide
  analyst: boolean;
  snapshot: boolean; // take the snapshot of memory, if it works here
}

export interface Ask {
  kind: 'ask';
  id: number;
  function: string;
  args: unknown[];
}

let python: any;

async function inflated(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status}`);
  const bytes = response.body.pipeThrough(new DecompressionStream('gzip'));
  return new Response(bytes).arrayBuffer();
}

const PAGE = 65536; // bytes, of a WebAssembly memory

/**
 * Give the next interpreter at least this much memory. Pyodide copies a snapshot into the memory
 * that an interpreter begins with, which has room for little more than Python itself.
 */
function enlarge(bytes: number): () => void {
  const { instantiate, instantiateStreaming } = WebAssembly;
  const grown = (made: any): any => {
    const memory = (made.instance ?? made).exports.memory;
    if (memory instanceof WebAssembly.Memory && memory.buffer.byteLength < bytes)
      memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / PAGE));
    return made;
  };
  const wrapped = (original: any) => async (...given: unknown[]) => grown(await original.apply(WebAssembly, given));
  WebAssembly.instantiate = wrapped(instantiate);
  WebAssembly.instantiateStreaming = wrapped(instantiateStreaming);
  return () => Object.assign(WebAssembly, { instantiate, instantiateStreaming });
}

async function boot(given: Boot): Promise<{ snapshot: boolean }> {
  const index = `${given.base}pyodide/${given.version}/`;
  const options: Record<string, unknown> = { indexURL: index, fullStdLib: false };
  const { loadPyodide } = await import(/* @vite-ignore */ `${index}pyodide.mjs`);
  if (given.analyst && given.snapshot) {
    try {
      const held = await inflated(`${given.base}snapshot.bin.gz`);
      const restore = enlarge(held.byteLength);
      python = await loadPyodide({ ...options, _loadSnapshot: held }).finally(restore);
      python.runPython('import coscope_page, coscope_recorder, coscope_compiler');
      base = given.base;
      return { snapshot: true };
    } catch (error) {
      console.warn('no snapshot of memory:', String(error).slice(0, 300));
    }
  }
  python = await loadPyodide(options);
  if (given.analyst) {
    await unpack(given.base);
    python.runPython('import coscope_page, coscope_recorder, coscope_compiler');
  } else {
    python.globals.set('given', python.toPy({ coscope_compiler: COMPILER, coscope_recorder: RECORDER }));
    python.runPython(
      'import sys, types\n' +
        'for name, text in given.items():\n' +
        '    module = types.ModuleType(name)\n' +
        '    sys.modules[name] = module\n' +
        '    exec(compile(text, name + ".py", "exec"), vars(module))\n' +
        'del given, name, text, module\n',
    );
  }
  return { snapshot: false };
}

async function unpack(from: string): Promise<void> {
  const held = await (await fetch(`${from}coscope.zip`)).arrayBuffer();
  python.unpackArchive(held, 'zip', { extractDir: '/lib/python3.14/site-packages' });
}

let base: string | null = null; // where the files are that a snapshot of memory does not hold

// What a user's program could reach the outside or the origin's storage with.
const ARMS = [
  'fetch', 'XMLHttpRequest', 'WebSocket', 'WebSocketStream', 'EventSource', 'WebTransport', 'caches',
  'indexedDB', 'Worker', 'SharedWorker', 'BroadcastChannel', 'MessageChannel', 'importScripts',
  'navigator', 'cookieStore', 'Notification', 'webkitRequestFileSystem',
  'webkitResolveLocalFileSystemURL', 'RTCPeerConnection',
];

function disarm(): void {
  for (let at: any = self; at; at = Object.getPrototypeOf(at))
    for (const name of ARMS) {
      try {
        delete at[name];
      } catch {
        /* not configurable: hidden below */
      }
    }
  for (const name of ARMS) {
    try {
      Object.defineProperty(self, name, { value: undefined, configurable: false, writable: false });
    } catch {
      /* it cannot be hidden; the policy of the page still forbids other hosts */
    }
  }
}

function answer(given: Ask): unknown {
  const [module, name] = given.function.split('.');
  const target = python.pyimport(module);
  const args = given.args.map((each) => each ?? undefined);
  const found = target[name](...args);
  target.destroy();
  if (found && typeof found === 'object' && typeof found.toJs === 'function') {
    const plain = found.toJs();
    found.destroy();
    return plain;
  }
  return found;
}

self.onmessage = async ({ data }: MessageEvent) => {
  if (data.kind === 'boot') {
    const start = performance.now();
    try {
      const made = await boot(data);
      const release = python.runPython('import coscope_compiler\ncoscope_compiler.release()');
      self.postMessage({ kind: 'ready', ...made, release, ms: performance.now() - start });
    } catch (error) {
      self.postMessage({ kind: 'failed', message: String(error).slice(-600) });
    }
    return;
  }
  try {
    if (data.kind === 'disarm') return disarm();
    const start = performance.now();
    let value;
    try {
      value = answer(data);
    } catch (error: any) {
      if (base === null || !/ModuleNotFoundError|FileNotFoundError/.test(error?.message)) throw error;
      await unpack(base); // a module or a table that was not needed before
      base = null;
      value = answer(data);
    }
    self.postMessage({ kind: 'answer', id: data.id, value, ms: performance.now() - start });
  } catch (error: any) {
    const text = String(error?.message ?? error).trim();
    // Pyodide is dead after a JavaScript error such as an exhausted stack, alive after a Python one.
    const alive = error?.name === 'PythonError';
    self.postMessage({ kind: alive ? 'error' : 'died', id: data.id, message: text.slice(-600) });
  }
};
