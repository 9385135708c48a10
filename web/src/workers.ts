// Interpreters in workers: one analyst, a spare, and a compiler for each other version.
//
// Whatever ends an interpreter ends its worker only: the next question goes to the spare.
import type { Boot } from './worker';

export const base = new URL('.', document.baseURI).href.replace(/[?#].*$/, '');

export class Died extends Error {}

interface Pending { resolve: (value: any) => void; reject: (error: Error) => void; timer: number }

export class Interpreter {
  readonly worker: Worker;
  readonly ready: Promise<{ release: string; snapshot: boolean; ms: number }>;
  private pending = new Map<number, Pending>();
  private next = 0;
  private booting!: { resolve: (value: any) => void; reject: (error: Error) => void };
  dead = false;

  constructor(version: string, analyst: boolean) {
    this.ready = new Promise((resolve, reject) => (this.booting = { resolve, reject }));
    this.ready.catch(() => {});
    this.worker = new Worker(`${base}worker.js`, { type: 'module' });
    this.worker.onmessage = ({ data }) => this.heard(data);
    this.worker.onerror = (event) => this.end(event.message || 'the worker does not start');
    const boot: Boot = { kind: 'boot', base, version, analyst, snapshot: !noSnapshot };
    this.worker.postMessage(boot);
  }

  private heard(data: any): void {
    if (data.kind === 'ready') return this.booting.resolve(data);
    if (data.kind === 'failed') return this.end(data.message);
    const waiting = this.pending.get(data.id);
    this.pending.delete(data.id);
    if (data.kind === 'died') this.end(data.message, waiting);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    if (data.kind === 'answer') waiting.resolve(data.value);
    else if (data.kind === 'error') waiting.reject(new Error(data.message));
    else waiting.reject(new Died(data.message));
  }

  /** Call a function of a module in the interpreter; it is ended if it takes too long. */
  async ask(name: string, args: unknown[], seconds = 20): Promise<any> {
    await this.ready;
    if (this.dead) throw new Died('it has ended');
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => this.end(`no answer in ${seconds} seconds`), seconds * 1000);
      this.pending.set(id, { resolve, reject, timer });
      this.worker.postMessage({ kind: 'ask', id, function: name, args });
    });
  }

  /** Take network and storage away from whatever runs in it from now on. */
  async disarm(): Promise<void> {
    await this.ready;
    this.worker.postMessage({ kind: 'disarm' });
  }

  end(why = 'ended', except?: Pending): void {
    if (this.dead) return;
    this.dead = true;
    this.worker.terminate();
    this.booting.reject(new Died(why));
    for (const waiting of this.pending.values())
      if (waiting !== except) {
        clearTimeout(waiting.timer);
        waiting.reject(new Died(why));
      }
    this.pending.clear();
  }
}

export const noSnapshot = new URLSearchParams(location.search).has('no-snapshot');
export const ANALYST = '3.14';

let current: Interpreter | null = null;
let spare: Interpreter | null = null;
let restarts = 0;

/** The analyst that answers now. */
export function analyst(): Interpreter {
  if (current === null || current.dead) {
    if (current !== null) {
      restarts++;
      setTimeout(keepSpare, 500); // whoever noticed, another spare boots
    }
    current = spare !== null && !spare.dead ? spare : new Interpreter(ANALYST, true);
    if (current === spare) spare = null;
  }
  return current;
}

/** Boot a spare, so that the next question after a failure is answered at once. */
export function keepSpare(): void {
  if (spare === null || spare.dead) spare = new Interpreter(ANALYST, true);
}

/** The spare, for a program of the user; another one takes its place. */
export function takeSpare(): Interpreter {
  const taken = spare !== null && !spare.dead ? spare : new Interpreter(ANALYST, true);
  spare = null;
  setTimeout(keepSpare, 2000);
  return taken;
}

export const counts = () => ({ restarts, spare: spare !== null && !spare.dead });

const compilers = new Map<string, Interpreter>();

/** The bare interpreter of a version. */
export function bare(version: string): Interpreter {
  let found = compilers.get(version);
  if (!found || found.dead) {
    found = new Interpreter(version, false);
    compilers.set(version, found);
  }
  return found;
}
