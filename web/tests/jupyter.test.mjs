// What coscope displays in a real JupyterLab: trusted and not, light and dark, with the system's theme the other way round.
// COSCOPE_JUPYTER names the Python that has JupyterLab; .ci/run makes one.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { browser } from './browser.mjs';

const PYTHON = process.env.COSCOPE_PYTHON ?? 'python3';
const JUPYTER = process.env.COSCOPE_JUPYTER;
const skip = JUPYTER ? false : 'COSCOPE_JUPYTER names no Python with JupyterLab';

// Prints a notebook whose outputs are what the API gives.
const NOTEBOOK = `
import json, sys, coscope
def total(rows, *, least=3):
    """Sum."""
    kept = [row for row in rows if row > least]
    def inner(scale):
        return sum(kept) * scale
    return inner
made = total([5, 6])
results = [
    coscope.Card(total), coscope.depends(total), coscope.closure(made), coscope.capture(made),
    coscope.call(total, 'rows'), coscope.signature(total), coscope.diff(total, made), coscope.verify(total), coscope.audit(total),
    coscope.fingerprint(total), coscope.trace(made, (2,)), coscope.receipt_of(coscope.patch(total, defaults={"least": 4})),
]
outputs = []
for each in results:
    bundle = each._repr_mimebundle_(include=["text/plain", "text/html"])
    outputs.append({"output_type": "display_data", "metadata": {}, "data": {k: v.splitlines(True) for k, v in bundle.items()}})
cell = {"cell_type": "code", "id": "one", "execution_count": 1, "metadata": {}, "source": ["1"], "outputs": outputs}
print(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}, "cells": [cell]}))
`;

let folder, server, context, page, address;

before(async () => {
  if (skip) return;
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'coscope-jupyter-'));
  fs.writeFileSync(path.join(folder, 'made.py'), NOTEBOOK);
  const text = execFileSync(PYTHON, [path.join(folder, 'made.py')], { encoding: 'utf-8' });
  for (const name of ['trusted', 'untrusted']) fs.writeFileSync(path.join(folder, `${name}.ipynb`), name === 'trusted' ? text.replace('"source": ["1"]', '"source": ["2"]') : text);
  const environment = { ...process.env, HOME: folder, JUPYTER_DATA_DIR: `${folder}/data`, JUPYTER_CONFIG_DIR: `${folder}/config`, JUPYTER_RUNTIME_DIR: `${folder}/runtime`, JUPYTERLAB_SETTINGS_DIR: `${folder}/settings` };
  execFileSync(JUPYTER, ['-m', 'nbformat.sign', path.join(folder, 'trusted.ipynb')], { env: environment, stdio: 'ignore' });
  const words = ['-m', 'jupyterlab', '--no-browser', '--allow-root', '--ServerApp.ip=127.0.0.1', '--ServerApp.port=0', '--IdentityProvider.token=test', `--ServerApp.root_dir=${folder}`, '--LabApp.extension_manager=readonly', '--LabApp.news_url=None'];
  server = spawn(JUPYTER, words, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  address = await new Promise((resolve, reject) => {
    let said = '';
    server.stderr.on('data', (data) => {
      said += data;
      const found = /http:\/\/127\.0\.0\.1:(\d+)\/lab/.exec(said);
      if (found) resolve(`http://127.0.0.1:${found[1]}`);
    });
    server.on('exit', () => reject(new Error(said)));
  });
  context = await browser();
  page = await context.newPage();
});

after(async () => {
  await context?.close();
  if (server) {
    // With kernels alive it may take its time, or ask: it is given five seconds.
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    const late = setTimeout(() => server.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
    server.stderr.destroy();
  }
  if (folder) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Where each line of a page is, and the least contrast of its words; runs in the browser. */
function measured() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((part, at) => (at < 3 ? part : part / 255));
  };
  const over = (top, below, opacity) => [0, 1, 2].map((at) => top[at] * top[3] * opacity + below[at] * (1 - top[3] * opacity));
  const luminance = (color) => color.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const background = (node) => {
    for (let up = node; up; up = up.parentElement) {
      const color = rgba(getComputedStyle(up).backgroundColor);
      if (color[3] > 0.99) return color.slice(0, 3);
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('.jp-RenderedHTMLCommon pre')].map((pre) => {
    const area = pre.closest('.jp-OutputArea-output').getBoundingClientRect();
    const box = pre.getBoundingClientRect();
    const style = getComputedStyle(pre);
    const lines = pre.textContent.split('\n').length;
    let contrast = 99;
    for (const node of [pre, ...pre.querySelectorAll('span,b')]) {
      let opacity = 1;
      for (let up = node; up && up !== document.body; up = up.parentElement) opacity *= Number(getComputedStyle(up).opacity);
      const below = background(node);
      const [a, b] = [luminance(over(rgba(getComputedStyle(node).color), below, opacity)), luminance(below)];
      contrast = Math.min(contrast, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
    }
    // Of each word its place: a fixed-width column times its index in the line.
    const range = document.createRange();
    const first = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT).nextNode();
    range.setStart(first, 0);
    range.setEnd(first, 1);
    const glyph = range.getBoundingClientRect();
    return { indent: glyph.left - area.left, width: box.width, area: area.width, lines, height: pre.scrollHeight / Number.parseFloat(style.lineHeight), space: style.whiteSpace, family: style.fontFamily, contrast, text: pre.textContent };
  });
}

for (const trust of ['trusted', 'untrusted']) {
  for (const theme of ['Light', 'Dark']) {
    test(`JupyterLab, ${trust}, ${theme.toLowerCase()}, the system the other way round`, { skip }, async () => {
      await page.emulateMedia({ colorScheme: theme === 'Light' ? 'dark' : 'light' });
      const settings = await page.request.put(`${address}/lab/api/settings/@jupyterlab/apputils-extension:themes?token=test`, { data: { raw: JSON.stringify({ theme: `JupyterLab ${theme}` }) } });
      assert.ok(settings.ok(), await settings.text());
      await page.goto(`${address}/doc/tree/${trust}.ipynb?token=test`);
      await page.waitForSelector(`body[data-jp-theme-light="${theme === 'Light'}"]`, { timeout: 30000, state: 'attached' });
      await page.waitForFunction(() => document.querySelectorAll('.jp-RenderedHTMLCommon pre').length === 12, null, { timeout: 30000 });
      const found = await page.evaluate(measured);
      const styles = await page.$$eval('.jp-RenderedHTMLCommon style', (all) => all.length);
      if (process.env.COSCOPE_SHOTS) await page.screenshot({ path: path.join(process.env.COSCOPE_SHOTS, `jupyter-${trust}-${theme.toLowerCase()}.png`) });

      assert.equal(styles > 0, trust === 'trusted', 'only a trusted notebook keeps style sheets');
      for (const each of found) {
        const head = each.text.slice(0, 40);
        assert.equal(each.space, 'pre', head);
        assert.ok(each.lines >= 1, head);
        assert.ok(Math.abs(each.height - each.lines) < 1.5, `${head}: ${each.height} lines high, ${each.lines} lines`);
        assert.ok(each.indent >= 0 && each.indent < 40, `${head}: begins ${each.indent} px from the left`);
        assert.ok(each.contrast >= 4.5, `${head}: contrast ${each.contrast}`);
        assert.match(each.family, /mono/i);
      }
    });
  }
}
