"""Scans that are equal however they run, go on where they stopped, and lose nothing."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="coscope[corpus] is not installed")
pytest.importorskip("duckdb", reason="coscope[corpus] is not installed")

from coscope.corpus import open_corpus, scan
from coscope.corpus.catalog import MANIFEST
from coscope.corpus.part import _needs_care
from coscope.errors import CoscopeError, InputError, TargetNotFound
from tests.corpus.contents import contents, leftovers

SOURCE = Path(__file__).resolve().parents[2] / "src"

# Run in another process: a scan of argv[1] into argv[2] on argv[3] processes.
PROGRAM = """
import sys
from coscope.corpus import scan
if __name__ == "__main__":
    scan([sys.argv[1]], sys.argv[2], processes=int(sys.argv[3]))
"""


def _scan_elsewhere(tree: Path, folder: Path, processes: int, seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(SOURCE)}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tree), str(folder), str(processes)],
        env=environment, check=True, timeout=300,
    )  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A few files of our own, which a test may change."""
    root = tmp_path / "small"
    root.mkdir()
    for at in range(12):
        (root / f"m{at}.py").write_text(f"def f{at}(x):\n    return x + {at}\n")
    return root


def test_one_process_two_processes_and_any_hash_seed_give_the_same(
    tree: Path, tmp_path: Path
) -> None:
    scan([tree], tmp_path / "here")
    expected = contents(tmp_path / "here")
    for name, processes, seed in (("one", 1, "0"), ("two", 2, "1"), ("third", 2, "77")):
        _scan_elsewhere(tree, tmp_path / name, processes, seed)

        assert expected == contents(tmp_path / name)
        assert [] == leftovers(tmp_path / name)


