// The editor. It lives in a shadow root, where its styles need no `unsafe-inline`.
import { Compartment, EditorState, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration, DecorationSet, EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers,
} from '@codemirror/view';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { HighlightStyle, bracketMatching, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { pythonLanguage } from '@codemirror/lang-python';
import { Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { tags } from '@lezer/highlight';
import { $, column } from './dom';
import { emit, on, select, shown, state } from './model';

type Spot = { positions: (number | null)[] | null; line: number | null; role: string };

const setMarks = StateEffect.define<DecorationSet>();
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    value = value.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(setMarks)) value = effect.value;
    return value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--keyword)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--number)' },
  { tag: tags.comment, color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName))], color: 'var(--name)' },
  { tag: tags.definition(tags.className), color: 'var(--name)' },
  { tag: tags.meta, color: 'var(--kind)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', backgroundColor: 'var(--page)', fontSize: '13px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-gutters': { backgroundColor: 'var(--paper)', color: 'var(--soft)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--active)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground':
    { background: 'var(--selected)' },
  '.at-line': { backgroundColor: 'var(--at-line)' },
  '.at-span': { backgroundColor: 'var(--at-span)', borderRadius: '2px' },
  '.hover-span': { boxShadow: 'inset 0 -2px 0 var(--focus)' },
  '.maker-span': { boxShadow: 'inset 0 -3px 0 var(--maker)' },
  '.taker-span': { boxShadow: 'inset 0 -3px 0 var(--taker)' },
  '.cm-tooltip': { backgroundColor: 'var(--paper)', color: 'var(--ink)', border: '1px solid var(--line)', maxWidth: '36em' },
  '.cm-diagnostic': { fontFamily: 'var(--sans)', padding: '4px 8px' },
});

let view: EditorView;
const writable = new Compartment();
let quiet = false; // while the page itself moves the cursor

export function makeEditor(changed: () => void): void {
  const root = $('#editor').attachShadow({ mode: 'open' });
  view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: '',
      extensions: [
        lineNumbers(), history(), drawSelection(), highlightActiveLine(), bracketMatching(),
        pythonLanguage, indentUnit.of('    '), syntaxHighlighting(colours), lintGutter(), marks, look,
        keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
        writable.of([]),
        EditorView.contentAttributes.of({ 'aria-label': 'Python source. Escape, then Tab leaves the editor.' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) {
            state.text = update.state.doc.toString();
            if (!quiet) changed();
          } else if (update.selectionSet && !quiet) atCursor();
        }),
        EditorView.domEventHandlers({
          mousemove: (event, where) => {
            const at = where.posAtCoords({ x: event.clientX, y: event.clientY });
            emit('hover', at === null ? null : instructionAt(at, true));
          },
          mouseleave: () => emit('hover', null),
        }),
      ],
    }),
  });
  on('document', () => mark());
  on('selection', (from) => mark(from !== 'editor'));
  on('hover', (offset: number | null) => mark(false, offset));
  on('findings', diagnose);
  on('failure', () => mark());
}

export function setText(text: string): void {
  quiet = true;
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 } });
  quiet = false;
  state.text = text;
}

/** A compiled file is shown with its source, which cannot be edited. */
export function readOnly(on: boolean): void {
  view.dispatch({ effects: writable.reconfigure(on ? EditorState.readOnly.of(true) : []) });
}

/** Change the text as a user does. */
export function edit(text: string): void {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, userEvent: 'input' });
}

export const focusEditor = (): void => view.focus();

/** Positions of the document -> from and to in the editor. */
function range(positions: (number | null)[] | null): [number, number] | null {
  if (!positions) return null;
  const [line, last, from, to] = positions;
  const document = view.state.doc;
  if (!line || !last || from === null || to === null || last > document.lines) return null;
  const first = document.line(line);
  const end = document.line(last);
  return [first.from + column(first.text, from), end.from + column(end.text, to)];
}

