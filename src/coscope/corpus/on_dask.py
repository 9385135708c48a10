"""Runs parts on a Dask cluster. Its workers need this coscope, this Python, and the same paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from coscope.corpus.on_processes import Outcome
from coscope.corpus.part import scan_part
from coscope.corpus.tasks import Part
from coscope.errors import CoscopeError, MissingExtra

_CONNECT = 15  # seconds


def _check(failure: BaseException | None, status: str) -> None:
    """Raise what a part failed by."""
    if isinstance(failure, CoscopeError):
        raise failure
    if failure is not None or status != "finished":
        raise CoscopeError(
            "the Dask cluster lost a part",
            found=str(failure) or status,
            hint="Run the scan again: it goes on where it stopped.",
        ) from failure


def on_dask(parts: Sequence[Part], address: str) -> Iterator[Outcome]:
    """Run the parts on a cluster, and give what became of each as it ends.

    Args:
        parts: What to run.
        address: Of the scheduler: "tcp://host:8786".

    Raises:
        CoscopeError: There is no scheduler, its workers have another Python or coscope, the
            connection is lost, or rows cannot be written.
    """
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise MissingExtra("dask", str(error)) from error
    try:
        client = Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise CoscopeError(
            f"no Dask scheduler answers at {address}", found=str(error) or type(error).__name__
        ) from error
    with closing(client):
        _check_workers(client)
        futures = {
            client.submit(
                scan_part, part, key=f"coscope-{part.python}-{part.name}", pure=False
            ): part
            for part in parts
        }
        try:
            for future in as_completed(futures, loop=client.loop):
                failure = future.exception()
                if isinstance(failure, KilledWorker):
                    yield futures[future], None
                else:
                    _check(failure, future.status)
                    yield futures[future], future.result()
        except OSError as error:
            raise CoscopeError(
                f"the connection to {address} was lost",
                found=str(error),
                hint="Run the scan again: it goes on where it stopped.",
            ) from error


def _release() -> tuple[str, str]:
    """Runs on a worker: which Python and which coscope it has."""
    from importlib import import_module

    from coscope.readers.from_function import HOST_RELEASE

    return HOST_RELEASE, str(import_module("coscope").__version__)


def _check_workers(client: object) -> None:
    """Refuse workers that would compile otherwise.

    Raises:
        CoscopeError: There are no workers, or one has another Python or coscope.
    """
    try:
        answers: dict[str, tuple[str, str]] = client.run(_release)  # type: ignore[attr-defined]
    except Exception as error:  # whatever a worker without coscope says
        raise CoscopeError("the Dask workers cannot import coscope", found=str(error)) from error
    if not answers:
        raise CoscopeError("the Dask cluster has no workers")
    mine = _release()
    for address, found in sorted(answers.items()):
        if tuple(found) != mine:
            raise CoscopeError(
                f"the Dask worker {address} has another Python or coscope",
                expected=" and ".join(mine),
                found=" and ".join(found),
            )
