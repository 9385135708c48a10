// Builds the page: bundles, Pyodides, coscope as compiled modules and as a snapshot of memory.
//
//     node build.mjs [FOLDER]        FOLDER: dist, if not given
//
// coscope's sources are taken from ../src, or from ./coscope of a source distribution.
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';
import { gzipSync, constants } from 'node:zlib';
import { loadPyodide } from 'pyodide';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, 'dist'));
const sources = [path.join(here, '../src/coscope'), path.join(here, 'coscope')].find((p) =>
  fs.existsSync(path.join(p, '__init__.py')),
);
if (!sources) throw new Error('coscope is neither in ../src nor beside this file');

// Each version that runs in the browser: its CPython, and the npm package that holds it.
const PYODIDES = { 3.12: 'pyodide-3.12', 3.13: 'pyodide-3.13', 3.14: 'pyodide', 3.15: 'pyodide-3.15' };
const ANALYST = '3.14';

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });

async function bundle() {
  const python = (name) => fs.readFileSync(path.join(here, 'python', name), 'utf8');
  const result = await build({
    entryPoints: {
      page: path.join(here, 'src/main.ts'),
      worker: path.join(here, 'src/worker.ts'),
      layout: path.join(here, 'src/layout_worker.ts'),
    },
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    metafile: true,
    define: {
      COMPILER: JSON.stringify(python('coscope_compiler.py')),
      RECORDER: JSON.stringify(python('coscope_recorder.py')),
    },
    external: ['node:*'],
  });
  for (const name of fs.readdirSync(path.join(here, 'public')))
    fs.copyFileSync(path.join(here, 'public', name), path.join(out, name));
  return result.metafile;
}

function pyodides() {
  const releases = {};
  for (const [version, name] of Object.entries(PYODIDES)) {
    const from = path.join(here, 'node_modules', name);
    const to = path.join(out, 'pyodide', version);
    fs.mkdirSync(to, { recursive: true });
    const files = fs
      .readdirSync(from)
      .filter((file) => /^(pyodide\.asm\.(m?js|wasm)|pyodide\.mjs|python_stdlib\.zip)$/.test(file));
    for (const file of files) fs.copyFileSync(path.join(from, file), path.join(to, file));
    // The lock file lists packages of the Pyodide distribution, none of which the page loads.
    const lock = JSON.parse(fs.readFileSync(path.join(from, 'pyodide-lock.json'), 'utf8'));
    fs.writeFileSync(path.join(to, 'pyodide-lock.json'), JSON.stringify({ ...lock, packages: {} }));
    releases[version] = lock.info.python;
  }
  return releases;
}

function* walk(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(at);
    else yield at;
  }
}

// What the page never imports stays out: the command line, the corpus, the tuner.
const LEFT_OUT = /^(cli|corpus|tuner|server|notebook)\//;

const SITE = '/lib/python3.14/site-packages';

async function analyst() {
  const pyodide = await loadPyodide({
    indexURL: path.join(here, 'node_modules', PYODIDES[ANALYST]) + '/',
    _makeSnapshot: true,
  });
  const fsys = pyodide.FS;
  for (const file of walk(sources)) {
    const name = path.relative(sources, file).split(path.sep).join('/');
    if (LEFT_OUT.test(name) || !/\.(py|toml|json)$/.test(name)) continue;
    fsys.mkdirTree(path.posix.dirname(`${SITE}/coscope/${name}`));
    fsys.writeFile(`${SITE}/coscope/${name}`, new Uint8Array(fs.readFileSync(file)));
  }
  for (const name of ['coscope_page.py', 'coscope_recorder.py', 'coscope_compiler.py'])
    fsys.writeFile(`${SITE}/${name}`, new Uint8Array(fs.readFileSync(path.join(here, 'python', name))));
  // Compiled modules beside no source: imported without a look at a clock or a folder of caches.
  pyodide.runPython(`
import compileall, py_compile, pathlib, sys, zipfile
site = pathlib.Path(${JSON.stringify(SITE)})
ours = [site / "coscope", *site.glob("coscope_*.py")]
compileall.compile_dir(site / "coscope", quiet=2, legacy=True, ddir="coscope", invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
for each in site.glob("coscope_*.py"):
    compileall.compile_file(each, quiet=2, legacy=True, ddir="", invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
for each in [*(site / "coscope").rglob("*.py"), *site.glob("coscope_*.py")]:
    each.unlink()
with zipfile.ZipFile("/modules.zip", "w", zipfile.ZIP_DEFLATED) as held:
    for each in sorted([*(site / "coscope").rglob("*.*"), *site.glob("coscope_*.pyc")]):
        if each.is_file():
            held.writestr(zipfile.ZipInfo(str(each.relative_to(site)), (2026, 1, 1, 0, 0, 0)), each.read_bytes(), zipfile.ZIP_DEFLATED)
sys.dont_write_bytecode = True
import coscope_page, coscope_recorder, coscope_compiler
import gc; gc.collect()
`);
  fs.writeFileSync(path.join(out, 'coscope.zip'), fsys.readFile('/modules.zip'));
  fsys.unlink('/modules.zip');
  const snapshot = pyodide.makeMemorySnapshot();
  fs.writeFileSync(path.join(out, 'snapshot.bin.gz'), gzipSync(snapshot, { level: constants.Z_BEST_COMPRESSION }));
}

const meta = await bundle();
const releases = pyodides();
await analyst();
// The service worker keeps these files; its name for them changes when any of them does.
const files = [...walk(out)].map((file) => path.relative(out, file).split(path.sep).join('/')).sort();
const digest = createHash('sha256');
for (const file of files) digest.update(file).update(fs.readFileSync(path.join(out, file)));
const build_id = digest.digest('hex').slice(0, 16);
fs.writeFileSync(path.join(out, 'build.json'), JSON.stringify({ build: build_id, analyst: ANALYST, releases, files }) + '\n');
const gzipped = files
  .filter((file) => !file.startsWith('pyodide/') && !/^(snapshot|coscope\.zip)/.test(file))
  .reduce((sum, file) => sum + gzipSync(fs.readFileSync(path.join(out, file))).length, 0);
console.log(`${out}: ${files.length} files, the page without Pyodide ${Math.round(gzipped / 1000)} kB gzipped`);
process.exit(0); // Pyodide keeps node alive
