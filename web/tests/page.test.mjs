// The page in headless Chromium, from `coscope serve`.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browser, open, serve, type } from './browser.mjs';

let context, server, page;

before(async () => {
  server = await serve();
  context = await browser();
  page = await open(context, server.url);
});

after(async () => {
  await context?.close();
  server?.end();
});

const row = (offset) => page.locator(`.row[data-offset="${offset}"]`);
const classes = (locator) => locator.evaluate((each) => [...each.classList]);

test('the token does not stay in the address', async () => {
  assert.ok(!page.url().includes('token'));
});

test('the first lesson is shown, with the stack before each instruction', async () => {
  assert.equal(await page.locator('#tree li.on').textContent(), 'inner ◇2');
  assert.deepEqual(await row(8).locator('.value').allTextContents(), ['x', 'y']);
  assert.equal(await row(8).locator('.op').textContent(), 'BINARY_OP');
});

test('an instruction marks its source, and a place in the source its instruction', async () => {
  await row(8).click();
  assert.equal(await page.locator('.at-span').allTextContents().then((all) => all.join('')), 'x + y');
  await page.locator('.cm-content').focus();
  await page.keyboard.press('Control+End');
  for (let step = 0; step < 3; step++) await page.keyboard.press('ArrowUp');
  await page.keyboard.press('End'); // behind the z of `return x + y + z`
  await page.waitForFunction(() => coscope.state.offset === 20);
});

test('a value on the stack lights up what pushed it and what takes it', async () => {
  await row(22).locator('.value').first().click(); // x + y
  assert.ok((await classes(row(8))).includes('maker'));
  assert.ok((await classes(row(22))).includes('taker'));
  assert.deepEqual(await page.locator('.maker-span').allTextContents(), ['x + y']);
  await row(8).locator('.value').nth(1).click(); // y
  assert.ok((await classes(row(6))).includes('maker'));
  assert.ok((await classes(row(8))).includes('taker'));
});

test('what is typed is shown', async () => {
  await type(page, 'def f(a):\n    return a * 7\n');
  await page.locator('.cm-content').focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('g = f(3)');
  await page.waitForFunction(() => coscope.shown.codes.length === 2 && coscope.shown.codes[0].instruction_count > 8);
});

test('an edit is shown, a mistake is said, and mending it ends the complaint', async () => {
  await type(page, 'def f(a):\n    return a * 7\n');
  await page.locator('#tree li', { hasText: 'f' }).first().click();
  await type(page, 'def f(a):\n    return a * * 7\n');
  assert.match(await page.locator('#failure').textContent(), /invalid syntax/);
  await type(page, 'def f(a):\n    return a * 8\n');
  assert.ok(await page.locator('#failure').isHidden());
});

test('blocks and instructions are linked both ways', async () => {
  await type(page, 'def f(a):\n    while a:\n        a -= 1\n    return a\n');
  await page.locator('#tab-graph').click();
  await page.locator('#graph g.node').first().waitFor();
  await page.locator('#graph g.node').nth(1).click();
  const block = await page.evaluate(() => coscope.shown.at.get(coscope.state.offset).block);
  assert.equal(block, 'B1');
  await page.locator('.row .op.s-jump').first().click();
  const marked = await page.locator('#graph g.node.on title').textContent();
  assert.equal(marked, await page.evaluate(() => coscope.shown.at.get(coscope.state.offset).block));
});

test('nothing was complained of, and nobody else was asked', () => {
  assert.deepEqual(page.faults, []);
});
