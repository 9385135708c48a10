// Run and step: a call of the user's function, in a worker, played back instruction by instruction.
import { $, el, say, svg } from './dom';
import { select, shown, state } from './model';
import { compilerOf, documentOf, refresh, showDocument } from './analysis';
import { ANALYST, Died, Interpreter, takeSpare } from './workers';

type Links = [string, number][] | null;
type Change =
  | ['local', number, string, string | null, Links]
  | ['cell', number, string, number]
  | ['content', number, string | null]
  | ['return' | 'yield' | 'raise' | 'raised', number, string];
type Step = [number | null, number, number[], number, Change[]];

export interface Recording {
  outcome: string; value: string; limit: number; output: string;
  frames: [string, number | null][]; cells: [string, number | null][]; steps: Step[];
}

/** What is known at one step. */
class Moment {
  at = -1;
  locals = new Map<number, Map<string, { text: string | null; links: Links }>>();
  cells = new Map<number, Map<string, number>>();
  contents = new Map<number, string | null>();
  event = '';
  fresh = new Set<string>(); // "frame name" that changed last

  copy(): Moment {
    const made = new Moment();
    made.at = this.at;
    for (const [frame, names] of this.locals) made.locals.set(frame, new Map(names));
    for (const [frame, names] of this.cells) made.cells.set(frame, names);
    made.contents = new Map(this.contents);
    return made;
  }

  apply(step: Step): void {
    this.at++;
    this.event = '';
    this.fresh.clear();
    for (const change of step[4]) {
      if (change[0] === 'local') {
        const names = this.locals.get(change[1]) ?? new Map();
        if (change[3] === null) names.delete(change[2]);
        else names.set(change[2], { text: change[3], links: change[4] ?? null });
        this.locals.set(change[1], names);
        this.fresh.add(`${change[1]} ${change[2]}`);
      } else if (change[0] === 'cell') {
        this.cells.set(change[1], new Map([...(this.cells.get(change[1]) ?? []), [change[2], change[3]]]));
      } else if (change[0] === 'content') this.contents.set(change[1], change[2]);
      else {
        const name = recording!.frames[change[1]]?.[0].replaceAll('.<locals>', '') ?? '';
        const word = { return: 'returned', yield: 'yielded', raise: 'ended with', raised: 'raised' }[change[0]];
        this.event = `${name} ${word} ${change[2]}`;
        if (change[0] === 'return' || change[0] === 'raise') {
          this.locals.delete(change[1]);
          this.cells.delete(change[1]);
        }
      }
    }
  }
}

const KEYFRAME = 250; // steps
let recording: Recording | null = null;
let keyframes: Moment[] = [];
let now = new Moment();
let playing = 0;
let runner: { version: string; interpreter: Interpreter } | null = null;
const SECONDS = 10; // for one run, by the clock

let recorded = 0;

/** How many runs there were, for those who wait for one. */
export const recordings = (): number => recorded;

export const steps = (): number => recording?.steps.length ?? 0;

export function makeRun(): void {
  const call = el('input', { id: 'call', type: 'text', spellcheck: 'false', autocomplete: 'off', 'aria-label': 'Call to run, such as f(1)', placeholder: 'a call, such as f(1); empty: the module' });
  const limit = el('select', { id: 'limit', 'aria-label': 'Most steps' }, ...[1000, 10000, 50000].map((each) => el('option', { value: each, selected: each === 10000 }, `${each.toLocaleString('en')} steps`)));
  const button = (id: string, text: string, label: string, act: () => void) =>
    el('button', { id, title: label, 'aria-label': label, onclick: act, disabled: id !== 'start' }, text);
  $('#run').append(
    el('form', { id: 'run-form', onsubmit: (event: Event) => { event.preventDefault(); void start(); } }, call, limit, el('button', { id: 'start', type: 'submit' }, 'Run')),
    el('div', { id: 'player' },
      button('first', '|◀', 'First step', () => go(0)), button('back', '◀', 'One step back', () => go(now.at - 1)),
      button('play', 'Play', 'Play', play), button('forth', '▶', 'One step on', () => go(now.at + 1)), button('last', '▶|', 'Last step', () => go(steps() - 1)),
      el('input', { id: 'slider', type: 'range', min: 0, max: 0, value: 0, disabled: true, 'aria-label': 'Step', oninput: (event: Event) => go(Number((event.target as HTMLInputElement).value)) }),
      el('span', { id: 'counter', class: 'soft' })),
    el('div', { id: 'event', 'aria-live': 'polite' }),
    el('div', { id: 'moment', tabindex: '0', role: 'region', 'aria-label': 'Variables, cells and output' }, el('p', { class: 'soft' }, 'The program runs in this browser, in an interpreter of its own: without network, for 10 seconds at most.')),
  );
  call.addEventListener('input', () => (state.call = call.value));
}

