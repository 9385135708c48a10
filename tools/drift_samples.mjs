// Compiles tests/trust/drift_sample.txt by the CPython of a Pyodide: another release of its version.
//
// node tools/drift_samples.mjs FOLDER tests/trust/drift_sample.txt tests/trust/data
//
// FOLDER has node_modules/pyodide, by `npm install --no-package-lock pyodide@VERSION`. The files of
// tests/trust/data are of pyodide 0.27.7, 0.28.3, 314.0.7 and 315.0.0-alpha.2.
import fs from "fs";

const [folder, source, out] = process.argv.slice(2);
const { loadPyodide } = await import(`${folder}/node_modules/pyodide/pyodide.mjs`);
const python = await loadPyodide({});
python.globals.set("TEXT", fs.readFileSync(source, "utf8"));
const hex = python.runPython(`
import marshal
code = compile(TEXT, "drift_sample.py", "exec", dont_inherit=True)
held = [code, code]
marshal.dumps(held[0]).hex()`);
const release = python.runPython("import platform; platform.python_version()");
fs.writeFileSync(`${out}/cpython-${release}.hex`, hex.match(/.{1,100}/g).join("\n") + "\n");
console.log(release);
