// Versions, links, reports, bombs, the keyboard, accessibility: from `coscope serve` on a folder.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createRequire } from 'node:module';
import { browser, open, serve, type } from './browser.mjs';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let context, server, page, folder;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'coscope-files-'));
  fs.writeFileSync(path.join(folder, 'shop.py'), 'def price(net):\n    return net * 1.19\n');
  server = await serve(folder);
  context = await browser();
  page = await open(context, server.url);
});

after(async () => {
  await context?.close();
  server?.end();
  fs.rmSync(folder, { recursive: true, force: true });
});

const shownCode = () => page.evaluate(() => coscope.shown.code.key);

async function chooseVersion(id) {
  await page.locator('#compiler').selectOption(id);
  const version = id.replace(/^native:/, '').split('.').slice(0, 2).join('.');
  await page.waitForFunction((wanted) => coscope.shown.code?.version === wanted, version, { timeout: 90_000 });
}

test('another version in the browser compiles, and its instructions are shown', async () => {
  await type(page, 'def f(a, b):\n    return a + b\n');
  await chooseVersion('3.13');
  await page.locator('#tree li', { hasText: 'f' }).first().click();
  await page.locator('.row[data-offset="4"] .op', { hasText: 'BINARY_OP' }).waitFor();
  assert.equal(await page.locator('.row[data-offset="2"] .op').textContent(), 'LOAD_FAST_LOAD_FAST');
  await chooseVersion('3.14');
  assert.equal(await page.locator('.row[data-offset="2"] .op').textContent(), 'LOAD_FAST_BORROW_LOAD_FAST_BORROW');
});

test('an interpreter of this machine compiles', async () => {
  const native = await page.locator('#compiler option', { hasText: 'native' }).first().getAttribute('value');
  await chooseVersion(native);
  const release = native.replace('native:', '').replace(/-\d+$/, '');
  assert.equal(await page.evaluate(() => coscope.shown.code.release), release);
  await type(page, 'def f(a, b):\n    return a +\n');
  assert.match(await page.locator('#failure').textContent(), /invalid syntax/);
  await type(page, 'def f(a, b):\n    return a + b\n');
  await chooseVersion('3.14');
});

test('two versions are aligned, and their opcodes explained', async () => {
  await type(page, 'def f(a, b):\n    return a + b\n');
  await page.locator('#tree li', { hasText: 'f' }).first().click();
  await page.locator('#tab-versions').click();
  await page.locator('#version-choice input[value="3.13"]').check();
  await page.locator('.versions tbody tr').first().waitFor({ timeout: 60_000 });
  const rows = await page.locator('.versions tbody tr').evaluateAll((all) =>
    all.map((row) => [row.className, ...[...row.cells].map((cell) => cell.querySelector('.op')?.textContent ?? null)]));
  assert.deepEqual(rows, [
    ['', 'RESUME', 'RESUME'],
    ['differs', 'LOAD_FAST_BORROW_LOAD_FAST_BORROW', 'LOAD_FAST_LOAD_FAST'],
    ['', 'BINARY_OP', 'BINARY_OP'],
    ['', 'RETURN_VALUE', 'RETURN_VALUE'],
  ]);
  const card = await page.locator('#comparison .card').textContent();
  assert.match(card, /Only 3\.13\.2 uses.*LOAD_FAST_LOAD_FAST 1 time, in 3\.13 to 3\.1/s);
});

test('every tab says something of the code', async () => {
  await type(page, 'import os\ndef f(a, n=None):\n    t = []\n    for each in a:\n        t.append(lambda: each)\n        if n == None and os.sep:\n            break\n    return t\n');
  await page.locator('#tree li', { hasText: 'f' }).first().click();
  await page.locator('#tab-cells').click();
  assert.match(await page.locator('#cells').textContent(), /Cell each.*freevar 0: __closure__\[0\]/s);
  await page.locator('#tab-names').click();
  assert.match(await page.locator('#names').textContent(), /Locals.*Constants.*os.*sep/s);
  await page.locator('#tab-findings').click();
  await page.waitForFunction(() => document.querySelectorAll('#findings .finding').length > 0);
  const finding = page.locator('#findings .finding').first();
  assert.match(await finding.textContent(), /CLO\d+.*Instead: /s);
  await finding.locator('.link').first().click();
  assert.notEqual(await page.evaluate(() => coscope.state.offset), null);
});