def test_the_draft_of_a_killed_worker_does_not_stay(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "c"

    def die(done: int, total: int) -> None:
        part = next((folder / "instructions").glob("python=*"))
        (part / ".a746c6.parquet.18838.tmp").write_bytes(b"half")

    scan([small], folder, progress=die)

    assert [] == leftovers(folder)


def test_an_unchanged_tree_is_not_read_again(small: Path, tmp_path: Path) -> None:
    first = scan([small], tmp_path / "c")
    second = scan([small], tmp_path / "c")

    assert (12, 0) == (first.scanned, second.scanned)
    assert first.codes == second.codes


def test_what_changed_is_read_and_what_is_gone_is_removed(small: Path, tmp_path: Path) -> None:
    scan([small], tmp_path / "c")
    (small / "m0.py").write_text("def other(): pass\n")
    (small / "m1.py").unlink()
    report = scan([small], tmp_path / "c")
    scan([small], tmp_path / "fresh")

    assert (1, 2) == (report.scanned, report.removed)
    assert contents(tmp_path / "fresh") == contents(tmp_path / "c")
    assert [] == leftovers(tmp_path / "c")


def test_other_details_are_another_content(small: Path, tmp_path: Path) -> None:
    scan([small], tmp_path / "c")
    report = scan([small], tmp_path / "c", details=("flow",))

    assert 12 == report.scanned
    assert dict(report.tables)["codes"] == dict(report.tables)["flow"] == 24


def test_a_scan_that_was_interrupted_goes_on(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coscope.corpus import on_processes, plan

    monkeypatch.setattr(plan, "FILES", 5)
    monkeypatch.setattr(plan.parts_of, "__defaults__", (5,))
    real = on_processes.scan_part
    done: list[str] = []

    def stop_after_one(part: object) -> dict[str, int]:
        if done:
            raise KeyboardInterrupt
        done.append("one")
        return real(part)  # type: ignore[arg-type]

    monkeypatch.setattr(on_processes, "scan_part", stop_after_one)
    with pytest.raises(KeyboardInterrupt):
        scan([small], tmp_path / "c")
    with pytest.raises(CoscopeError, match="interrupted"):
        open_corpus(tmp_path / "c")
    monkeypatch.setattr(on_processes, "scan_part", real)
    report = scan([small], tmp_path / "c")
    scan([small], tmp_path / "fresh")

    assert 7 == report.scanned
    assert contents(tmp_path / "fresh") == contents(tmp_path / "c")


def test_half_a_part_does_not_count(small: Path, tmp_path: Path) -> None:
    """A process that was killed between two tables leaves files that the next scan removes."""
    scan([small], tmp_path / "c")
    expected = contents(tmp_path / "c")
    for file in (tmp_path / "c" / "files").rglob("*.parquet"):
        file.unlink()
    (tmp_path / "c" / "codes" / ".left.parquet.1.tmp").write_bytes(b"PAR1")
    (next((tmp_path / "c" / "codes").glob("python=*")) / ".left.parquet.1.tmp").write_bytes(b"PAR1")
    report = scan([small], tmp_path / "c")

    assert 12 == report.scanned
    assert expected == contents(tmp_path / "c")


def test_two_scans_into_one_folder_are_refused(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "scan.lock").write_text(str(os.getppid()))

    with pytest.raises(CoscopeError, match="another scan is writing"):
        scan([small], folder)


def test_the_lock_of_a_dead_process_does_not_hold(small: Path, tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "scan.lock").write_text(str(child.pid))

    assert 12 == scan([small], folder).scanned


def test_a_folder_with_other_things_is_left_alone(small: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not empty"):
        scan([small], small)

    assert 12 == len(list(small.iterdir()))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_is_one_error_and_nothing_half_written(small: Path, tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
        "from coscope.cli import main\n"
        "sys.argv = ['coscope', 'corpus', 'scan', sys.argv[1], '-o', sys.argv[2], '-j', '1']\n"
        "main()\n"
    )
    run = subprocess.run(
        [sys.executable, "-B", "-c", program, str(small), str(tmp_path / "c")],
        capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip

    assert 2 == run.returncode
    assert "cannot write the corpus" in run.stderr
    assert "Traceback" not in run.stderr
    assert [] == [each for each in leftovers(tmp_path / "c") if each != "scan.lock"]


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_a_worker_that_is_killed_costs_nothing(tree: Path, tmp_path: Path) -> None:
    """Its part is done again; the answer is the one of an undisturbed scan."""
    from coscope.corpus.on_processes import on_processes
    from coscope.corpus.plan import parts_of

    scan([tree], tmp_path / "plain")
    killed: list[int] = []
    real = subprocess.Popen

    class Killed(real):  # type: ignore[misc,valid-type]
        def __init__(self, *args: object, **more: object) -> None:
            super().__init__(*args, **more)
            if not killed and "corpus.worker" in str(args):
                killed.append(self.pid)
                os.kill(self.pid, signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", Killed)
        report = scan([tree], tmp_path / "killed", processes=2)
    del on_processes, parts_of

    assert [1] == [len(killed)]
    assert () == tuple(each for each in report.unread if each[0] == "the process died")
    assert contents(tmp_path / "plain") == contents(tmp_path / "killed")


def test_wheels_are_read_in_memory(small: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in sorted(small.glob("*.py")):
            archive.write(file, f"small/{file.name}")
        archive.writestr("small-1.0.dist-info/METADATA", "Name: small\nVersion: 1.0\n")
    report = scan([wheel], tmp_path / "c")
    with open_corpus(tmp_path / "c") as corpus:
        found = corpus.sql("select distinct package, distribution from places").rows()

    assert 12 == report.scanned
    assert [("small", "small 1.0")] == found


def test_a_file_and_the_same_member_are_one_content(small: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "small"), "gztar", tmp_path, "small")
    report = scan([small, archive], tmp_path / "c")

    assert (24, 12) == (report.places, report.scanned)


def test_pyc_files_without_a_source_are_read(small: Path, tmp_path: Path) -> None:
    import py_compile

    py_compile.compile(str(small / "m0.py"), cfile=str(small / "alone.pyc"))
    report = scan([small], tmp_path / "c")
    with open_corpus(tmp_path / "c") as corpus:
        found = corpus.sql("select kind, count(*) from files group by kind order by kind").rows()

    assert 13 == report.scanned
    assert [("pyc", 1), ("source", 12)] == found


def test_a_compiled_file_is_of_the_version_that_its_magic_number_says(tmp_path: Path) -> None:
    data = Path(__file__).parents[1] / "render" / "data"
    scan([data / "sample-3.8.pyc", data / "sample-3.13.pyc"], tmp_path / "c")
    with open_corpus(tmp_path / "c") as corpus:
        found = corpus.sql("select python, status from files order by python").rows()

    assert [("3.13", "read"), ("3.8", "read")] == found


def test_nothing_to_scan_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TargetNotFound):
        scan([tmp_path / "missing"], tmp_path / "c")


def test_a_damaged_manifest_is_an_error(small: Path, tmp_path: Path) -> None:
    scan([small], tmp_path / "c")
    (tmp_path / "c" / MANIFEST).write_text(json.dumps({"what": 1}))

    with pytest.raises(CoscopeError, match="manifest"):
        open_corpus(tmp_path / "c")


@pytest.mark.skipif(not find_spec("distributed"), reason="coscope[dask] is not installed")
def test_dask_gives_the_same_also_when_a_worker_is_killed(tree: Path, tmp_path: Path) -> None:
    scan([tree], tmp_path / "plain")
    program = Path(__file__).with_name("dask_cluster.py")
    run = subprocess.run(
        [sys.executable, str(program), str(tree), str(tmp_path)],
        capture_output=True, text=True, timeout=500, env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip

    assert (0, "killed 1\n") == (run.returncode, run.stdout), run.stderr
    expected = contents(tmp_path / "plain")
    assert expected == contents(tmp_path / "dask")
    assert expected == contents(tmp_path / "dask-killed")
    assert [] == leftovers(tmp_path / "dask-killed")


def test_a_scan_that_finds_nothing_leaves_the_corpus_as_it_was(small: Path, tmp_path: Path) -> None:
    scan([small], tmp_path / "c")
    with pytest.raises(TargetNotFound):
        scan([tmp_path / "missing"], tmp_path / "c")
    with open_corpus(tmp_path / "c") as corpus:
        assert [(12,)] == corpus.sql("select count(*) from files").rows()


def test_an_ordinary_large_file_is_compiled_in_this_process() -> None:
    ordinary = Path(argparse.__file__).read_bytes()
    minified = b"x = [" + b"1, " * 20_000 + b"]\n"

    assert len(ordinary) > 50_000
    assert not _needs_care(ordinary)
    assert _needs_care(minified)
    assert not _needs_care(minified[:10_000])
