// Run and step: what the recording shows is what the program did.
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

async function example(number) {
  await page.locator('#examples').selectOption(String(number));
  await page.waitForFunction((index) => document.querySelector('#question').textContent !== '' && coscope.state.text === coscope.examples[index].text && coscope.shown.code, number);
}

async function run(call) {
  if (call !== undefined) await page.locator('#call').fill(call);
  const seen = await page.evaluate(() => coscope.recordings());
  await page.locator('#start').click();
  await page.waitForFunction((count) => coscope.recordings() > count || document.querySelector('#status').className === 'error', seen, { timeout: 60_000 });
  return page.locator('#status').textContent();
}

const go = (step) => page.evaluate((at) => coscope.go(at), step);
const last = async () => go((await page.evaluate(() => coscope.steps())) - 1);

// What CPython answers to the call of each example; None of them is printed by the page itself.
const RESULTS = [
  'returned 57', 'returned [2, 2, 2]', 'returned [1, 9]', 'returned 7', "returned ['no number', 'done']", "returned 'still here'",
  "returned '1 and 2 more'", 'returned [3, 2, 1]', 'returned 30', "returned (['hello you', 'hello you'], 1)", "returned 'child of base'",
  `returned 'hello    'Ada', 3.14text="hello    'Ada', 3.14"'`, "returned (86400, ('a', 'b', 'c'), -1, True, 'xx')",
];

test('every example runs, and returns what it returns', async () => {
  assert.equal(await page.locator('#examples option').count(), RESULTS.length + 1);
  for (const [number, result] of RESULTS.entries()) {
    await example(number);
    const status = await run();
    assert.ok(status.replaceAll('\\', '').includes(result), `${number}: ${status}`);
  }
});

test('a step marks source and instruction, and shows locals and cells', async () => {
  await example(0);
  await run();
  await last();
  await page.locator('#back').click();
  assert.equal(await page.locator('.row.on .op').textContent(), 'RETURN_VALUE');
  assert.equal(await page.locator('#tree li.on').textContent(), 'inner ◇2');
  assert.deepEqual(await page.locator('.held .box.cell code').allTextContents(), ['x = 5', 'y = 42']);
  assert.equal(await page.locator('.frame.inner tr').first().textContent(), 'z10');
  assert.match(await page.locator('.held .box.cell').first().textContent(), /made by outer, call 1/);
});

test('back and forth, the same step looks the same', async () => {
  const looks = [];
  for (const order of [[0, 1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1, 0]])
    for (const at of order) {
      await go(at);
      looks.push([at, await page.locator('#moment').innerText(), await page.evaluate(() => coscope.state.offset)].join());
    }
  assert.deepEqual(looks.slice(0, 9), looks.slice(9).reverse());
});

test('a shared cell is one box with several arrows', async () => {
  await example(1);
  await run();
  await page.evaluate(() => {
    // The last step inside of buttons: its own variable and the last lambda.
    const total = coscope.steps();
    for (let at = 0; at < total; at++) {
      coscope.go(at);
      const found = [...document.querySelectorAll('.frame.inner th')].some((each) => each.textContent === 'number');
      if (found && document.querySelector('.held code')?.textContent === 'number = 2') return;
    }
  });
  assert.equal(await page.locator('.held .box.cell').count(), 1);
  await type(page, 'def f():\n    n = 0\n    def a():\n        nonlocal n\n        n += 1\n    def b():\n        return n\n    a()\n    return b()\n');
  await run('f()');
  const most = await page.evaluate(() => {
    let arrows = 0;
    for (let at = 0; at < coscope.steps(); at++) {
      coscope.go(at);
      const boxes = document.querySelectorAll('.held .box.cell').length;
      const paths = document.querySelectorAll('.arrows path:not(.tip)').length;
      if (boxes !== 1 && paths) throw new Error(`${boxes} boxes at step ${at}`);
      arrows = Math.max(arrows, paths);
    }
    return arrows;
  });
  assert.equal(most, 4); // a's own frame, f's variable, and the functions a and b
});

test('two closures of one function have cells of their own', async () => {
  await type(page, 'def make(n):\n    def get():\n        return n\n    return get\ndef two():\n    a, b = make(1), make(2)\n    return a() + b()\n');
  assert.match(await run('two()'), /returned 3/);
  await page.evaluate(() => {
    for (let at = 0; at < coscope.steps(); at++) {
      coscope.go(at);
      if (document.querySelectorAll('.held .box.cell').length === 2) return;
    }
  });
  assert.deepEqual(await page.locator('.held .box.cell code').allTextContents(), ['n = 1', 'n = 2']);
});

test('what is printed is shown as far as the step', async () => {
  await type(page, 'def f():\n    print("one")\n    print("two")\n');
  await run('f()');
  await go(0);
  assert.equal(await page.locator('.output').count(), 0);
  await last();
  assert.equal(await page.locator('.output').textContent(), 'one\ntwo\n');
});

test('an exception is the outcome, in its own words', async () => {
  await type(page, 'def f():\n    return {}["k"]\n');
  assert.match(await run('f()'), /raised KeyError: k/);
});

test('no method of the program is called to show a value', async () => {
  await type(page, 'class A:\n    def __repr__(self):\n        print("called")\n        return "A"\n    __eq__ = __hash__ = __str__ = __repr__\ndef f():\n    a = A()\n    return [a]\n');
  assert.match(await run('f()'), /returned \[A #1\]/);
  await last();
  assert.equal(await page.locator('.output').count(), 0);
});

test('steps are bounded, whatever the program catches', async () => {
  await type(page, 'def f():\n    while True:\n        try:\n            pass\n        except BaseException:\n            pass\n');
  assert.match(await run('f()'), /stopped after 10000 steps/);
});

test('a run without an end is ended with its interpreter, and the next one works', async () => {
  await type(page, 'def f():\n    return sum(iter(int, 1))\ndef g():\n    return 6 * 7\n');
  assert.match(await run('f()'), /no answer in 10 seconds/);
  assert.match(await run('g()'), /returned 42/);
});

test('the program has neither network nor storage', async () => {
  await type(page, `import js
def f():
    found = []
    for name in ("fetch", "XMLHttpRequest", "WebSocket", "indexedDB", "caches", "Worker", "navigator"):
        value = getattr(js, name, None)
        found.append(value is None or repr(value) == "undefined" or str(value) == "undefined")
    return found
`);
  assert.match(await run('f()'), /returned \[True, True, True, True, True, True, True\]/);
});

test('the standard library is there', async () => {
  await type(page, 'import random, collections, json\ndef f():\n    return json.dumps(collections.Counter("aab"))\n');
  assert.match(await run('f()'), /a.+2.+b.+1/);
});

test('nothing was complained of but what was meant to fail', () => {
  assert.deepEqual(page.faults.filter((fault) => !/Pyodide|Stack|File|RangeError/.test(fault)), []);
});
