"""An environment's files beside its bytecode: every change is reported, and nothing else is."""

from __future__ import annotations

import compileall
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from coscope.trust import trust

SOURCE = b"def f():\n    return 1\n"


def _row(name: str, data: bytes) -> str:
    digest = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site-packages with one distribution, compiled."""
    folder = tmp_path / "venv" / "lib" / "python3" / "site-packages"
    files = {
        "pk/__init__.py": b"",
        "pk/mod.py": SOURCE,
        "pk-1.0.dist-info/METADATA": b"Name: pk\n",
        "pk-1.0.dist-info/entry_points.txt": b"[console_scripts]\npk = pk.mod:f\n",
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    rows = "".join(_row(name, data) for name, data in files.items())
    (folder / "pk-1.0.dist-info" / "RECORD").write_text(rows + "pk-1.0.dist-info/RECORD,,\n")
    compileall.compile_dir(str(folder), quiet=2)
    return folder


def _cached(site: Path) -> Path:
    return next((site / "pk" / "__pycache__").glob("mod.*.pyc"))


def test_it_is_clean(site: Path) -> None:
    found = trust(site.parents[2])

    assert ([], 0) == (list(found.signs), found.status(strict=True))
    assert {"distribution", "entry point"} == {each.kind for each in found.listed}


def _source_removed(site: Path) -> None:
    (site / "pk" / "mod.py").unlink()


def _sourceless(site: Path) -> None:
    (site / "json.pyc").write_bytes(_cached(site).read_bytes())


def _orphan(site: Path) -> None:
    cached = _cached(site)
    cached.with_name(cached.name.replace("mod.", "gone.")).write_bytes(cached.read_bytes())


def _path_line(site: Path) -> None:
    (site / "evil.pth").write_text("/somewhere\nimport os; os.system('id')\n")


def _starting(site: Path) -> None:
    (site / "sitecustomize.py").write_text("x = 1\n")


def _added(site: Path) -> None:
    (site / "pk" / "extra.py").write_text("x = 1\n")


def _native_added(site: Path) -> None:
    (site / "pk" / "extra.so").write_bytes(b"\x7fELF")


def _replaced(site: Path) -> None:
    """Source and bytecode together: only RECORD knows."""
    (site / "pk" / "mod.py").write_bytes(SOURCE.replace(b"1", b"2"))
    compileall.compile_dir(str(site), quiet=2, force=True)


def _metadata_changed(site: Path) -> None:
    (site / "pk-1.0.dist-info" / "entry_points.txt").write_text("[console_scripts]\nls = pk:f\n")


def _record_damaged(site: Path) -> None:
    (site / "pk-1.0.dist-info" / "RECORD").write_bytes(b"\xff\xfe,,")


def _record_doubled(site: Path) -> None:
    path = site / "pk-1.0.dist-info" / "RECORD"
    path.write_text(path.read_text() * 2)


def _record_weak(site: Path) -> None:
    path = site / "pk-1.0.dist-info" / "RECORD"
    path.write_text(path.read_text().replace("sha256=", "md5="))


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (_source_removed, {"TRU103", "TRU304", "TRU402"}),
        (_sourceless, {"TRU103", "TRU305", "TRU306"}),
        (_orphan, {"TRU103", "TRU304"}),
        (_path_line, {"TRU401"}),
        (_starting, {"TRU406"}),
        (_added, {"TRU404"}),
        (_native_added, {"TRU404"}),
        (_replaced, {"TRU403"}),
        (_metadata_changed, {"TRU403"}),
        (_record_damaged, {"TRU405"}),
        (_record_doubled, {"TRU405"}),
        (_record_weak, {"TRU405"}),
    ],
    ids=lambda each: each.__name__.strip("_") if callable(each) else "",
)
def test_a_change_is_reported(site: Path, change: Callable[[Path], None], rules: set[str]) -> None:
    change(site)
    found = trust(site.parents[2])

    assert rules <= {each.kind for each in found.signs}
    assert 0 < found.status()


@pytest.mark.parametrize("line", ["import _virtualenv", "../other", "# import os"])
def test_lines_of_known_tools_and_plain_paths_are_no_alarm(site: Path, line: str) -> None:
    (site / "known.pth").write_text(line + "\n")

    assert 0 == trust(site).status()


def test_what_runs_is_said(site: Path) -> None:
    _sourceless(site)
    (site / "pk" / "mod.pyc").write_bytes(_cached(site).read_bytes())
    runs = {Path(each.file).name.partition(".")[0]: each.runs for each in trust(site).files}

    assert runs["json"].startswith("the file itself")
    assert {"mod.py, which comes before mod.pyc"} <= {e.runs for e in trust(site).files}


def test_an_extension_module_comes_first(site: Path) -> None:
    (site / "pk" / "mod.abi3.so").write_bytes(b"\x7fELF")
    found = trust(_cached(site)).files[0]

    assert found.runs.startswith("mod.abi3.so, which comes before mod.py")