/** The innermost instruction whose source is at this place; of the shown code object, or of all. */
function instructionAt(place: number, inner = false): number | null {
  let best: number | null = null;
  let size = Infinity;
  const line = view.state.doc.lineAt(place).number;
  for (const each of shown.detail?.instructions ?? []) {
    const positions = each.positions;
    if (!positions || (positions[0] ?? Infinity) > line || (positions[1] ?? 0) < line) continue;
    const found = range(positions);
    if (!found || place < found[0] || place > found[1] || (inner && place === found[1])) continue;
    const length = found[1] - found[0];
    if (length > 0 && length < size) {
      size = length;
      best = each.offset;
    }
  }
  return best;
}

/** The cursor moved: select the instruction that its place compiled to, in the innermost code. */
function atCursor(): void {
  const place = view.state.selection.main.head;
  const line = view.state.doc.lineAt(place).number;
  let inner = shown.codes[0];
  for (const code of shown.codes)
    if (code.first_line <= line && line <= code.last_line && code.last_line - code.first_line <= inner.last_line - inner.first_line && code.parent !== null)
      inner = code;
  emit('text', {
    key: inner?.key,
    then: () => {
      const found = instructionAt(place);
      if (found !== null) select(found, null, 'editor');
    },
  });
}

function mark(scroll = false, hovered: number | null = null): void {
  const found: { from: number; to: number; decoration: Decoration }[] = [];
  const add = (spot: Spot) => {
    const span = range(spot.positions);
    if (spot.role === 'at' && spot.line && spot.line <= view.state.doc.lines) {
      const from = view.state.doc.line(spot.line).from;
      found.push({ from, to: from, decoration: Decoration.line({ class: 'at-line' }) });
    }
    if (span && span[1] > span[0]) {
      const decoration = Decoration.mark({ class: `${spot.role}-span` });
      found.push({ from: span[0], to: span[1], decoration });
    }
  };
  const spot = (offset: number, role: string) => {
    const each = shown.at.get(offset);
    if (each) add({ positions: each.positions, line: each.line, role });
  };
  if (shown.failure === null) {
    if (state.offset !== null) spot(state.offset, 'at');
    if (hovered !== null) spot(hovered, 'hover');
    for (const offset of related.makers) spot(offset, 'maker');
    for (const offset of related.takers) spot(offset, 'taker');
  } else if (shown.failure.line) add({ positions: null, line: shown.failure.line, role: 'at' });
  const set = Decoration.set(found.map((each) => each.decoration.range(each.from, each.to)), true);
  const effects: StateEffect<any>[] = [setMarks.of(set)];
  if (scroll && state.offset !== null) {
    const span = range(shown.at.get(state.offset)?.positions ?? null);
    if (span) effects.push(EditorView.scrollIntoView(span[0], { y: 'nearest', yMargin: 40 }));
  }
  view.dispatch({ effects });
}

/** Makers and takers of the selected value; the listing computes them. */
export const related = { makers: [] as number[], takers: [] as number[] };

const SEVERITIES: Record<string, Diagnostic['severity']> = { error: 'error', warning: 'warning', info: 'info' };

function diagnose(): void {
  const found: Diagnostic[] = [];
  for (const finding of shown.findings) {
    const span = range(finding.positions);
    if (span)
      found.push({
        from: span[0], to: span[1], severity: SEVERITIES[finding.severity] ?? 'info', source: finding.rule,
        message: `${finding.message}. Instead: ${finding.instead}`,
      });
  }
  const failure = shown.failure;
  if (failure?.line && failure.line <= view.state.doc.lines) {
    const line = view.state.doc.line(failure.line);
    const from = Math.min(line.to, line.from + Math.max(0, (failure.column ?? 1) - 1));
    found.push({ from, to: line.to, severity: 'error', message: failure.what ?? failure.message });
  }
  view.dispatch(setDiagnostics(view.state, found));
}
