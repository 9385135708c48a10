// The pictures of docs/guide/page.md: node tests/pictures.mjs FOLDER
import path from 'node:path';
import { browser, host, open } from './browser.mjs';

const folder = process.argv[2];
const server = await host();
const context = await browser();
const page = await open(context, server.url);
const save = (name) => page.screenshot({ path: path.join(folder, name), scale: 'css' });
const example = async (number) => {
  await page.selectOption('#examples', String(number));
  await page.waitForTimeout(1200);
};

await page.setViewportSize({ width: 1240, height: 720 });
await example(4); // try and finally
await page.locator('.row[data-offset="56"] .value').first().click();
await page.locator('#graph g.node.on').waitFor();
await save('page-light.png');

await page.emulateMedia({ colorScheme: 'dark' });
await example(0);
await page.locator('#start').click();
await page.waitForFunction(() => coscope.steps() > 0, null, { timeout: 60_000 });
await page.evaluate(() => {
  for (let at = 0; at < coscope.steps(); at++) {
    coscope.go(at);
    if (coscope.shown.code.key !== 'outer' && document.querySelectorAll('.held .cell').length === 2) return;
  }
});
await page.waitForTimeout(500);
await save('page-run-dark.png');

await page.emulateMedia({ colorScheme: 'light' });
await page.setViewportSize({ width: 390, height: 700 });
await page.locator('#columns [data-column=middle]').click();
await example(1);
await page.locator('.row .value').nth(3).click();
await page.waitForTimeout(500);
await save('page-narrow.png');
await context.close();
await server.end();
