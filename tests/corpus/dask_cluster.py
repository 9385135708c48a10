"""Scans a tree on a local Dask cluster twice: undisturbed, and with a worker killed.

dask_cluster.py TREE FOLDER     writes FOLDER/dask and FOLDER/dask-killed
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from coscope.corpus import plan
from coscope.corpus.scanning import scan


def main() -> None:
    from distributed import LocalCluster

    tree, folder = sys.argv[1], Path(sys.argv[2])
    plan.parts_of.__defaults__ = (12,)  # small parts, so that there are several
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        host="127.0.0.1",
    ) as cluster:  # fmt: skip
        scan([tree], folder / "dask", dask=cluster.scheduler_address)
        killed: list[int] = []

        def advance(done: int, total: int) -> None:
            if not killed and done >= total // 3:
                victim = next(iter(cluster.workers.values())).pid
                killed.append(victim)
                os.kill(victim, signal.SIGKILL)

        scan([tree], folder / "dask-killed", dask=cluster.scheduler_address, progress=advance)
    print("killed", len(killed))


if __name__ == "__main__":
    main()
