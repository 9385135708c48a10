// The analyst in Pyodide makes the same document as coscope on this machine, byte for byte.
//
// Micro releases compile differently, so both get the code that Pyodide's CPython compiled; what is
// compared is everything that coscope makes of it, by two interpreters of different versions.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadPyodide } from 'pyodide';
import { PAGE } from './browser.mjs';

const PYTHON = process.env.COSCOPE_PYTHON ?? 'python3';
const MODULES = 50;

/** Modules of the standard library in an order that only their names decide. */
function modules() {
  const library = execFileSync(PYTHON, ['-c', 'import sysconfig; print(sysconfig.get_path("stdlib"))']).toString().trim();
  const scattered = (name) => [...name].reduce((sum, each) => (sum * 31 + each.charCodeAt(0)) % 1009, 7);
  return fs.readdirSync(library)
    .filter((name) => name.endsWith('.py') && fs.statSync(path.join(library, name)).size < 16_000)
    .sort((one, other) => scattered(one) - scattered(other) || (one < other ? -1 : 1))
    .slice(0, MODULES)
    .map((name) => path.join(library, name));
}

test('fifty modules have the same document, byte for byte', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'coscope-same-'));
  const pyodide = await loadPyodide();
  const held = new Uint8Array(fs.readFileSync(path.join(PAGE, 'coscope.zip')));
  pyodide.unpackArchive(held, 'zip', { extractDir: '/lib/python3.14/site-packages' });
  const analyst = pyodide.pyimport('coscope_page');
  const compiler = pyodide.pyimport('coscope_compiler');
  const release = compiler.release();
  fs.writeFileSync(path.join(folder, 'release'), release);
  const files = modules();
  assert.equal(files.length, MODULES);
  const made = files.map((file, number) => {
    const text = fs.readFileSync(file, 'utf8');
    const [kind, data] = compiler.compile_text(text, 'main.py').toJs();
    assert.equal(kind, 'code', file);
    fs.writeFileSync(path.join(folder, `${number}.py`), text);
    fs.writeFileSync(path.join(folder, `${number}.marshal`), data);
    analyst.open_marshalled('main', text, 'main.py', data, release.replace(/\.\d+$/, ''), release);
    return analyst.whole('main', 'json');
  });
  execFileSync(PYTHON, [path.join(path.dirname(fileURLToPath(import.meta.url)), 'documents_native.py'), folder], { stdio: 'inherit' });
  const plain = (text) => text.replace(/"python":"[^"]*"/, '"python":""'); // who made it
  let bytes = 0;
  for (const [number, file] of files.entries()) {
    const native = fs.readFileSync(path.join(folder, `${number}.native.json`), 'utf8');
    assert.ok(made[number].length > 1000 && !made[number].includes('"error":{'), file);
    assert.ok(plain(native) === plain(made[number]), `${file} differs`);
    bytes += native.length;
  }
  assert.ok(bytes > 3_000_000, `${bytes}`);
  fs.rmSync(folder, { recursive: true, force: true });
});