/** Put the call of the state into the form; forget the last run. */
export function resetRun(): void {
  ($('#call') as HTMLInputElement).value = state.call;
  stop();
  recording = null;
  controls();
}

function controls(): void {
  const none = steps() === 0;
  for (const id of ['first', 'back', 'play', 'forth', 'last', 'slider']) ($(`#${id}`) as HTMLButtonElement).disabled = none;
  const slider = $<HTMLInputElement>('#slider');
  slider.max = String(Math.max(0, steps() - 1));
  if (none) {
    slider.value = '0';
    $('#counter').textContent = '';
    $('#event').textContent = '';
    $('#moment').replaceChildren();
  }
}

async function start(): Promise<void> {
  stop();
  recording = null;
  controls();
  let compiler = compilerOf(state.compiler);
  if (!compiler || compiler.native) {
    state.compiler = ANALYST;
    $<HTMLSelectElement>('#compiler').value = ANALYST;
    await refresh();
    compiler = compilerOf(ANALYST)!;
  }
  const version = compiler.version;
  say(`CPython ${compiler.release} runs ${state.call || 'the module'}…`);
  $('#event').textContent = 'It runs…';
  try {
    if (!runner || runner.interpreter.dead || runner.version !== version) {
      runner?.interpreter.end();
      runner = { version, interpreter: version === ANALYST ? takeSpare() : new Interpreter(version, false) };
      await runner.interpreter.disarm();
    }
    const limit = Number($<HTMLSelectElement>('#limit').value);
    const answer = await runner.interpreter.ask('coscope_recorder.record', [state.text, state.name, state.call, limit], SECONDS);
    await playBack(JSON.parse(answer));
  } catch (error) {
    failed(error as Error);
  }
}

function failed(error: Error): void {
  const lines = error.message.trim().split('\n');
  let text = lines[lines.length - 1];
  if (error instanceof Died)
    text = /call stack|recursion|out of bounds/i.test(error.message)
      ? 'The program used up the stack of its interpreter, which was ended. Another one is ready.'
      : `The program was ended, with its interpreter: ${error.message}. Another one is ready.`;
  $('#event').textContent = text;
  say(text, 'error');
}

async function playBack(made: Recording): Promise<void> {
  // The card of each code object that ran is at hand, so that a step never waits.
  for (const key of new Set(made.frames.map((each) => each[0]))) await documentOf(key);
  recording = made;
  keyframes = [];
  now = new Moment();
  const going = new Moment();
  for (const [at, step] of made.steps.entries()) {
    going.apply(step);
    if (at % KEYFRAME === 0) keyframes.push(going.copy());
  }
  const ending = { returned: 'It returned', raised: 'It raised', stopped: 'It was stopped' }[made.outcome] ?? made.outcome;
  recorded++;
  say(`${ending} ${made.value}; ${made.steps.length.toLocaleString('en')} steps.`);
  controls();
  if (steps()) go(0);
  else $('#event').textContent = `${ending} ${made.value}`;
}

/** Show one step. */
export function go(to: number): void {
  if (!recording || !steps()) return;
  const at = Math.min(Math.max(0, to), steps() - 1);
  if (at < now.at || at - now.at > KEYFRAME || now.at < 0) now = keyframes[Math.floor(at / KEYFRAME)].copy();
  while (now.at < at) now.apply(recording.steps[now.at + 1]);
  const [frame, offset] = recording.steps[at];
  if (frame !== null) {
    const key = recording.frames[frame][0];
    if (key !== shown.code?.key) showDocument(key, offset);
    if (key === shown.code?.key && state.offset !== offset) select(offset, null, 'step');
  }
  $<HTMLInputElement>('#slider').value = String(at);
  $('#counter').textContent = `${(at + 1).toLocaleString('en')} of ${steps().toLocaleString('en')}`;
  draw();
}

function play(): void {
  if (playing) return stop();
  if (now.at >= steps() - 1) go(0);
  $('#play').textContent = 'Pause';
  $('#play').setAttribute('aria-label', 'Pause');
  // A short run is played slowly enough to be followed.
  const pause = steps() < 200 ? 450 : steps() < 2000 ? 90 : 0;
  let last = 0;
  const tick = (time: number) => {
    if (!playing) return;
    if (time - last >= pause) {
      last = time;
      if (now.at >= steps() - 1) return stop();
      go(now.at + 1);
    }
    playing = requestAnimationFrame(tick);
  };
  playing = requestAnimationFrame(tick);
}

