"""A warm interpreter that starts one child per request.

Run by `harness.py` with the shim preloaded.  It executes the setup code it is given (the imports), then reads requests
from standard input and answers each on standard output, one JSON object per line:

    {"start": {"code" or "argv": ..., "cwd": ..., "env": {...}, "stdout": path, "stderr": path}}
        forks a child that sets the environment, arms the shim and executes the code (or becomes the command);
        answers {"pid": n} at once and {"status": n} when the child has stopped or ended
    {"resume": pid}
        lets a stopped child go on; answers {"status": n} when it has stopped again or ended

`status` is what waitpid reported.  Each child has a process group of its own; what is left of it when the child ends is
killed and waited for, so that nothing runs on while the harness looks at the directory.
"""

import atexit
import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
import traceback
from types import CodeType, ModuleType
from typing import Any

PR_SET_CHILD_SUBREAPER = 36


def run_code(code: CodeType, namespace: dict[str, Any]) -> int:
    """Execute code as the main program of an interpreter; its exit status."""
    status = 0
    try:
        exec(code, namespace)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    # What the end of an interpreter would do, which os._exit does not.
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()
    namespace.clear()
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def child(request: dict[str, Any], namespace: dict[str, Any], shim: ctypes.CDLL) -> None:
    """Become what the request asks for; does not return."""
    status = 1
    try:
        os.setpgid(0, 0)
        for descriptor, key in ((1, "stdout"), (2, "stderr")):
            opened = os.open(request[key], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            os.dup2(opened, descriptor)
            os.close(opened)
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        if "argv" in request:
            os.execvp(request["argv"][0], request["argv"])
        code = compile(request["code"], "<operation>", "exec")
        shim.shim_arm()
        status = run_code(code, namespace)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def wait(pid: int) -> int:
    """Wait until a child stops or ends; its status."""
    _, status = os.waitpid(pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-pid, 0)
    return status


def main() -> None:
    """Serve requests until standard input ends."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)

    def answer(**fields: object) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # A module, so that functions of an operation can be pickled for a process pool.
    program = sys.modules["__main__"] = ModuleType("__main__")
    try:
        exec(compile(sys.argv.pop(), "<setup>", "exec"), program.__dict__)
    except BaseException:
        answer(error=traceback.format_exc())
        return
    # The collector would otherwise write to, and so copy, every page of the imported modules in each child.
    gc.collect()
    gc.freeze()
    answer(ready=True)
    for line in requests:
        request = json.loads(line)
        if "resume" in request:
            pid = request["resume"]
            os.kill(pid, signal.SIGCONT)
        else:
            pid = os.fork()
            if pid == 0:
                child(request["start"], program.__dict__, libc)
            answer(pid=pid)
        answer(status=wait(pid))


if __name__ == "__main__":
    main()
