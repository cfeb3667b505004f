"""What was probably meant by a command or an option that there is not. Only such a mistake pays for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from types import MappingProxyType

__all__ = ["ALIKE", "of_command", "of_config_command", "of_option"]

ALIKE = 0.7
"""Words of a lower similarity are not taken for misspelt: `create` and `migrate` have 0.62."""

_SHORT = 3
"""A word of so few letters is like too many others."""


def _by_word(groups: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({word: meant for meant, words in groups.items() for word in words.split()})


_COMMANDS = _by_word(
    {
        "init": "setup start begin initialise initialize new-project create-project",
        "job -c": "create new add make mk mkdir touch open insert open-job init-job add-job create-job new-job",
        "job -p": "path cd dir pwd fn",
        "find": "ls list dir-list search query select filter where grep get jobs ids show print lookup",
        "find --count": "count len length size wc",
        "statepoint": "sp state-point state_point params parameters",
        "document": "doc docs cat",
        "document --set": "edit write put update assign",
        "document --set | config set": "set",
        "document --unset | config unset": "unset",
        "diff": "compare cmp difference",
        "neighbors": "neighbours neighbor neighbour adjacent",
        "schema": "keys columns types describe fields summary",
        "view": "link links symlink tree linked-view linked_view",
        "export": "save dump pack archive zip tar backup",
        "import": "load restore unpack unzip untar",
        "rm": "remove delete del erase rmdir unlink destroy drop",
        "rm --clear": "clear reset clean empty",
        "move": "mv rename ren transfer",
        "clone": "cp copy duplicate dup",
        "sync": "merge synchronize synchronise rsync pull push fetch combine join",
        "check": "verify validate fsck doctor repair fix lint test",
        "status": "info stat st overview project workspace root",
        "update-cache": "cache index reindex refresh rebuild update_cache updatecache cache-update",
        "config": "configure configuration settings options preferences host",
        "migrate": "upgrade",
        "shell": "python repl run exec execute console ipython script interactive sh eval",
        "completion": "completions complete autocomplete",
        "help": "help h man usage ?",
        "--version": "version ver",
    }
)
"""Words for what a command does, and the command; `|` stands between two that may be meant."""

_CONFIG_COMMANDS = _by_word(
    {
        "show": "get list ls print cat view display read",
        "set": "add edit put write change create",
        "unset": "remove rm delete del clear reset drop",
        "verify": "check validate test",
    }
)

_OPTIONS: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        word: meant
        for words, meant in (
            ("--csv --tsv", (("--format", "--format '{id},{sp.KEY},{doc.KEY}'"),)),
            ("--jsonlines --json-lines --ndjson --json-l", (("--jsonl", ""),)),
            ("--yaml --xml", (("--json", ""),)),
            ("--text --raw --txt", (("--plain", ""),)),
            ("--template --output-format", (("--format", ""),)),
            ("--print0 --zero --nul --null-data", (("--null", ""),)),
            ("--where --query --select --match --condition", (("--filter", ""),)),
            ("--id --ids --job --jobs --jobid", (("--job-id", ""),)),
            ("--all", (("--filter", "-f '{}'"),)),
            ("--statepoint --state-point --statepoints", (("--sp", ""),)),
            ("--document --documents --docs", (("--doc", ""),)),
            ("--keys --columns --fields", (("--sp", "--sp KEY... or --doc KEY..."), ("--format", ""))),
            ("--sort-by --order --order-by --sortby", (("--sort", ""),)),
            ("--desc --descending", (("--reverse", ""),)),
            ("--head --max --top --first", (("--limit", ""),)),
            ("--number --length", (("--count", ""),)),
            ("--dryrun --simulate --noop --no-op --what-if --just-print", (("--dry-run", ""),)),
            ("--overwrite --replace", (("--strategy", "--strategy always"), ("--force", ""))),
            ("--force --assume-yes --no-confirm --noconfirm", (("--yes", ""),)),
            ("--confirm --ask --prompt", (("--interactive", ""), ("--strategy", "--strategy ask"))),
            ("--merge --update --synchronize", (("--sync", ""), ("", "'signac sync'"))),
            ("--create --new", (("", "'signac job -c'"),)),
            ("--delete --remove", (("", "'signac rm'"),)),
            ("--threads --workers --processes --cores --nproc", (("--parallel", ""),)),
            ("--fix --mend", (("--repair", ""),)),
            ("--silent", (("--quiet", ""),)),
            ("--project --directory --cwd --chdir", (("--project-dir", ""),)),
            ("--colour --no-color --no-colour", (("--color", "--color WHEN"),)),
        )
        for word in words.split()
    }
)
"""Options of other programs; for each, those here, where one is known, with the way to write it if not by its name."""


def of_command(name: str, commands: Collection[str]) -> str:
    """Say what was probably meant by the name of a command; nothing if there is no good guess."""
    return _advice(name, commands, _COMMANDS)


def of_config_command(name: str, commands: Collection[str]) -> str:
    """Say the same of what stands behind ``signac config``."""
    return _advice(name, commands, _CONFIG_COMMANDS, "config ")


def _advice(name: str, commands: Collection[str], synonyms: Mapping[str, str], group: str = "") -> str:
    word = name.lower()
    if word not in synonyms and word not in commands:
        likely = [*commands, *(word for word in synonyms if len(word) > _SHORT)]
        turned = [other for other in commands if sorted(other) == sorted(word)]  # two letters that changed places
        word = next(iter(turned or get_close_matches(word, likely, n=1, cutoff=ALIKE)), "")
    if not word:
        return ""
    if word in commands:
        return f" Did you mean '{word}'?"
    lines = (f"'signac {group}{meant}'" for meant in synonyms[word].split(" | "))
    return f" Did you mean {' or '.join(lines)}?"


def of_option(name: str, known: Collection[str]) -> str:
    """Give the option that was probably meant by one of another program; nothing if there is none."""
    return next((text or option for option, text in _OPTIONS.get(name, ()) if not option or option in known), "")
