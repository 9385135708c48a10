// `coscope report` from file://: what it shows, that the keyboard is enough, and that it asks for nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { browser } from './browser.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const PYTHON = process.env.COSCOPE_PYTHON ?? 'python3';
const SOURCE = `def outer(a):
    x = a + 1
    def inner(b):
        return x * b if b else eval(a)
    for number in range(a):
        x += number
    return inner
`;
let folder;
let context;
let page;
const faults = [];

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'coscope-report-'));
  fs.mkdirSync(path.join(folder, 'app'));
  fs.writeFileSync(path.join(folder, 'app', 'first.py'), SOURCE);
  fs.writeFileSync(path.join(folder, 'app', 'second.py'), 'def other():\n    return "<img src=x onerror=alert(1)>"\n');
  execFileSync(PYTHON, ['-m', 'coscope', 'report', path.join(folder, 'app'), '-o', path.join(folder, 'report.html')], { stdio: 'ignore' });
  context = await browser();
  page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => { if (message.type() === 'error') faults.push(`console: ${message.text()}`); });
  page.on('request', (request) => { if (!request.url().startsWith('file:')) faults.push(`request: ${request.url()}`); });
  await page.goto(pathToFileURL(path.join(folder, 'report.html')).href);
  await page.waitForSelector('body[data-shown]');
});

after(async () => {
  await context?.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function show(hash) {
  await page.evaluate((to) => { location.hash = to; }, hash);
  await page.waitForSelector(`body[data-shown="#${hash}"]`);
}

test('the start page lists the findings, and one leads to its card', async () => {
  assert.match(await page.textContent('.finding'), /DYN101 warning .*first\.py:4 outer\.<locals>\.inner/s);
  await page.click('.finding button');
  await page.waitForSelector('#listing');
  assert.match(await page.textContent('h2'), /outer\.<locals>\.inner/);
});

test('a card has its parts, and as many rows as instructions', async () => {
  await show('0/1');
  const titles = await page.$$eval('main h3', (all) => all.map((each) => each.textContent));
  for (const title of ['Fast locals', 'Cells', 'Names', 'Constants', 'Bytecode', 'Control flow', 'Nested code']) assert.ok(titles.includes(title), title);
  const told = Number(/(\d+) instructions/.exec(await page.textContent('main'))[1]);
  assert.equal((await page.$$('#listing tr[data-at]')).length, told);
});

test('source and instructions light up together, and an opcode is explained', async () => {
  await show('0/1');
  await page.hover('#listing tr.source[data-line="6"]');
  const lit = await page.$$eval('#listing tr.lit', (all) => all.map((each) => each.dataset.line));
  assert.ok(lit.length > 2 && lit.every((line) => line === '6'));
  await page.hover('#listing tr[data-at="3"]');
  assert.match(await page.textContent('.says'), /^[A-Z_]+ [A-Z].*\.$/);
});

test('the graph has the blocks of the bytecode', async () => {
  await show('0/1');
  const named = await page.$$eval('#listing td.block', (all) => all.map((each) => each.textContent).filter(Boolean));
  const drawn = await page.$$eval('#graph text.soft', (all) => all.map((each) => each.textContent));
  assert.deepEqual(drawn, [...new Set(named)]);
  assert.ok(drawn.length >= 4);
});

test('the search finds names and rules', async () => {
  await page.fill('#search', 'inner');
  await page.waitForFunction(() => document.querySelectorAll('#tree [role=treeitem]').length === 4);
  await page.fill('#search', 'dyn101');
  await page.waitForFunction(() => document.querySelector('#tree').textContent.includes('inner'));
  await page.fill('#search', 'no such thing');
  await page.waitForFunction(() => document.querySelector('#tree').textContent.includes('Nothing'));
  await page.fill('#search', '');
  await page.waitForFunction(() => document.querySelectorAll('#tree > [role=treeitem]').length === 2);
});

test('the keyboard is enough: search, tree, card, instructions', async () => {
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('/');
  await page.keyboard.type('outer');
  await page.waitForFunction(() => document.querySelectorAll('#tree > [role=treeitem]').length === 1);
  await page.keyboard.press('Enter');
  for (const key of ['ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
  await page.waitForSelector('#listing');
  assert.match(await page.textContent('h2'), /outer function/);
  await page.focus('#listing td[tabindex="0"]');
  const first = await page.textContent('.says b');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await page.textContent('.says b'), first);
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr').dataset.at), '2');
});

test('no text of a file becomes markup', async () => {
  await show('1/1');
  assert.equal((await page.$$('main img')).length, 0);
  assert.match(await page.textContent('main'), /onerror=alert/);
});

test('axe finds nothing serious, light and dark', async () => {
  // An item of the tree is named by its row, not by all that is below it, which the experimental rule would have.
  const axe = fs.readFileSync(path.join(here, '../node_modules/axe-core/axe.min.js'), 'utf-8');
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const hash of ['', '0', '0/1']) {
      if (hash) await show(hash);
      else await page.evaluate(() => { location.hash = ''; });
      const found = await page.evaluate(`(() => { ${axe}; return axe.run({ rules: { 'label-content-name-mismatch': { enabled: false } } }).then((all) => all.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120) + ' ' + n.failureSummary.slice(0, 200)).join(' | '))); })()`);
      assert.deepEqual(found, [], `${colorScheme} #${hash}`);
    }
  }
});

test('nothing was asked of anybody, and nothing complained', () => {
  assert.deepEqual(faults, []);
});
