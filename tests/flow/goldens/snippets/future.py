from __future__ import annotations

level: int = 1


class Annotated:
    field: Later = level


def annotated(a: Later) -> Later:
    return a
