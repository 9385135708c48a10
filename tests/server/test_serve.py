"""`coscope serve`: what it answers, to whom, and what it never does."""

from __future__ import annotations

import http.client
import json
import marshal
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")
pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")

SOURCE = str(Path(__file__).resolve().parents[2] / "src")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    port: int
    token: str
    folder: Path
    python: str  # name of the interpreter that runs the tests

    def ask(
        self,
        path: str,
        *,
        body: bytes | None = None,
        token: str | None = None,
        host: str | None = None,
        **headers: str,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Host": host or f"127.0.0.1:{self.port}"}
        sent["X-Coscope-Token"] = self.token if token is None else token
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET" if body is None else "POST", path, body=body, headers=sent)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, found, response.read())
        connection.close()
        return answer

    def compile(self, text: bytes, name: str = "a.py") -> Answer:
        return self.ask(f"/api/compile?python={self.python}&name={name}", body=text)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on a folder, with a page of two files instead of the built one."""
    site = tmp_path_factory.mktemp("site")
    page = site / "coscope_web" / "page"
    page.mkdir(parents=True)
    (site / "coscope_web" / "__init__.py").touch()
    (page / "index.html").write_text('<!doctype html>\n<html lang="en"><title>t</title>')
    (page / "run.mjs").write_text("export {};")
    folder = tmp_path_factory.mktemp("folder")
    (folder / "shop.py").write_text("# coding: latin-1\nprice = 'ä'\n", encoding="latin-1")
    (folder / "inner").mkdir()
    (folder / "inner" / "b.py").write_text("x = 1\n")
    (folder / "c.pyc").write_bytes(b"\x01\x02\x03")
    (folder / "secret.txt").write_text("no")
    (folder.parent / "outside.py").write_text("secret = 1\n")
    (folder / "link.py").symlink_to(folder.parent / "outside.py")
    (folder / "up").symlink_to(folder.parent)
    words = ["-m", "coscope", "serve", str(folder), "--no-browser", "--json"]
    words += ["--python", sys.executable]
    path = os.pathsep.join([SOURCE, str(site)])
    process = subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdout is not None
    started = json.loads(process.stdout.readline())
    token = started["url"].partition("token=")[2]
    made = Served(started["port"], token, folder, "")
    made.python = made.ask("/api/hello").json["interpreters"][0]["name"]
    yield made
    process.terminate()
    process.wait(20)


def test_the_page_is_served_under_its_policy(served: Served) -> None:
    answer = served.ask("/", token="")

    assert 200 == answer.status
    assert b'<html data-server lang="en">' in answer.body
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "'wasm-unsafe-eval'" in policy
    assert "'unsafe-eval'" not in policy
    assert "unsafe-inline" not in policy
    assert "nosniff" == answer.headers["x-content-type-options"]


def test_modules_have_the_type_that_browsers_ask_for(served: Served) -> None:
    answer = served.ask("/run.mjs", token="")

    assert "text/javascript" == answer.headers["content-type"].partition(";")[0]


@pytest.mark.parametrize("token", ["", "wrong"])
@pytest.mark.parametrize("path", ["/api/hello", "/api/file?path=shop.py", "/api/changes"])
def test_the_token_is_asked_for(served: Served, path: str, token: str) -> None:
    assert 403 == served.ask(path, token=token).status


def test_compilation_asks_for_the_token(served: Served) -> None:
    assert 403 == served.ask("/api/compile?python=x", body=b"1", token="").status


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "[::1]:80"])
def test_another_host_is_refused(served: Served, host: str) -> None:
    """A name that an attacker owns may resolve to this machine (DNS rebinding)."""
    assert 403 == served.ask("/", host=host).status
    assert 403 == served.ask("/api/hello", host=host).status


def test_localhost_is_this_host(served: Served) -> None:
    assert 200 == served.ask("/api/hello", host=f"localhost:{served.port}").status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_another_origin_is_refused(served: Served, origin: str) -> None:
    assert 403 == served.ask("/api/hello", Origin=origin).status


def test_the_own_origin_is_answered(served: Served) -> None:
    assert 200 == served.ask("/api/hello", Origin=f"http://127.0.0.1:{served.port}").status


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_of_other_pages_are_refused(served: Served, site: str) -> None:
    assert 403 == served.ask("/api/hello", Sec_Fetch_Site=site).status


def test_the_folder_is_listed_without_links(served: Served) -> None:
    answer = served.ask("/api/hello").json

    assert ["c.pyc", "inner/b.py", "shop.py"] == list(answer["files"])


def test_a_source_is_decoded_as_it_says(served: Served) -> None:
    answer = served.ask("/api/file?path=shop.py").json

    assert "# coding: latin-1\nprice = 'ä'\n" == answer["text"]


def test_a_pyc_is_given_as_bytes(served: Served) -> None:
    assert b"\x01\x02\x03" == served.ask("/api/file?path=c.pyc").body


@pytest.mark.parametrize(
    "path",
    [
        "../outside.py",
        "inner/../../outside.py",
        "link.py",
        "up/outside.py",
        "secret.txt",
        "missing.py",
        "/etc/hosts.py",
        "..%5Coutside.py",
        "shop.py%00.pyc",
        "",
        "inner",
        "C:shop.py",
    ],
)
def test_nothing_else_is_read(served: Served, path: str) -> None:
    assert 404 == served.ask(f"/api/file?path={path}").status


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/%2e%2e/__init__.py", "//etc/passwd"])
def test_the_page_has_no_way_out(served: Served, path: str) -> None:
    assert 404 == served.ask(path).status


def test_an_interpreter_compiles(served: Served) -> None:
    text = b"def f(a):\n    return lambda: a\n"
    answer = served.compile(text)

    assert compile(text, "a.py", "exec", dont_inherit=True) == marshal.loads(answer.body)


def test_nothing_is_executed(served: Served) -> None:
    target = served.folder / "ran"
    answer = served.compile(f"open({str(target)!r}, 'w').close()\n".encode())

    assert 200 == answer.status
    assert not target.exists()


def test_a_syntax_error_is_described(served: Served) -> None:
    answer = served.compile(b"x = = 1\n").json

    assert "syntax" == answer["reason"]
    assert 1 == json.loads(answer["detail"])[1]


def test_a_bomb_ends_a_child_and_not_the_server(served: Served) -> None:
    for bomb in (b"(" * 3000 + b")" * 3000, b"1+" * 200_000 + b"1"):
        answer = served.compile(bomb)

        assert answer.status in (200, 502)
    assert 200 == served.compile(b"x = 1\n").status


def test_a_long_text_is_refused(served: Served) -> None:
    assert 413 == served.compile(b"#" * (2 * 2**20 + 1)).status


def test_an_unknown_interpreter_is_refused(served: Served) -> None:
    answer = served.ask("/api/compile?python=/bin/sh", body=b"1")

    assert 404 == answer.status
    assert "no interpreter" in answer.json["error"]


def test_a_change_is_reported(served: Served) -> None:
    before = served.ask("/api/hello").json
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    headers = {"X-Coscope-Token": served.token}
    connection.request("GET", f"/api/changes?state={before['state']}", headers=headers)
    time.sleep(1)
    (served.folder / "inner" / "b.py").write_text("x = 22\n")
    after = json.loads(connection.getresponse().read())
    connection.close()
    changed = [path for path, stamp in after["files"].items() if before["files"][path] != stamp]

    assert ["inner/b.py"] == changed


def test_a_change_between_two_questions_is_not_lost(served: Served) -> None:
    before = served.ask("/api/hello").json
    (served.folder / "inner" / "b.py").write_text("x = 333\n")
    after = served.ask(f"/api/changes?state={before['state']}").json

    assert before["files"]["inner/b.py"] != after["files"]["inner/b.py"]


def test_without_the_page_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-S", "-c", "import coscope_web"], capture_output=True, check=False
    )
    if not found.returncode:
        pytest.skip("coscope-web is installed")
    page = tmp_path / "coscope_web"
    page.mkdir()
    (page / "__init__.py").touch()
    path = os.pathsep.join([SOURCE, str(tmp_path)])
    ended = subprocess.run(
        [sys.executable, "-m", "coscope", "serve", "--no-browser"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )

    assert 2 == ended.returncode
    assert "coscope: error: the page is not built" in ended.stderr


@pytest.mark.parametrize("target", ["missing", "notes.txt"])
def test_a_target_that_is_not_python_is_refused(tmp_path: Path, target: str) -> None:
    from coscope.errors import TargetError
    from coscope.server.folder import Folder

    (tmp_path / "notes.txt").touch()
    with pytest.raises(TargetError):
        Folder(tmp_path / target)


def test_a_file_alone_is_all_that_is_read(tmp_path: Path) -> None:
    from coscope.errors import TargetError
    from coscope.server.folder import Folder

    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("1\n")
    folder = Folder(tmp_path / "a.py")

    assert ["a.py"] == [entry.path for entry in folder.entries()]
    assert b"1\n" == folder.read("a.py")[0]
    with pytest.raises(TargetError):
        folder.read("b.py")


def test_two_interpreters_of_one_release_have_two_names() -> None:
    from coscope.readers.from_interpreter import Interpreter
    from coscope.server.compilers import Compilers

    compilers = Compilers(
        [Interpreter("/a", "3.13", "3.13.0"), Interpreter("/b", "3.13", "3.13.0")]
    )
    compilers.close()

    assert ["3.13.0", "3.13.0-2"] == list(compilers.named)
