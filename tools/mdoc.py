r"""Manual pages in the mdoc language of roff, from text with a little markup.

The markup of a text, block by block (blank lines separate them):

* ``# TITLE`` and ``## Title`` begin a section and a part of it;
* lines indented by four blanks are shown as they stand;
* lines ``term :: text`` (continued by lines indented by two blanks) are a list, lines ``1. text`` a numbered one;
* anything else is a paragraph.

Within a line, what stands between backticks is literal, ``name(1)`` refers to a page, names of environment variables,
options and placeholders are marked as such where they are known.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

__all__ = ["Writer", "argument", "literal"]

_SPECIAL = {"\\": "\\e", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", "-": "\\-"}
_OPENING, _CLOSING = "([", ".,:;)]?!"
_VARIABLE = re.compile(r"(?:SIGNAC_[A-Z_]+|NO_COLOR|FORCE_COLOR|CLICOLOR_FORCE|TERM|HOME)")
_REFERENCE = re.compile(r"([a-z][a-z0-9-]*)\(([1-8])\)")
_PIECE = re.compile(r"(?P<before>[(\[]*)(?P<piece>`[^`]+`|\S+?)(?P<after>[.,:;)\]?!]*)(?=\s|$)")
_WIDTH = 76


def literal(text: str) -> str:
    """Text that comes out character by character."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def prose(text: str) -> str:
    """Text in which a hyphen may stay one."""
    return "".join(_SPECIAL.get(character, character) if character != "-" else "-" for character in text)


def argument(text: str) -> str:
    """Text as one argument of a macro."""
    text = literal(text)
    # A word that happens to be the name of a macro would be taken for one.
    if re.fullmatch(r"[A-Z][a-z]\w?", text) or text in ("|", *_OPENING, *_CLOSING):
        text = f"\\&{text}"
    if text.endswith(tuple(_CLOSING)):  # punctuation at the end would be set apart
        text += "\\&"
    return '"' + text.replace('"', "\\(dq") + '"' if re.search(r'[\s"]', text) or not text else text


@dataclass
class Writer:
    """A page being written.

    Parameters
    ----------
    options : collection of str
        Names of options to be marked where they are mentioned.
    placeholders : collection of str
        The same of placeholders.
    lines : list of str
        What has been written.

    """

    options: Collection[str] = ()
    placeholders: Collection[str] = ()
    lines: list[str] = field(default_factory=list)

    def macro(self, name: str, *arguments: str) -> None:
        """Write a line with a macro; its arguments are roff already."""
        self.lines.append(" ".join([f".{name}", *arguments]))

    def blocks(self, text: str) -> None:
        """Write text with markup."""
        for block in re.split(r"\n{2,}", text.strip("\n")):
            lines = block.split("\n")
            if block.startswith("# "):
                self.macro("Sh", literal(block[2:]))
            elif block.startswith("## "):
                self.macro("Ss", literal(block[3:]))
            elif all(line.startswith("    ") for line in lines):
                self.display(line[4:] for line in lines)
            elif re.match(r"\d+\. ", block):
                self.enumeration(re.split(r"^\d+\. ", block, flags=re.MULTILINE)[1:])
            elif " :: " in lines[0]:
                self.entries(_entries(lines))
            elif block:
                self.paragraph(block)

    def paragraph(self, text: str) -> None:
        """Write a paragraph, set off from what is in front of it."""
        if self.lines and not self.lines[-1].startswith((".Sh", ".Ss", ".It")):
            self.macro("Pp")
        self.text(text)

    def display(self, lines: Iterable[str]) -> None:
        """Write lines as they stand."""
        self.macro("Bd", "-literal", "-offset", "indent")
        self.lines += [_guarded(literal(line)) for line in lines]
        self.macro("Ed")

    def enumeration(self, items: Iterable[str]) -> None:
        """Write a numbered list."""
        self.macro("Bl", "-enum")
        for item in items:
            self.macro("It")
            self.text(item)
        self.macro("El")

    def entries(self, entries: Iterable[tuple[str, str]]) -> None:
        """Write a list of literal terms, each with its text."""
        self.macro("Bl", "-tag", "-width", "Ds")
        for term, text in entries:
            name = "Ev" if _VARIABLE.fullmatch(term) else "Cm"
            if term in self.options:
                self.macro("It", "Fl", argument(term[1:]))
            else:
                self.macro("It", name, *(argument(word) for word in term.split(" ")))
            self.text(text)
        self.macro("El")

    def text(self, text: str) -> None:
        """Write running text, each sentence on a line of its own."""
        line = ""
        for match in _PIECE.finditer(text):
            marked = self._marked(match["piece"])
            if marked is not None:
                self._end(line)
                line = ""
                self.macro(marked[0], *match["before"], *marked[1:], *match["after"])
                continue
            word = prose(match[0].replace("`", ""))
            if line and len(line) + len(word) > _WIDTH:
                self._end(line)
                line = word
            else:
                line += (" " if line else "") + word
            if re.search(r"[.?!](?:\\\(aq|[\")\]])*$", word):
                self._end(line)
                line = ""
        self._end(line)

    def _marked(self, piece: str) -> tuple[str, ...] | None:
        """Macro and arguments for a piece of text that is more than text."""
        if piece.startswith("`") and piece.endswith("`") and len(piece) > 2:
            return "Ql", argument(piece[1:-1])
        if reference := _REFERENCE.fullmatch(piece):
            return "Xr", reference[1], reference[2]
        if _VARIABLE.fullmatch(piece):
            return "Ev", piece
        if piece in self.options:
            return "Fl", argument(piece[1:])
        if piece in self.placeholders:
            return "Ar", argument(piece)
        return None

    def _end(self, line: str) -> None:
        if line:
            self.lines.append(_guarded(line))


def _guarded(line: str) -> str:
    """Line of text that begins with a character of roff's own, so that it is text."""
    return f"\\&{line}" if line.startswith(".") else line


def _entries(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    term, text = "", ""
    for line in lines:
        if line.startswith("  "):
            text += f" {line.strip()}"
            continue
        if term:
            yield term, text
        term, _, text = line.partition(" :: ")
    yield term, text
