"""The limits of archives are exact: what just fits is read, one byte more is refused."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from coscope.errors import LimitExceeded
from coscope.readers.archives import ArchiveLimits, opened

PARTS = {"a.py": b"a = 1\n", "b.py": b"b = 22\n"}
TOTAL = sum(map(len, PARTS.values()))


@pytest.fixture(params=["zip", "tar.gz"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"x.{request.param}"
    if request.param == "zip":
        with zipfile.ZipFile(path, "w") as zipped:
            for name, data in PARTS.items():
                zipped.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz") as tar:
            for name, data in PARTS.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


def contents(path: Path, limits: ArchiveLimits) -> dict[str, bytes]:
    with opened(str(path), limits) as archive:
        return {member.name: archive.read(member.name) for member in archive.members}


@pytest.mark.parametrize(
    "limits",
    [
        ArchiveLimits(total_bytes=TOTAL),
        ArchiveLimits(member_bytes=max(map(len, PARTS.values()))),
        ArchiveLimits(members=len(PARTS)),
    ],
)
def test_what_just_fits_is_read(archive: Path, limits: ArchiveLimits) -> None:
    assert contents(archive, limits) == PARTS


@pytest.mark.parametrize(
    "limits",
    [
        ArchiveLimits(total_bytes=TOTAL - 1),
        ArchiveLimits(member_bytes=max(map(len, PARTS.values())) - 1),
        ArchiveLimits(members=len(PARTS) - 1),
    ],
)
def test_one_more_is_refused(archive: Path, limits: ArchiveLimits) -> None:
    with pytest.raises(LimitExceeded):
        contents(archive, limits)
