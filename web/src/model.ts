// The document of coscope, as far as the page reads it (docs/schema.md), and what the page knows.

export interface Instruction {
  offset: number;
  opname: string;
  sort: string;
  pops: number;
  pushes: number;
  arg: number | null;
  argrepr: string;
  line: number | null;
  positions: (number | null)[] | null;
  block: string;
  jump: string | null;
  stack: string[] | null;
  producers?: number[][] | null;
  kinds?: string[] | null;
  source: string | null;
}
export interface Edge { kind: string; target: string; label: string | null; back: boolean }
export interface Block {
  name: string; start: number; stop: number; reachable: boolean; loop_head: boolean;
  line: number | null; last_line: number | null; edges: Edge[];
  steps: { offset: number; line: number | null; text: string }[];
}
export interface Region {
  start: number; stop: number; target: number; depth: number; lasti: boolean; handler: string;
}
export interface User { code: string; lines: number[] }
export interface Cells {
  own: { name: string; slot: number; parameter: boolean; captured_by: string[]; readers: User[]; writers: User[]; note: string | null }[];
  free: { name: string; index: number; owner: string | null; readers: User[]; writers: User[]; note: string | null }[];
}
export interface Name { name: string; access: string[]; offsets: number[]; binding: string | null }
export interface Detail {
  stack: { needed: number | null; declared: number };
  locals: { slot: number; name: string; kind: string; default: { type: string; text: string } | null; cell: boolean }[];
  cells: Cells;
  names: Record<string, Name[]>;
  constants: { index: number; type: string; text: string; offsets: number[]; docstring: boolean }[];
  instructions: Instruction[];
  blocks: Block[];
  loops: { head: string; blocks: string[]; depth: number }[];
  regions: Region[];
  inlined: { kind: string; line: number | null; offset: number; names: string[]; source: string | null }[];
  warnings: string[];
}
export interface Code {
  index: number; key: string; parent: number | null; name: string; qualname: string; kind: string;
  first_line: number; last_line: number; version: string; release: string | null;
  flags: { value: number; names: string[] }; bytes: number; instruction_count: number;
  cellvars: string[]; freevars: string[]; detail: Detail | null;
}
export interface Finding {
  rule: string; title: string; message: string; severity: string; confidence: string; code: string;
  positions: (number | null)[] | null; offset: number | null;
  evidence: { text: string; offset: number | null; line: number | null }[];
  why: string; instead: string;
}
export interface Failure { type: string; message: string; what?: string; line?: number | null; column?: number | null; hint?: string | null; found?: unknown }
export interface Document {
  codes: Code[]; error: Failure | null; warnings: string[];
}

/** A version that can compile: a Pyodide of the page, or an interpreter of the server. */
export interface Compiler {
  id: string; // "3.14" in the browser, "native:3.13.0" of the server
  version: string;
  release: string;
  native: boolean;
}

/** Which value on the stack: of the instruction at the offset, counted from the bottom. */
export interface ValueAt { offset: number; slot: number }

export const state = {
  text: '',
  name: 'input.py',
  compiler: '3.14',
  others: [] as string[], // compilers beside it in the versions pane
  key: null as string | null,
  offset: null as number | null,
  value: null as ValueAt | null,
  call: '',
  hidden: [] as string[], // panes
  tab: 'graph',
};

export type Topic =
  | 'document' | 'selection' | 'hover' | 'findings' | 'panes' | 'compilers' | 'failure' | 'step' | 'text';

const listeners = new Map<Topic, ((given: any) => void)[]>();

export function on(topic: Topic, listener: (given: any) => void): void {
  listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
}

export function emit(topic: Topic, given?: unknown): void {
  for (const listener of listeners.get(topic) ?? []) listener(given);
}

/** What the page shows: all code objects, and the card of the chosen one. */
export const shown = {
  codes: [] as Code[],
  code: null as Code | null,
  detail: null as Detail | null,
  failure: null as Failure | null,
  findings: [] as Finding[],
  at: new Map<number, Instruction>(), // by offset
  index: new Map<number, number>(), // row by offset
  starts: new Map<string, number>(), // first offset by block
};

export function show(document: Document): void {
  shown.failure = document.error;
  shown.codes = document.codes;
  shown.code = document.codes.find((code) => code.detail) ?? null;
  shown.detail = shown.code?.detail ?? null;
  state.key = shown.code?.key ?? state.key;
  const instructions = shown.detail?.instructions ?? [];
  shown.at = new Map(instructions.map((each) => [each.offset, each]));
  shown.index = new Map(instructions.map((each, row) => [each.offset, row]));
  shown.starts = new Map(shown.detail?.blocks.map((block) => [block.name, block.start]) ?? []);
  if (state.offset !== null && !shown.at.has(state.offset)) state.offset = null;
  if (state.value !== null && !shown.at.get(state.value.offset)?.stack?.[state.value.slot]) state.value = null;
  takers = null;
}

/** Select an instruction, or nothing; the topic says to everybody. */
export function select(offset: number | null, value: ValueAt | null = null, from = ''): void {
  state.offset = offset;
  state.value = value;
  emit('selection', from);
}

/** The offsets that made the value: the instructions that pushed it. */
export function makers(value: ValueAt): number[] {
  return shown.at.get(value.offset)?.producers?.[value.slot] ?? [];
}

let takers: Map<string, number[]> | null = null;

/** The offsets that take a value which these made: they pop a slot that holds it. */
export function takersOf(value: ValueAt): number[] {
  if (takers === null) {
    takers = new Map();
    for (const each of shown.detail?.instructions ?? []) {
      const held = each.producers ?? [];
      if (MOVES.test(each.opname)) continue; // the value stays on the stack
      for (const made of held.slice(Math.max(0, held.length - each.pops))) {
        for (const maker of made) {
          const known = takers.get(String(maker)) ?? [];
          if (known[known.length - 1] !== each.offset) known.push(each.offset);
          takers.set(String(maker), known);
        }
      }
    }
  }
  const found = new Set<number>();
  for (const maker of makers(value)) for (const taker of takers.get(String(maker)) ?? []) found.add(taker);
  return [...found].sort((a, b) => a - b);
}

const MOVES = /^(SWAP|COPY|ROT_|DUP_TOP)/;

/** True if two stack slots hold a value of the same making. */
export function sameValue(one: number[], other: number[]): boolean {
  return one.length > 0 && one.length === other.length && one.every((each, at) => each === other[at]);
}
