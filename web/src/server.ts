// The local server, if there is one: its interpreters, and the files of its folder.
import type { Compiler } from './model';

const KEPT = 'coscope-token';

export const served = document.documentElement.hasAttribute('data-server');

let token: string | null = null;

/** Take the token out of the address, so that no copied link gives it away. */
export function takeToken(): void {
  const found = /[#&]token=([\w-]+)/.exec(location.hash);
  if (found) {
    token = found[1];
    sessionStorage.setItem(KEPT, token);
    const rest = location.hash.replace(found[0], '').replace(/^&/, '#');
    history.replaceState(null, '', location.pathname + location.search + (rest === '#' ? '' : rest));
  } else if (served) token = sessionStorage.getItem(KEPT);
}

export interface Hello {
  interpreters: { name: string; version: string; release: string }[];
  folder: string | null;
  first: string | null;
  files: Record<string, string>; // when each changed, by path
  state: string;
}

async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const response = await fetch(new URL(path, document.baseURI), {
    ...options,
    headers: { 'x-coscope-token': token ?? '' },
  });
  if (!response.ok) {
    const text = await response.text();
    let why = text.trim();
    try {
      why = JSON.parse(text).error;
    } catch {
      /* not JSON */
    }
    throw new Error(why);
  }
  return response;
}

export const hello = async (): Promise<Hello> => (await ask('api/hello')).json();

export const compilersOf = (given: Hello): Compiler[] =>
  given.interpreters.map((each) => ({
    id: `native:${each.name}`, version: each.version, release: each.release, native: true,
  }));

export type Compiled = { data: Uint8Array } | { reason: string; detail: string };

export async function compile(compiler: Compiler, text: string, name: string): Promise<Compiled> {
  const python = encodeURIComponent(compiler.id.slice('native:'.length));
  const path = `api/compile?python=${python}&name=${encodeURIComponent(name)}`;
  const response = await ask(path, { method: 'POST', body: text });
  if (response.headers.get('content-type')?.startsWith('application/json')) return response.json();
  return { data: new Uint8Array(await response.arrayBuffer()) };
}

export async function source(path: string): Promise<{ text: string; changed: number }> {
  return (await ask(`api/file?path=${encodeURIComponent(path)}`)).json();
}

export async function bytes(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await ask(`api/file?path=${encodeURIComponent(path)}`)).arrayBuffer());
}

/** Wait until the files are no longer those of a state. */
export const changes = async (state: string): Promise<Pick<Hello, 'files' | 'state'>> =>
  (await ask(`api/changes?state=${state}`)).json();
