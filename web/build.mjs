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
const MODULES = ['coscope_page', 'coscope_recorder', 'coscope_compiler'];

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });

async function bundle() {
  const python = (name) => fs.readFileSync(path.join(here, 'python', name), 'utf8');
  await build({
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
    define: {
      COMPILER: JSON.stringify(python('coscope_compiler.py')),
      RECORDER: JSON.stringify(python('coscope_recorder.py')),
    },
    external: ['node:*'],
  });
  for (const name of fs.readdirSync(path.join(here, 'public')))
    fs.copyFileSync(path.join(here, 'public', name), path.join(out, name));
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

const interpreter = (options = {}) =>
  loadPyodide({ indexURL: path.join(here, 'node_modules', PYODIDES[ANALYST]) + '/', ...options });

/** coscope as compiled modules, beside no source: imported without a look at clocks or caches. */
async function compiled() {
  const pyodide = await interpreter();
  const fsys = pyodide.FS;
  const write = (name, file) => {
    fsys.mkdirTree(path.posix.dirname(`/site/${name}`));
    fsys.writeFile(`/site/${name}`, new Uint8Array(fs.readFileSync(file)));
  };
  for (const file of walk(sources)) {
    const name = path.relative(sources, file).split(path.sep).join('/');
    if (!LEFT_OUT.test(name) && /\.(py|toml|json|css|js)$/.test(name)) write(`coscope/${name}`, file);
  }
  for (const name of MODULES) write(`${name}.py`, path.join(here, 'python', `${name}.py`));
  pyodide.runPython(`
import pathlib, py_compile, zipfile
site = pathlib.Path("/site")
hashed = py_compile.PycInvalidationMode.UNCHECKED_HASH
for each in sorted(site.rglob("*.py")):
    name = str(each.relative_to(site))
    py_compile.compile(str(each), str(each) + "c", name, doraise=True, invalidation_mode=hashed)
    each.unlink()
with zipfile.ZipFile("/modules.zip", "w", zipfile.ZIP_DEFLATED) as held:
    for each in sorted(path for path in site.rglob("*.*") if path.is_file()):
        info = zipfile.ZipInfo(str(each.relative_to(site)), (2026, 1, 1, 0, 0, 0))
        held.writestr(info, each.read_bytes(), zipfile.ZIP_DEFLATED)
`);
  return fsys.readFile('/modules.zip');
}

/** The memory of an analyst that has answered once. It holds no files: see `worker.ts`. */
async function snapshot(modules) {
  const pyodide = await interpreter({ _makeSnapshot: true });
  pyodide.unpackArchive(modules, 'zip', { extractDir: SITE });
  pyodide.runPython(`import sys\nsys.dont_write_bytecode = True\nimport ${MODULES.join(', ')}\nimport gc\ngc.collect()\n`);
  const memory = pyodide.makeMemorySnapshot();
  return memory;
}

await bundle();
const releases = pyodides();
const modules = await compiled();
fs.writeFileSync(path.join(out, 'coscope.zip'), modules);
const memory = await snapshot(modules);
fs.writeFileSync(path.join(out, 'snapshot.bin.gz'), gzipSync(memory, { level: constants.Z_BEST_COMPRESSION }));
// The service worker keeps these files; its name for them changes when any of them does.
const files = [...walk(out)].map((file) => path.relative(out, file).split(path.sep).join('/')).sort();
const digest = createHash('sha256');
for (const file of files) digest.update(file).update(fs.readFileSync(path.join(out, file)));
const build_id = digest.digest('hex').slice(0, 16);
// A browser installs the service worker anew when its text is another one.
fs.appendFileSync(path.join(out, 'sw.js'), `// build ${build_id}\n`);
fs.writeFileSync(path.join(out, 'build.json'), JSON.stringify({ build: build_id, analyst: ANALYST, releases, files }) + '\n');
const gzipped = files
  .filter((file) => !file.startsWith('pyodide/') && !/^(snapshot|coscope\.zip)/.test(file))
  .reduce((sum, file) => sum + gzipSync(fs.readFileSync(path.join(out, file))).length, 0);
console.log(`${out}: ${files.length} files, the page without Pyodide ${Math.round(gzipped / 1000)} kB gzipped`);
process.exit(0); // Pyodide keeps node alive
