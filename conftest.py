"""Modules that need an extra are searched for doctests where that extra is installed."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("starlette") else ["src/coscope/server/*.py"]