function stop(): void {
  if (playing) cancelAnimationFrame(playing);
  playing = 0;
  if (!document.querySelector('#play')) return;
  $('#play').textContent = 'Play';
  $('#play').setAttribute('aria-label', 'Play');
}

const short = (key: string): string => key.replaceAll('.<locals>', '');

function draw(): void {
  const step = recording!.steps[now.at];
  const ended = step[0] === null;
  const last = now.at === steps() - 1 && (ended || recording!.outcome !== 'returned');
  $('#event').textContent = last
    ? `${now.event ? `${now.event}. ` : ''}${{ returned: 'The call returned', raised: 'The call raised', stopped: 'The run was stopped' }[recording!.outcome]} ${recording!.value}`
    : now.event;
  const frames = step[2].slice(-8).reverse();
  const wanted = new Map<number, HTMLElement>();
  const arrows: [HTMLElement, number][] = [];
  const left = frames.map((frame, at) => frameBox(frame, at === 0, arrows));
  for (const [, cell] of arrows)
    if (!wanted.has(cell)) wanted.set(cell, cellBox(cell));
  const output = recording!.output.slice(0, step[3]);
  const box = $('#moment');
  const picture = el('div', { class: 'picture' },
    el('div', { class: 'frames' }, ...(left.length ? left : [el('p', { class: 'soft' }, 'No call of the program is running.')])),
    el('div', { class: 'held' }, ...wanted.values()));
  box.replaceChildren(picture, output ? el('pre', { class: 'output', 'aria-label': 'Output' }, output.slice(-4000)) : '');
  if (wanted.size) connect(picture, arrows, wanted);
}

function frameBox(frame: number, inner: boolean, arrows: [HTMLElement, number][]): HTMLElement {
  const cells = now.cells.get(frame) ?? new Map<string, number>();
  const names = now.locals.get(frame) ?? new Map();
  const rows: HTMLElement[] = [];
  for (const [name, held] of names) {
    if (cells.has(name)) continue;
    const dot = held.links?.length ? el('span', { class: 'dot', 'aria-hidden': 'true' }) : null;
    for (const [, cell] of held.links ?? []) arrows.push([dot!, cell]);
    rows.push(el('tr', { class: now.fresh.has(`${frame} ${name}`) ? 'fresh' : '' }, el('th', { scope: 'row' }, name), el('td', {}, held.text, dot)));
  }
  for (const [name, cell] of cells) {
    const dot = el('span', { class: 'dot', 'aria-hidden': 'true' });
    arrows.push([dot, cell]);
    rows.push(el('tr', {}, el('th', { scope: 'row' }, name), el('td', { class: 'soft' }, `cell ${cell + 1}`, dot)));
  }
  return el('table', { class: `frame${inner ? ' inner' : ''}` }, el('caption', {}, short(recording!.frames[frame][0]), el('span', { class: 'soft' }, ` call ${frame + 1}`)), el('tbody', {}, ...rows));
}

function cellBox(cell: number): HTMLElement {
  const [name, owner] = recording!.cells[cell];
  const text = now.contents.get(cell);
  const by = owner === null ? '' : `made by ${short(recording!.frames[owner][0])}, call ${owner + 1}`;
  return el('div', { class: 'box cell', 'data-cell': cell }, el('div', {}, el('code', {}, `${name} = ${text ?? 'empty'}`)), el('div', { class: 'soft' }, `cell ${cell + 1}`, by ? `, ${by}` : ''));
}

/** An arrow from each variable to its cell: a shared cell is one box with several arrows. */
function connect(picture: HTMLElement, arrows: [HTMLElement, number][], boxes: Map<number, HTMLElement>): void {
  const origin = picture.getBoundingClientRect();
  const made = svg('svg', { class: 'arrows', 'aria-hidden': 'true', width: origin.width, height: origin.height });
  for (const [dot, cell] of arrows) {
    const from = dot.getBoundingClientRect();
    const to = boxes.get(cell)!.getBoundingClientRect();
    const [x1, y1] = [from.right - origin.left, from.top + from.height / 2 - origin.top];
    const [x2, y2] = [to.left - origin.left - 2, to.top + to.height / 2 - origin.top];
    const bend = Math.max(20, (x2 - x1) / 2);
    made.append(svg('path', { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }), svg('path', { class: 'tip', d: `M${x2 - 6} ${y2 - 4}l7 4l-7 4z` }));
  }
  picture.append(made);
}
