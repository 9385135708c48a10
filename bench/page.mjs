// The page: first view, an edit, stepping, size. Needs a built page and Chromium, as `npm test` in
// web/ does.
//
//     COSCOPE_PYTHON=python node bench/page.mjs [EDITS [first|edits|stepping]]
//
// First view: from a new browser profile to the first listing, with the snapshot of memory, without
// it, and again in the same profile; beside them a bare Pyodide that says "1". Edit: one key typed
// into a file of 500 lines, to the frame in which listing and stack are new; beside it `dis` over
// the same file inside of Pyodide. Stepping: 10,000 recorded steps, each shown in a frame.
import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { PAGE, browser, host, open } from '../web/tests/browser.mjs';

const EDITS = Number(process.argv[2] ?? 60);
const PARTS = process.argv[3] ? [process.argv[3]] : ['first', 'edits', 'stepping'];
const PYTHON = process.env.COSCOPE_PYTHON ?? 'python3';
const sorted = (all) => [...all].sort((a, b) => a - b);
const at = (all, share) => sorted(all)[Math.min(all.length - 1, Math.floor(all.length * share))];
const ms = (value) => `${Math.round(value).toLocaleString('en')} ms`.padStart(9);
const show = (what, ...rest) => console.log(what.padEnd(52), ...rest);

const load = () => fs.readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
console.log(`load ${load()}, ${EDITS} edits`);

function size() {
  let sum = 0;
  for (const name of fs.readdirSync(PAGE))
    if (/\.(js|css|html|svg|webmanifest)$/.test(name)) sum += gzipSync(fs.readFileSync(path.join(PAGE, name))).length;
  show('page without Pyodide and coscope, gzipped', `${Math.round(sum / 1000)} kB`);
}

const BARE = `(async () => {
  const start = performance.now();
  const { loadPyodide } = await import(new URL('pyodide/3.14/pyodide.mjs', location.href).href);
  const pyodide = await loadPyodide({ indexURL: new URL('pyodide/3.14/', location.href).href });
  pyodide.runPython('1');
  return performance.now() - start;
})()`;

async function first(server) {
  const measured = { snapshot: [], again: [], without: [], bare: [] };
  for (let round = 0; round < 3; round++) {
    const view = async (context, url) => {
      const start = Date.now();
      const page = await open(context, url);
      const took = Date.now() - start;
      await page.close();
      return took;
    };
    let context = await browser();
    measured.snapshot.push(await view(context, server.url));
    measured.again.push(await view(context, server.url));
    await context.close();
    context = await browser();
    measured.without.push(await view(context, `${server.url}?no-snapshot`));
    await context.close();
    context = await browser();
    const page = await context.newPage();
    await page.goto(`${server.url}icon.svg`);
    measured.bare.push(await page.evaluate(BARE));
    await context.close();
  }
  const bare = at(measured.bare, 0.5);
  const line = (what, all) => show(what, ms(at(all, 0.5)), `${(at(all, 0.5) / bare).toFixed(2)} of a bare Pyodide`);
  line('first view, from the snapshot', measured.snapshot);
  line('first view, same profile again', measured.again);
  line('first view, compiled modules', measured.without);
  line('a bare Pyodide, without any page', measured.bare);
}

const edited = ([place, count]) => (async () => {
  const took = [];
  for (let number = 0; number < count; number++) {
    const before = coscope.state.text;
    const text = before.slice(0, place) + String(number % 10) + before.slice(place + 1);
    const start = performance.now();
    const drawn = new Promise((resolve) => (window.drawn = () => requestAnimationFrame(() => resolve(performance.now()))));
    coscope.edit(text);
    took.push((await drawn) - start);
    await new Promise((resolve) => setTimeout(resolve, 120 + (number % 5) * 30));
  }
  return took;
})();

async function edits(page) {
  const library = execFileSync(PYTHON, ['-c', 'import sysconfig; print(sysconfig.get_path("stdlib"))']).toString().trim();
  const whole = fs.readFileSync(path.join(library, 'textwrap.py'), 'utf8');
  const mark = '        i = 0\n';
  const text = whole.includes(mark) ? whole : whole.replace('    def _fix_sentence_endings(self, chunks):\n', '    def _fix_sentence_endings(self, chunks):\n' + mark);
  const place = text.indexOf(mark) + mark.length - 2;
  await page.evaluate(() => coscope.on('document', () => window.drawn?.()));
  for (const key of ['TextWrapper._fix_sentence_endings', '<module>']) {
    await page.evaluate(async ([given, wanted]) => {
      coscope.state.key = wanted;
      coscope.edit(given);
      await coscope.refresh();
    }, [text, key]);
    await page.evaluate(edited, [place, 5]);
    const took = await page.evaluate(edited, [place, EDITS]);
    const lines = text.split('\n').length;
    show(`an edit of ${lines} lines, ${key} shown`, 'median', ms(at(took, 0.5)), ' 95th percentile', ms(at(took, 0.95)));
  }
  const dis = await page.evaluate(async (given) => coscope.measure(given), text);
  show('dis over the same file, in the same Pyodide', 'median', ms(at(dis, 0.5)));
}

async function stepping(page) {
  await page.evaluate(() => coscope.edit('def f(n):\n    cell = 0\n    def add(x):\n        nonlocal cell\n        cell += x\n        return cell\n    total = []\n    for i in range(n):\n        total.append(add(i) * 2)\n    return total\n'));
  await page.locator('#call').fill('f(5000)');
  await page.locator('#start').click();
  await page.waitForFunction(() => coscope.steps() >= 10_000, null, { timeout: 120_000 });
  const found = await page.evaluate(async () => {
    const work = [];
    const frames = [];
    let last = await new Promise((resolve) => requestAnimationFrame(resolve));
    for (let step = 0; step < 10_000; step += 1) {
      const start = performance.now();
      coscope.go(step);
      document.body.offsetHeight; // the layout is part of the step
      work.push(performance.now() - start);
      if (step % 10 === 0) {
        const now = await new Promise((resolve) => requestAnimationFrame(resolve));
        frames.push(now - last);
        last = now;
      }
    }
    return { work };
  });
  const { work } = found;
  show('a step of 10,000, with its layout', 'median', `${at(work, 0.5).toFixed(1)} ms`, ' 95th percentile', `${at(work, 0.95).toFixed(1)} ms`, ` within a frame of 60/s: ${((100 * work.filter((each) => each <= 16.7).length) / work.length).toFixed(1)} %`);
  const played = await page.evaluate(async () => {
    coscope.go(0);
    const start = performance.now();
    let frames = 0;
    document.querySelector('#play').click();
    await new Promise((resolve) => {
      const tick = () => (++frames && performance.now() - start > 5000 ? resolve() : requestAnimationFrame(tick));
      requestAnimationFrame(tick);
    });
    document.querySelector('#play').click();
    return { shown: Number(document.querySelector('#slider').value) / 5, frames: frames / 5 };
  });
  show('played for 5 seconds', `${played.shown.toFixed(0)} steps a second at ${played.frames.toFixed(0)} frames a second`);
}

size();
const server = await host();
if (PARTS.includes('first')) await first(server);
const context = await browser();
const page = await open(context, server.url);
await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 4000))); // the spare boots
if (PARTS.includes('edits')) await edits(page);
if (PARTS.includes('stepping')) await stepping(page);
await context.close();
await server.end();
console.log(`load ${load()}`);