test('an opcode explains itself', async () => {
  await page.locator('#listing').focus();
  await page.evaluate(() => coscope.select([...coscope.shown.at.values()].find((each) => each.opname === 'FOR_ITER').offset));
  await page.locator('#instruction .sentence', { hasText: 'iterator' }).waitFor();
  assert.match(await page.locator('#instruction .about').textContent(), /In CPython3\.8 to 3\.15.*specialised forms/s);
});

test('a link opens the same view', async () => {
  await page.evaluate(() => {
    const each = [...coscope.shown.at.values()].find((one) => one.opname === 'FOR_ITER');
    coscope.select(each.offset, { offset: each.offset, slot: each.stack.length - 1 });
  });
  await page.locator('#tab-cells').click();
  await page.locator('#share-menu summary').click();
  await page.locator('#share-link').click();
  await page.waitForFunction(() => /link/.test(document.querySelector('#status').textContent));
  const link = page.url();
  assert.ok(!link.includes(server.url.split('token=')[1]), 'the token is in the link');
  const look = (which) => which.evaluate(() => ({ ...coscope.state, rows: document.querySelector('#rows').textContent, on: document.querySelectorAll('.row.maker').length }));
  const other = await open(context, link);
  assert.deepEqual(await look(other), await look(page));
  assert.deepEqual(other.faults.filter((fault) => !fault.includes('403')), []); // without the token: no files, no natives
  await other.close();
  await page.bringToFront();
});

test('a damaged link is said, and the page works', async () => {
  const other = await open(context, `${server.url.split('#')[0]}#s=thisisnothing`);
  assert.match(await other.locator('#tree').textContent(), /outer/);
  await other.close();
  await page.bringToFront();
});

async function saved(id) {
  await page.locator('#share-menu').evaluate((menu) => (menu.open = true));
  const [found] = await Promise.all([page.waitForEvent('download'), page.locator(id).click()]);
  return fs.readFileSync(await found.path());
}

test('the listing as Markdown, the graph as SVG and PNG', async () => {
  await page.locator('#tab-graph').click();
  await page.locator('#graph g.node').first().waitFor();
  const svg = (await saved('#save-svg')).toString();
  assert.match(svg, /^<svg[^>]*viewBox/);
  assert.match(svg, /FOR_ITER|for each|B1/);
  assert.ok(!/class="[^"]*\bon\b|var\(/.test(svg));
  const png = await saved('#save-png');
  assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  assert.match(await page.evaluate(() => coscope.markdown()), /\*\*f\*\*, CPython 3\.14\.2.*```text\nline +block +offset +operation +operand +stack before\n/s);
  const json = JSON.parse((await saved('#save-json')).toString());
  assert.equal(json.schema_version, 1);
  assert.ok(json.codes.every((code) => code.detail));
});

test('the report opens from a file, alone', async () => {
  const file = path.join(folder, 'report.html');
  fs.writeFileSync(file, await saved('#save-report'));
  await page.locator('#share-menu').evaluate((menu) => (menu.open = false));
  const alone = await browser(); // the page behind a closed one would not be drawn any more
  const report = await alone.newPage();
  const asked = [];
  report.on('request', (request) => asked.push(request.url()));
  await report.goto(`file://${file}`);
  await report.locator('text=input.py').nth(1).click();
  await report.locator('text=t.append(lambda: each)').first().waitFor();
  assert.match(await report.locator('body').innerText(), /CLO\d+/);
  assert.deepEqual(asked, [`file://${file}`]);
  await alone.close();
});

for (const [name, bomb] of [['nested parentheses', `${'('.repeat(3000)}1${')'.repeat(3000)}`], ['a long sum', `${'1+'.repeat(20000)}1`]])
  test(`a bomb ends an interpreter and not the page: ${name}`, async () => {
    await page.waitForFunction(() => coscope.counts().spare, null, { timeout: 60_000 });
    await type(page, bomb);
    const text = await page.locator('#failure').textContent();
    assert.match(text, /nested too deeply|too many nested parentheses/);
    const start = Date.now();
    await type(page, 'def f():\n    return 1\n');
    assert.ok(await page.locator('#failure').isHidden());
    assert.equal(await page.evaluate(() => coscope.shown.codes.length), 2);
    assert.ok(Date.now() - start < 20_000);
  });

test('a file of the folder is opened, and read again when it changes', async () => {
  await page.locator('#files').selectOption('shop.py');
  await page.waitForFunction(() => coscope.state.text.includes('1.19'));
  fs.writeFileSync(path.join(folder, 'shop.py'), 'def price(net):\n    return net * 1.07\n');
  await page.waitForFunction(() => coscope.state.text.includes('1.07'), null, { timeout: 30_000 });
  await type(page, 'def mine():\n    pass\n');
  fs.writeFileSync(path.join(folder, 'shop.py'), 'def price(net):\n    return net\n');
  await page.waitForFunction(() => /changed on disk. You edited/.test(document.querySelector('#status').textContent), null, { timeout: 30_000 });
  assert.match(await page.evaluate(() => coscope.state.text), /mine/);
});

test('by the keyboard alone: to the listing, along it, into a stack, to the maker and the taker', async () => {
  await type(page, 'def f(a, b):\n    return g(a, b + 1)\n');
  await page.locator('.skip').focus();
  await page.keyboard.press('Enter');
  await page.evaluate(() => document.querySelector('#tree li').focus());
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => coscope.shown.code.key === 'f');
  await page.locator('#listing').focus();
  await page.keyboard.press('End');
  const op = () => page.evaluate(() => coscope.shown.at.get(coscope.state.offset).opname);
  assert.equal(await op(), 'RETURN_VALUE');
  await page.keyboard.press('ArrowUp');
  assert.equal(await op(), 'CALL');
  await page.keyboard.press('ArrowLeft'); // the top of the stack: b + 1
  assert.match(await page.locator('#status').textContent(), /^b \+ 1: pushed by BINARY_OP at \d+, taken by CALL at \d+$/);
  await page.keyboard.press('p');
  assert.equal(await op(), 'BINARY_OP');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('t');
  assert.equal(await op(), 'BINARY_OP');
});

