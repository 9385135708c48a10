"""What variables are called that are plainly meant to hold code."""

from __future__ import annotations

CODE_WORDS = frozenset(
    (
        *("code", "codeobj", "code_obj", "co", "source", "src", "script", "cmd", "command"),
        *("stmt", "statement", "expr", "expression", "program", "code_string", "code_str"),
    )
)
