"""`coscope completion`: what a shell needs to complete coscope's command lines."""

from __future__ import annotations

import os

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

SHELLS = ("bash", "zsh", "fish")


class Bash(BashComplete):
    """Bash, for words with colons in them.

    Readline takes a colon for the end of a word, and `file.py::name` for three of them. So the
    program is given the line up to the cursor, and answers with what is behind the last colon.
    """

    source_template = r"""
%(complete_func)s() {
    local IFS=$'\n' type value line
    local cur="${COMP_WORDS[COMP_CWORD]}"
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case "$type" in
            plain) COMPREPLY+=("$value") ;;
            dir) compopt -o filenames; COMPREPLY+=($(compgen -d -- "$cur")) ;;
            file) compopt -o filenames; COMPREPLY+=($(compgen -f -- "$cur")) ;;
            nospace) compopt -o nospace ;;
        esac
    done < <(COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -F %(complete_func)s %(prog_name)s
"""

    @staticmethod
    def _check_version() -> None:
        """Any bash since 4 will do; click would start one to ask it."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one at the cursor, and that one."""
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)
        incomplete = "" if not line or line[-1].isspace() else words.pop()
        self.before = incomplete[: incomplete.rfind(":") + 1]
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        """What readline puts in the place of its own last word."""
        value = str(item.value)
        if ":" in os.environ.get("COMP_BREAKS", ":") and value.startswith(self.before):
            value = value[len(self.before) :]
        return f"{item.type},{value}"


@click.command("completion", short_help="What a shell needs to complete commands and targets.")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script that makes SHELL complete coscope's command lines.

    \b
    bash: eval "$(coscope completion bash)"            in ~/.bashrc
    zsh:  eval "$(coscope completion zsh)"             in ~/.zshrc, after compinit
    fish: coscope completion fish | source             in ~/.config/fish/config.fish

    Completed are commands, options, files, names in files (app.py::), modules and names in them
    (json:, json.), codes of rules, opcodes and versions. Nothing is imported or executed for it.

    Exit status: 0 printed, 2 bad use.
    """
    from coscope.cli.group import VARIABLE, coscope

    kinds: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": ZshComplete, "fish": FishComplete}
    click.echo(kinds[shell](coscope, {}, "coscope", VARIABLE).source())


add_completion_class(Bash, "bash")
