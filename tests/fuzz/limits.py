"""What a run may use: a run that hangs or swallows the memory is stopped."""

from __future__ import annotations

import ctypes
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 60
BYTES = 1 << 30


class HangsError(BaseException):
    """Not an `Exception`, which the program would catch."""


@contextmanager
def limited(seconds: int = SECONDS, memory: int = BYTES) -> Iterator[None]:
    """Stop what runs for too long, and refuse memory beyond so many bytes more than there are now."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise HangsError

    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


_MODES_DO_NOT_MATTER = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@contextmanager
def unprivileged() -> Iterator[None]:
    """Let modes and owners of files count for root, too."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = _Header(0x20080522, 0)
    capabilities = (_Capabilities * 2)()
    if libc.capget(ctypes.byref(header), capabilities):
        raise OSError(ctypes.get_errno(), "capget")
    before = capabilities[0].effective

    def set_effective(effective: int) -> None:
        capabilities[0].effective = effective
        if libc.capset(ctypes.byref(header), capabilities):
            raise OSError(ctypes.get_errno(), "capset")

    set_effective(before & ~_MODES_DO_NOT_MATTER)
    try:
        yield
    finally:
        set_effective(before)
