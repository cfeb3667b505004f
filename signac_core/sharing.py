"""Sharing work between processes that are forked for it, where waiting and computing cost more than the fork.

For programs with one thread only: a fork copies the locks that other threads hold. The command line uses it, the
library does so only when it is told to.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from . import canonical

__all__ = ["shared"]

_MOST_PROCESSES = 16


def shared(function: Callable[[Sequence[str]], Any], items: Sequence[str], processes: int) -> list[Any]:
    """Apply a function to shares of a list, each in a process of its own but the first."""
    number = len(items)
    processes = min(processes, _MOST_PROCESSES)
    shares = [items[number * i // processes : number * (i + 1) // processes] for i in range(processes)]
    children = [_start(function, share) for share in shares[1:]]
    try:
        results = [function(shares[0])]
        for share, child in zip(shares[1:], children, strict=True):
            text = _read_all(child[1])
            results.append(canonical.loads(text) if text else function(share))
    finally:
        for process, pipe in children:
            os.close(pipe)
            os.waitpid(process, 0)
    return results


def _start(function: Callable[[Sequence[str]], Any], share: Sequence[str]) -> tuple[int, int]:
    """Fork a process that writes its result into a pipe whole, or nothing."""
    readable, writable = os.pipe()
    process = os.fork()
    if process:
        os.close(writable)
        return process, readable
    try:
        os.close(readable)
        text = canonical.dumps(function(share)).encode("ascii")
        while text:
            text = text[os.write(writable, text) :]
    finally:
        os._exit(0)  # nothing of the parent's is flushed or cleaned up here


def _read_all(pipe: int) -> bytes:
    parts = []
    while part := os.read(pipe, 1 << 20):
        parts.append(part)
    return b"".join(parts)
