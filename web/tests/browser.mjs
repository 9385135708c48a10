// A browser with the page in it: served by `coscope serve`, or as files, as any static host would.
import { chromium } from 'playwright-core';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const PAGE = process.env.COSCOPE_PAGE ?? path.join(here, '../coscope_web/page');
const PYTHON = process.env.COSCOPE_PYTHON ?? 'python3';
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

export async function browser() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'coscope-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM, args: FLAGS, viewport: { width: 1400, height: 860 },
  });
  const close = context.close.bind(context);
  context.close = async () => {
    await close();
    fs.rmSync(profile, { recursive: true, force: true });
  };
  return context;
}

/** `coscope serve`, with words of the command line; it is ended by `end`. */
export async function serve(...words) {
  const child = spawn(PYTHON, ['-m', 'coscope', 'serve', '--no-browser', '--json', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
      if (text.includes('\n')) resolve(text.split('\n')[0]);
    });
    child.on('exit', (code) => reject(new Error(`coscope serve ended with ${code}`)));
  });
  return { ...JSON.parse(line), end: () => child.kill() };
}

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css',
  '.wasm': 'application/wasm', '.json': 'application/json', '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json',
};

/** The page as files below /coscope/, without any header of our own. */
export async function host() {
  const server = http.createServer((request, response) => {
    let name = decodeURIComponent(new URL(request.url, 'http://h').pathname).replace(/^\/coscope\//, '') || 'index.html';
    const file = path.join(PAGE, name);
    if (!file.startsWith(PAGE) || !fs.existsSync(file) || !fs.statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
    fs.createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/coscope/`;
  return { url, end: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }) };
}

/** Open an address; whatever the page complains of, or asks of other hosts, is in `faults`. */
export async function open(context, url) {
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') page.faults.push(`console: ${message.text()}`);
  });
  const origin = new URL(url).origin;
  page.on('request', (request) => {
    const to = request.url();
    if (!to.startsWith(origin) && !/^(data|blob):/.test(to)) page.faults.push(`request: ${to}`);
  });
  await page.goto(url);
  await page.waitForSelector('body[data-ready]', { timeout: 90_000 });
  return page;
}

/** Put a text in the place of the editor's, and wait until the page has answered. */
export async function type(page, text) {
  const before = await page.evaluate((given) => {
    const { runs } = coscope.timing;
    coscope.edit(given);
    return runs;
  }, text);
  await page.waitForFunction((runs) => coscope.timing.runs > runs, before, { timeout: 60_000 });
}
