"""The exact system calls that a command or a snippet makes on the files of a project, as strace sees them.

    calls = trace_snippet("os.mkdir('a'); os.rmdir('a')", directory, setup="import os")
    assert [call.name for call in calls] == ["mkdir", "rmdir"]

Counted is each call on a path below the directory, and on a descriptor that was opened there.  Names are those of the
shim (`shim.c`): openat is `open`, newfstatat `stat`, `lstat` or `fstat`, getdents64 `getdents`, and so on.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.shim import REPOSITORY, HarnessError
from tests.support import unavailable

# The kind of call that a system call is, where the kernel's name is another one.
KINDS = {
    "openat": "open",
    "openat2": "open",
    "creat": "open",
    "pread64": "read",
    "preadv": "read",
    "preadv2": "read",
    "readv": "read",
    "pwrite64": "write",
    "pwritev": "write",
    "pwritev2": "write",
    "writev": "write",
    "renameat": "rename",
    "renameat2": "rename",
    "linkat": "link",
    "symlinkat": "symlink",
    "readlinkat": "readlink",
    "mkdirat": "mkdir",
    "mknodat": "mknod",
    "faccessat": "access",
    "faccessat2": "access",
    "getdents64": "getdents",
    "dup2": "dup",
    "dup3": "dup",
    "fchdir": "chdir",
    "fchmod": "chmod",
    "fchmodat": "chmod",
    "fchmodat2": "chmod",
    "lchown": "chown",
    "fchown": "chown",
    "fchownat": "chown",
    "utimensat": "utime",
    "utimes": "utime",
    "futimesat": "utime",
    "fstatfs": "statfs",
    "fadvise64": "fadvise",
}
XATTRS = ("getxattr", "setxattr", "listxattr", "removexattr")
KINDS |= {prefix + name: "xattr" for prefix in ("", "l", "f") for name in XATTRS}

# What the first arguments of a call are: p a path, d the directory that the next path starts from, f a descriptor, t
# the text of a symbolic link.  All other calls have a descriptor as their first argument.
LAYOUTS = {
    **dict.fromkeys(
        ["open", "creat", "stat", "lstat", "access", "readlink", "truncate", "statfs", "utime", "utimes"], "p"
    ),
    **dict.fromkeys(["mkdir", "rmdir", "unlink", "mknod", "chdir", "chmod", "chown", "lchown", "execve"], "p"),
    **dict.fromkeys([prefix + name for prefix in ("", "l") for name in XATTRS], "p"),
    **dict.fromkeys(["openat", "openat2", "newfstatat", "fstatat64", "statx", "faccessat", "faccessat2"], "dp"),
    **dict.fromkeys(["readlinkat", "mkdirat", "mknodat", "unlinkat", "fchmodat", "fchmodat2", "fchownat"], "dp"),
    **dict.fromkeys(["utimensat", "futimesat"], "dp"),
    **dict.fromkeys(["rename", "link"], "pp"),
    **dict.fromkeys(["renameat", "renameat2", "linkat"], "dpdp"),
    "symlink": "tp",
    "symlinkat": "tdp",
    "sendfile": "ff",
    "copy_file_range": "f-f",
    "mmap": "----f",
}

# In the arguments, descriptors come as 3</path> or AT_FDCWD</cwd> and strings as "text", both with C escapes.
ARGUMENT = re.compile(r'(?:"(?:[^"\\]|\\.)*"|<(?:[^<>\\]|\\.)*>|\{[^}]*\}|\[[^]]*\]|[^,"<{[])+')
LINE = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<arguments>.*)(?:\) += (?P<result>\S+).*| <unfinished \.\.\.>)$")
RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<arguments>.*)\) += (?P<result>\S+).*$")
ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-f]{2}|.)", re.DOTALL)
SPECIAL = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f", "a": "\a", "b": "\b"}
NEW_PROCESS = ("clone", "clone3", "fork", "vfork")
MARKER = "/nonexistent/marker-of-the-trace"


@dataclass(frozen=True, slots=True)
class SystemCall:
    """One system call on the files of a project.

    Parameters
    ----------
    name
        Its kind.
    path, other
        Its path and second path, relative to the project ("." for the project itself), absolute outside of it.
    failed
        Whether it returned an error.
    line
        What strace wrote.
    """

    name: str
    path: str
    other: str
    failed: bool
    line: str


@functools.cache
def missing_strace() -> str | None:
    """Why strace cannot be used, or None if it can."""
    command = shutil.which("strace")
    if command is None:
        return "strace is not installed"
    with tempfile.TemporaryDirectory() as directory:
        tried = subprocess.run(
            [command, "-f", "-o", os.path.join(directory, "trace"), sys.executable, "-c", ""],
            capture_output=True,
            text=True,
        )
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()}"


def require_strace() -> None:
    """Skip the current test where strace is missing; fail it with CI=true."""
    reason = missing_strace()
    if reason:
        unavailable(reason)


def trace_command(
    argv: Sequence[str | os.PathLike[str]],
    root: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> list[SystemCall]:
    """The calls that a command makes below a directory, from its start to its end, in all its processes.

    Parameters
    ----------
    argv
        The command.
    root
        The directory.
    cwd
        Where to run it (default: in the directory).
    env
        Its environment, as a change to the present one.

    Raises
    ------
    HarnessError
        The command failed.
    """
    return list(_trace(argv, root, cwd or root, env or {}))


def trace_snippet(
    snippet: str,
    root: Path,
    *,
    setup: str = "",
    env: Mapping[str, str] | None = None,
) -> list[SystemCall]:
    """The calls that a Python snippet makes below a directory.

    Parameters
    ----------
    snippet
        The code, run with the directory as its working directory.
    root
        The directory.
    setup
        Code to run before, whose calls do not count and whose names the snippet sees.
    env
        The environment, as a change to the present one.
    """
    program = (
        "import os, sys\n"
        "names = {'__name__': '__main__'}\n"
        "snippet = compile(sys.argv[2], '<snippet>', 'exec')\n"
        "exec(compile(sys.argv[1], '<setup>', 'exec'), names)\n"
        f"os.access({MARKER!r}, os.F_OK)\n"
        "exec(snippet, names)\n"
        f"os.access({MARKER!r}, os.F_OK)\n"
    )
    argv = [sys.executable, "-P", "-c", program, textwrap.dedent(setup), textwrap.dedent(snippet)]
    calls = list(_trace(argv, root, root, env or {}))
    begin, end = (n for n, call in enumerate(calls) if call.name == MARKER)
    return calls[begin + 1 : end]


def _trace(
    argv: Sequence[str | os.PathLike[str]], root: Path, cwd: Path, env: Mapping[str, str]
) -> Iterator[SystemCall]:
    search = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    # Set through strace, so that a preloaded library does not come into strace itself.
    changes = [f"--env={name}={value}" for name, value in {"PYTHONPATH": search, **env}.items()]
    cwd = Path(os.path.realpath(cwd))
    with tempfile.TemporaryDirectory() as scratch:
        output = os.path.join(scratch, "trace")
        kinds = "trace=%file,%desc," + ",".join(f"?{name}" for name in NEW_PROCESS)
        command = [
            "strace",
            "-f",
            "-y",
            "-s",
            "0",
            "-e",
            kinds,
            "-e",
            "signal=none",
            *changes,
            "-o",
            output,
            "--",
            *argv,
        ]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
        if done.returncode:
            raise HarnessError(f"{argv[0]} ended with {done.returncode} under strace:\n{done.stderr}")
        lines = Path(output).read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    yield from read_strace(lines, os.path.realpath(root), os.fspath(cwd))


def read_strace(lines: Sequence[str], root: str, cwd: str) -> Iterator[SystemCall]:
    """The calls below `root` in the output of `strace -f -y`, in the order in which they were begun.

    Parameters
    ----------
    lines
        The output.
    root
        The directory, free of symbolic links.
    cwd
        The working directory of the first process.
    """
    directories: dict[str, str] = {}  # the working directory of each process
    for line, (pid, name, arguments, result) in _complete(lines):
        here = directories.setdefault(pid, cwd)
        if name in NEW_PROCESS:
            directories.setdefault(result, here)
            continue
        paths, by_descriptor = _paths(name, arguments, here)
        if name in ("chdir", "fchdir") and result == "0":
            directories[pid] = paths[0]
        if paths == [MARKER]:
            yield SystemCall(MARKER, MARKER, "", failed=True, line=line)
        if name in ("symlink", "symlinkat", "sendfile"):
            paths.reverse()  # what is written to comes first here
        if any(path == root or path.startswith(root + "/") for path in paths):
            short = ["." if path == root else path.removeprefix(root + "/") for path in paths]
            yield SystemCall(
                name=_kind(name, arguments, by_descriptor=by_descriptor),
                path=short[0],
                other=short[1] if len(short) > 1 else "",
                failed=result == "-1",
                line=line,
            )


def _complete(lines: Sequence[str]) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    """Each line with its process, call, arguments and result; lines that strace had to split are put together."""
    rest: dict[str, list[re.Match[str]]] = {}
    for line in lines:
        if found := RESUMED.match(line):
            rest.setdefault(found["pid"], []).append(found)
    for line in lines:
        found = LINE.match(line)
        if not found:
            continue
        if found["result"] is not None:
            yield line, (found["pid"], found["name"], found["arguments"], found["result"])
        elif rest.get(found["pid"]):
            end = rest[found["pid"]].pop(0)
            yield line, (found["pid"], found["name"], found["arguments"] + end["arguments"], end["result"])
        else:  # the process was killed in this call
            yield line, (found["pid"], found["name"], found["arguments"], "?")


def _paths(name: str, arguments: str, cwd: str) -> tuple[list[str], bool]:
    """The absolute paths of a call, the text of a symbolic link, and whether the file is named by a descriptor."""
    paths: list[str] = []
    by_descriptor = False
    base = cwd
    for kind, argument in zip(LAYOUTS.get(name, "f"), ARGUMENT.findall(arguments), strict=False):
        text = _unescape(argument.strip())
        if kind in "df":
            # AT_FDCWD or a number, and between angle brackets what it stands for; a bare number is no file
            _, _, target = text.partition("<")
            base = target.rpartition(">")[0].removesuffix(" (deleted)")
        if kind == "p" and text not in ('""', "NULL"):
            paths.append(os.path.normpath(os.path.join(base, text[1:-1])))
            base = cwd
        elif kind == "t":
            paths.append(text[1:-1])
        elif base and (kind == "f" or kind == "p"):  # the descriptor itself, without a path
            paths.append(base)
            by_descriptor = True
    return paths, by_descriptor


def _kind(name: str, arguments: str, *, by_descriptor: bool) -> str:
    if name in ("newfstatat", "statx", "fstatat64"):
        if by_descriptor:
            return "fstat"
        return "lstat" if "AT_SYMLINK_NOFOLLOW" in arguments else "stat"
    if name == "unlinkat":
        return "rmdir" if "AT_REMOVEDIR" in arguments else "unlink"
    return KINDS.get(name, name)


def _unescape(text: str) -> str:
    """The text that strace wrote with C escapes."""

    def byte(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] in "01234567":
            return chr(int(code, 8))
        if code[0] == "x" and len(code) == 3:
            return chr(int(code[1:], 16))
        return SPECIAL.get(code, code)

    # Escapes stand for bytes.
    return os.fsdecode(ESCAPE.sub(byte, os.fsencode(text).decode("latin-1")).encode("latin-1"))
