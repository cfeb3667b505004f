"""The manual pages: one of the program, one of each command, and those that are written by hand.

What the tree of commands does not say is in ``tools/pages/``: a file per page, in the markup of `tools.mdoc`. In the
file of a command the sections DESCRIPTION, ENVIRONMENT, FILES and EXIT STATUS are added to what every command has,
entries of OPTIONS to the help of the options, those of EXAMPLES to the examples, and SEE ALSO is a list of pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from signac_cli.examples import EXAMPLES

from .mdoc import Writer, argument, literal
from .tree import MAYBE, NOTHING, Argument, Command, Option, Tree

__all__ = ["write_pages"]

DATE = "November 22, 2026"
"""The date of all pages; to be changed with them by hand, so that writing them again changes nothing."""

PAGES = Path(__file__).parent / "pages"

WRITTEN = ("signac-files.5", "signac-json.5", "signac-compatibility.7", "signac-filter.7")
"""The pages that are about no single command."""

ENVIRONMENT = "SIGNAC_PROJECT_DIR :: The directory to start in, unless -C is given."
MORE_ENVIRONMENT = "The other variables are listed in signac(1)."
EXIT_STATUS = {
    "0": "It is done; also if there was nothing to do.",
    "1": "An error occurred, or some jobs could not be dealt with.",
    "2": "The command line is wrong.",
    "130": "It was interrupted.",
}

Sections = dict[str, str]


def write_pages(tree: Tree) -> Iterator[tuple[str, str]]:
    """Give the name and the content of each page.

    Parameters
    ----------
    tree : Tree
        The commands.

    """
    yield "signac.1", _program_page(tree)
    for command in tree.commands:
        yield f"signac-{command.name}.1", _command_page(command, tree)
    for name in WRITTEN:
        yield name, _written_page(name, tree)


def _sections(name: str) -> Sections:
    """Sections that are written by hand, by their titles."""
    file = PAGES / f"{name}.txt"
    parts = re.split(r"^# (.*)\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: text.strip("\n") for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def _begin(writer: Writer, name: str, section: str, summary: str) -> None:
    writer.lines.append(".\\\" Written by 'make generated'; not to be edited.")
    writer.macro("Dd", DATE)
    writer.macro("Dt", name.upper(), section)
    writer.macro("Os")
    writer.macro("Sh", "NAME")
    writer.macro("Nm", name)
    writer.macro("Nd", literal(summary[:1].lower() + summary[1:].rstrip(".")))


def _finish(writer: Writer) -> str:
    return "\n".join(writer.lines) + "\n"


# --- commands ---------------------------------------------------------------------------------------------------------


def _command_page(command: Command, tree: Tree) -> str:
    sections = _sections(f"signac-{command.name}.1")
    if missing := {"FILES", "SEE ALSO"} - sections.keys():
        raise LookupError(f"signac-{command.name}.1: there is no section {' and no '.join(sorted(missing))}.")
    options = [option for each in command.walk() for option in each.options]
    metavars = [option.metavar for option in options] + [
        item.metavar for each in command.walk() for item in each.arguments
    ]
    writer = Writer(
        options={name for option in [*options, *tree.options] for name in option.names},
        placeholders=set(re.findall(r"[A-Z]+", " ".join(metavars))),
    )
    _begin(writer, f"signac-{command.name}", "1", command.summary)
    writer.macro("Sh", "SYNOPSIS")
    for each in command.walk():
        if not each.commands:
            _synopsis(writer, each)
    writer.macro("Sh", "DESCRIPTION")
    further = dict(re.findall(r"^(\S+) :: ((?:.*\n?)(?:^  .*\n?)*)", sections.pop("OPTIONS", ""), flags=re.MULTILINE))
    for each in command.walk():
        if each is not command:
            writer.macro("Ss", literal(f"signac {each.name}"))
        for paragraph in each.paragraphs:
            writer.paragraph(paragraph)
        _option_list(writer, each.options, further)
    if further:
        raise LookupError(f"signac-{command.name}.1: there is no option {', '.join(further)}.")
    writer.paragraph("The global options, which every command takes, are described in signac(1).")
    writer.blocks(sections.pop("DESCRIPTION", ""))
    environment = [ENVIRONMENT, sections.pop("ENVIRONMENT", "")]
    writer.blocks("# ENVIRONMENT\n\n" + "\n".join(filter(None, environment)) + f"\n\n{MORE_ENVIRONMENT}")
    writer.blocks(f"# FILES\n\n{sections.pop('FILES')}")
    status = EXIT_STATUS | dict(re.findall(r"^(\d+) :: (.*(?:\n  .*)*)", sections.pop("EXIT STATUS", ""), re.MULTILINE))
    lines = "\n".join(f"{number} :: {status[number]}" for number in sorted(status, key=int))
    writer.blocks(f"# EXIT STATUS\n\n{lines}")
    writer.macro("Sh", "EXAMPLES")
    for each in command.walk():
        writer.display(EXAMPLES[each.name].splitlines())
    writer.blocks(sections.pop("EXAMPLES", ""))
    _see_also(writer, ["signac(1)", *sections.pop("SEE ALSO").split()])
    if sections:
        raise LookupError(f"signac-{command.name}.1: there is no place for {', '.join(sections)}.")
    return _finish(writer)


def _synopsis(writer: Writer, command: Command) -> None:
    writer.macro("Nm", "signac", *command.name.split(" "))
    for option in command.options:
        writer.macro("Op", "Fl", argument(option.names[0][1:]), *_value(option))
    for item in command.arguments:
        writer.macro("Ar" if not item.optional else "Op", *_place(item))


def _option_list(writer: Writer, options: Iterable[Option], further: dict[str, str]) -> None:
    if not options:
        return
    writer.macro("Bl", "-tag", "-width", "Ds")
    for option in options:
        heads = [part for name in option.names for part in (",", "Fl", argument(name[1:]))][1:]
        writer.macro("It", *heads, *_value(option))
        writer.text(option.help)
        for name in option.names:
            if name in further:
                writer.text(further.pop(name))
    writer.macro("El")


def _value(option: Option) -> list[str]:
    """The value of an option, behind its name."""
    if option.takes == NOTHING:
        return []
    if option.choices and not re.search("[A-Z]", option.metavar):
        value = [part for choice in option.choices for part in ("|", "Cm", argument(choice))][1:]
    else:
        value = _placeholder(option.metavar)
    return ["Op", *value] if option.takes == MAYBE or option.metavar.startswith("[") else value


def _place(item: Argument) -> list[str]:
    value = _placeholder(item.metavar)
    return value if item.optional else value[1:]


def _placeholder(metavar: str) -> list[str]:
    """A placeholder; the brackets of the help are left out, and dots go apart."""
    name = metavar.replace("[", "", 1).replace("]", "", 1) if metavar.startswith("[") else metavar
    name, dots, _ = name.partition("...")
    name, alternative, _ = name.partition("|-")
    alternative = alternative or ("|-" if "|-" in metavar else "")
    return ["Ar", argument(name), *(["..."] if dots else []), *(["|", "\\-"] if alternative else [])]


def _see_also(writer: Writer, pages: Iterable[str]) -> None:
    names = sorted(set(pages), key=lambda page: (page[-2], page))
    writer.macro("Sh", "SEE ALSO")
    for number, page in enumerate(names, start=1):
        name, _, section = page[:-1].partition("(")
        writer.macro("Xr", name, section, *([","] if number < len(names) else []))


# --- the others -------------------------------------------------------------------------------------------------------


def _program_page(tree: Tree) -> str:
    sections = _sections("signac.1")
    writer = Writer(options={name for option in tree.options for name in option.names}, placeholders={"DIR", "COMMAND"})
    _begin(writer, "signac", "1", tree.summary)
    writer.macro("Sh", "SYNOPSIS")
    writer.macro("Nm")
    for option in tree.options:
        writer.macro("Op", "Fl", argument(option.names[0][1:]), *_value(option))
    writer.macro("Ar", "COMMAND")
    writer.macro("Op", "Ar", "ARG", "...")
    writer.macro("Sh", "DESCRIPTION")
    writer.blocks(sections.pop("DESCRIPTION"))
    writer.macro("Ss", "Commands")
    writer.macro("Bl", "-tag", "-width", "Ds")
    for command in tree.commands:
        writer.macro("It", "Xr", f"signac-{command.name}", "1")
        writer.text(command.summary)
    writer.macro("El")
    writer.macro("Ss", "Global options")
    writer.text("These may stand before and after the name of the command.")
    _option_list(writer, tree.options, {})
    see_also = sections.pop("SEE ALSO").split()
    for title, text in sections.items():
        writer.blocks(f"# {title}\n\n{text}" if title.isupper() else f"## {title}\n\n{text}")
    _see_also(writer, [*see_also, *(f"signac-{command.name}(1)" for command in tree.commands)])
    return _finish(writer)


def _written_page(name: str, tree: Tree) -> str:
    """A page that has nothing from the tree but the names of the options."""
    title, _, section = name.partition(".")
    sections = _sections(name)
    writer = Writer(options={name for command in tree.walk() for option in command.options for name in option.names})
    _begin(writer, title, section, sections.pop("NAME"))
    see_also = sections.pop("SEE ALSO").split()
    for heading, text in sections.items():
        writer.blocks(f"# {heading}\n\n{text}")
    _see_also(writer, see_also)
    return _finish(writer)
