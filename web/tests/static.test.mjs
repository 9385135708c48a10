// The page from a static host, under a path, without any header of ours; then without the host.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browser, host, open } from './browser.mjs';

let context, server;

before(async () => {
  server = await host();
  context = await browser();
});

after(async () => {
  await context?.close();
  await server?.end();
});

test('it works from any folder of any host, and asks nobody else', async () => {
  const page = await open(context, server.url);
  assert.equal(await page.locator('#tree li.on').textContent(), 'inner ◇2');
  assert.equal(await page.locator('#compiler option').count(), 4);
  assert.deepEqual(page.faults, []);
  await page.close();
});

test('its policy forbids eval, inline scripts and other hosts', async () => {
  const page = await open(context, server.url);
  const tried = await page.evaluate(async () => {
    const refused = [];
    document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
    // In a task of its own: what the debugger evaluates may use eval whatever the policy says.
    await new Promise((resolve) => setTimeout(() => {
      try { new Function('return 1')(); } catch { refused.push('eval'); }
      resolve();
    }));
    const inline = document.createElement('script');
    inline.textContent = 'window.inline = 1';
    document.body.append(inline);
    await fetch('http://localhost:9/').catch(() => refused.push('fetch'));
    document.body.setAttribute('style', 'color: red');
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { refused, inline: window.inline ?? null };
  });
  assert.equal(tried.inline, null);
  for (const each of ['eval', 'fetch', 'script-src-elem', 'connect-src', 'style-src-attr']) assert.ok(tried.refused.includes(each), `${each}: ${tried.refused}`);
  await page.close();
});

test('without a snapshot of memory it loads compiled modules', async () => {
  const page = await open(context, `${server.url}?no-snapshot`);
  assert.equal(await page.locator('#tree li.on').textContent(), 'inner ◇2');
  await page.close();
});

test('once loaded it works offline, with another version too', async () => {
  let page = await open(context, server.url);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.waitForSelector('body[data-ready]', { timeout: 90_000 });
  await page.locator('#compiler').selectOption('3.13');
  await page.waitForFunction(() => coscope.shown.code?.version === '3.13', null, { timeout: 90_000 });
  await page.close();
  await server.end();
  page = await open(context, server.url);
  await page.locator('#compiler').selectOption('3.13');
  await page.waitForFunction(() => coscope.shown.code?.version === '3.13', null, { timeout: 90_000 });
  await page.locator('#tab-graph').click();
  await page.locator('#graph g.node').first().waitFor();
  await page.close();
});
