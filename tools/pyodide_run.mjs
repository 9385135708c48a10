// Run a Python program inside the CPython of an npm `pyodide` package.
//   node pyodide_run.mjs BASE [--mount HOST=INSIDE]... [--path INSIDE]... PROGRAM [ARGUMENT...]
// BASE holds node_modules/pyodide. --mount shows a host folder inside; --path puts a folder on
// sys.path. PROGRAM is a path as seen inside, or `-m MODULE`. The exit status is the program's.
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import path from "node:path";

// Node's own stack is too small for deep recursion in Python, which would end the process. So run
// again with a larger one, of 60 MiB if the system lets a process have that, else of 6.
const ROOMY = "COSCOPE_ROOMY_STACK";
if (!process.env[ROOMY]) {
  const again =
    'if ulimit -s 65536 2>/dev/null; then k=60000; else k=6000; fi; exec "$0" --stack-size=$k "$@"';
  const run = spawnSync("sh", ["-c", again, process.execPath, ...process.argv.slice(1)], {
    stdio: "inherit",
    env: { ...process.env, [ROOMY]: "1" },
  });
  process.exit(run.status ?? 1);
}

const [base, ...words] = process.argv.slice(2);
const mounts = [];
const paths = [];
while (words[0] === "--mount" || words[0] === "--path") {
  const [option, value] = words.splice(0, 2);
  (option === "--mount" ? mounts : paths).push(value);
}
const folder = path.resolve(base, "node_modules/pyodide");
const { loadPyodide } = await import(pathToFileURL(path.join(folder, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: folder + "/" });
for (const mount of mounts) {
  const at = mount.lastIndexOf("=");
  const inside = mount.slice(at + 1);
  python.FS.mkdirTree(inside);
  python.FS.mount(python.FS.filesystems.NODEFS, { root: path.resolve(mount.slice(0, at)) }, inside);
}
python.globals.set("words", python.toPy(words));
python.globals.set("paths", python.toPy(paths));
const status = python.runPython(`
def run():
    import runpy, sys, traceback
    sys.dont_write_bytecode = True  # the mounted folders belong to the host
    sys.path[:0] = paths
    module = words[0] == "-m"
    sys.argv = words[1:] if module else words
    try:
        if module:
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return int(stop.code or 0)
        print(stop.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
run()
`);
process.exit(status);
