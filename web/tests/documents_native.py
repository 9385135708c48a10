"""Documents of code that Pyodide compiled, made by this interpreter: see documents.test.mjs.

python documents_native.py FOLDER: N.py and N.marshal in, N.native.json out.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

import coscope_page


def main(folder: Path) -> None:
    release = (folder / "release").read_text()
    for data in folder.glob("*.marshal"):
        text = data.with_suffix(".py").read_text(encoding="utf-8")
        version = release.rpartition(".")[0]
        opened = coscope_page.open_marshalled(
            "main", text, "main.py", data.read_bytes(), version, release
        )
        made = coscope_page.whole("main", "json") if '"error"' not in opened else opened
        data.with_suffix(".native.json").write_text(made)


main(Path(sys.argv[1]))