test('keys move the bars between panes, and panes can be hidden', async () => {
  const width = () => page.locator('#column-left').evaluate((each) => each.offsetWidth);
  const before = await width();
  await page.locator('[aria-label="Width of the left column"]').focus();
  for (let step = 0; step < 3; step++) await page.keyboard.press('ArrowRight');
  assert.ok((await width()) > before + 50);
  for (const pane of ['editor', 'run', 'tree', 'bytecode', 'instruction', 'graph', 'cells', 'names', 'findings', 'versions']) {
    await page.locator('#panes-menu').evaluate((menu) => (menu.open = true));
    await page.locator(`#show-${pane}`).evaluate((box) => box.click());
    const target = page.locator(['editor', 'run', 'tree', 'bytecode', 'instruction'].includes(pane) ? `#pane-${pane}` : `#tab-${pane}`);
    assert.ok(await target.isHidden(), pane);
    await page.locator(`#show-${pane}`).evaluate((box) => box.click());
    assert.ok(await target.isVisible(), pane);
  }
  await page.locator('#panes-menu').evaluate((menu) => (menu.open = false));
});

for (const scheme of ['light', 'dark'])
  test(`axe finds nothing serious: ${scheme}`, async () => {
    await page.emulateMedia({ colorScheme: scheme });
    await type(page, 'def f(a):\n    for x in a:\n        try:\n            yield lambda: x\n        except E:\n            print("no")\n');
    await page.locator('#tree li', { hasText: 'f' }).first().click();
    await page.locator('#call').fill('list(f([1, 2]))');
    await page.locator('#start').click();
    await page.waitForFunction(() => coscope.steps() > 10, null, { timeout: 60_000 });
    await page.evaluate(() => coscope.go(30));
    await page.evaluate(AXE);
    for (const tab of ['graph', 'cells', 'names', 'findings', 'versions']) {
      await page.locator(`#tab-${tab}`).click();
      await page.waitForTimeout(150);
      const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'], rules: { 'color-contrast': { enabled: true } } }));
      const serious = found.violations.filter((each) => ['serious', 'critical'].includes(each.impact));
      assert.deepEqual(serious.map((each) => [tab, each.id, each.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ''}`)]), []);
    }
  });

test('a narrow screen shows one column at a time', async () => {
  await page.setViewportSize({ width: 390, height: 780 });
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
  for (const column of ['left', 'middle', 'right']) {
    await page.locator(`#columns [data-column=${column}]`).click();
    assert.ok(await page.locator(`#column-${column}`).isVisible());
    assert.ok((await wide()) <= 390, column);
  }
  await page.setViewportSize({ width: 1400, height: 860 });
});

test('nothing was complained of but what was meant to fail', () => {
  const meant = /Pyodide|RangeError|Stack \(|File "|cause of the fatal/;
  assert.deepEqual(page.faults.filter((fault) => !meant.test(fault)), []);
});
