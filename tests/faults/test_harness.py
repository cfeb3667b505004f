"""The harness itself: what the shim sees and does, confirmed with strace, and the runners that are built on it."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.harness import Fault, Harness, HarnessError, Result
from tests.faults.shim import build_shim, compiler, read_trace
from tests.faults.syscalls import missing_strace, require_strace, trace_command, trace_snippet
from tests.support import unavailable

REPLACE = """
import os
with open("new", "w") as f:
    f.write("new text")
os.replace("new", "document")
"""
REPLACE_CALLS = ["open", "fstat", "ioctl", "lseek", "lseek", "write", "close", "rename"]

# Every entry point of the shim that CPython reaches.
EVERY_CALL = r"""
import fcntl, mmap, os, shutil, sys, tempfile
root = os.getcwd()
os.makedirs("a/b/c")
os.mkdir("names with\ttab, newline\n, \\ and \"quotes\" <é>")
with open("a/file", "w+b") as f:
    f.write(b"x" * 100_000)
    f.flush()
    os.fsync(f.fileno())
    os.fdatasync(f.fileno())
    f.seek(0)
    f.read()
    f.truncate(10)
    fcntl.flock(f, fcntl.LOCK_EX)
    fcntl.lockf(f, fcntl.LOCK_EX)
    os.posix_fallocate(f.fileno(), 0, 100)
    os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    mmap.mmap(f.fileno(), 10).close()
    os.isatty(f.fileno())
    os.fchmod(f.fileno(), 0o600)
    os.fchown(f.fileno(), -1, -1)
    os.utime(f.fileno())
    os.fstatvfs(f.fileno())
    os.pwrite(f.fileno(), b"abc", 2)
    os.pread(f.fileno(), 3, 2)
    os.writev(f.fileno(), [b"a", b"b"])
    os.preadv(f.fileno(), [bytearray(2)], 0)
    os.pwritev(f.fileno(), [b"a", b"b"], 0)
    os.readv(f.fileno(), [bytearray(2)])
    with open("a/copy", "wb") as g:
        os.copy_file_range(f.fileno(), g.fileno(), 10, 0)
        os.sendfile(g.fileno(), f.fileno(), 0, 5)
        with open("/dev/null", "wb") as outside, open("/etc/passwd", "rb") as source:
            os.sendfile(outside.fileno(), f.fileno(), 0, 5)
            os.sendfile(g.fileno(), source.fileno(), 0, 5)
os.stat("a/file"), os.lstat("a/file"), os.access("a/file", os.R_OK), os.statvfs("a")
os.truncate("a/file", 3)
os.link("a/file", "a/link")
os.symlink("file", "a/symlink")
os.readlink("a/symlink")
os.path.realpath("a/symlink")
os.chmod("a/file", 0o644), os.chown("a/file", -1, -1), os.lchown("a/symlink", -1, -1)
os.utime("a/file", (1, 1)), os.utime("a/symlink", follow_symlinks=False)
os.mkfifo("a/fifo")
os.listxattr("a/file")
for get in ("a/file", "a/none"):
    try:
        os.getxattr(get, "user.none")
    except OSError:
        pass
os.rename("a/link", "a/renamed")
os.unlink("a/symlink"), os.remove("a/fifo")
a = os.open("a", os.O_RDONLY | os.O_DIRECTORY)
os.stat("file", dir_fd=a), os.access("file", os.R_OK, dir_fd=a), os.mkdir("d", dir_fd=a), os.rmdir("d", dir_fd=a)
os.symlink("x", "s", dir_fd=a), os.readlink("s", dir_fd=a), os.unlink("s", dir_fd=a)
os.rename("renamed", "again", src_dir_fd=a, dst_dir_fd=a)
os.link("again", "linked", src_dir_fd=a, dst_dir_fd=a)
os.utime("again", dir_fd=a), os.chmod("again", 0o600, dir_fd=a), os.chown("again", -1, -1, dir_fd=a)
os.listdir(a)
os.close(os.dup(a)), os.dup2(a, 50), os.close(50)
os.fchdir(a)
open("relative", "w").close()
os.chdir("..")
os.close(a)
os.chdir("/")
open(os.path.relpath(root + "/a/../relative", "/"), "w").close()
os.open(root + "/kept", os.O_CREAT | os.O_WRONLY)
os.chdir(root)
os.makedirs("many")
for n in range(700):
    os.close(os.open(f"many/{n:030}", os.O_CREAT | os.O_WRONLY))
len(os.listdir("many")), sum(1 for _ in os.scandir("many"))
shutil.copytree("a", "tree", symlinks=True)
shutil.rmtree("many")
shutil.rmtree("tree")
with tempfile.TemporaryDirectory(dir=".") as scratch:
    shutil.copy2("a/file", scratch)
    shutil.move("a/file", scratch + "/moved")
for path in ("none", "none/below", "a/copy/below"):
    for call in (os.stat, os.listdir, os.rmdir, os.unlink, os.readlink, os.chdir, open):
        try:
            call(path)
        except OSError:
            pass
"""

HDF5 = """
import h5py
with h5py.File("data.h5", "w") as f:
    f["x"] = [1, 2, 3]
with h5py.File("data.h5", "r+") as f:
    f["x"][...], f.create_group("y")
"""

PROCESSES = """
import os, subprocess, sys
subprocess._USE_POSIX_SPAWN = False  # it duplicates descriptors inside libc, where no library can look
with open("kept", "w") as kept:
    child = "import os; os.write(1, b'text'); os.mkdir('made')"
    subprocess.run([sys.executable, "-P", "-c", child], stdout=kept, check=True)
    subprocess.run(["sh", "-c", "mkdir shell; echo text > shell/file; rm -r shell"], check=True)
    kept.write("more")
if os.fork() == 0:
    os.mkdir("forked")
    os._exit(0)
os.wait()
os.mkdir("last")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with one document, between others that are not watched."""
    directory = Path(os.path.realpath(tmp_path)) / "project"
    directory.mkdir()
    (directory / "document").write_text("old")
    directory.with_name("project-2").mkdir()
    return directory


def prepare(directory: Path) -> None:
    (directory / "document").write_text("old")


def accept(directory: Path, *results: Result) -> None:
    """A check that holds for every outcome."""


# ---- what the shim sees


@pytest.mark.parametrize("program", [EVERY_CALL, HDF5, PROCESSES], ids=["python", "hdf5", "processes"])
def test_shim_when_compared_with_strace_then_sees_the_same_calls(program: str, shim: Path, project: Path) -> None:
    require_strace()
    trace = project.with_name("trace")
    env = {
        "LD_PRELOAD": str(shim),
        "SHIM_ROOT": str(project),
        "SHIM_TRACE": str(trace),
        "SHIM_COUNTER": str(project.with_name("counter")),
    }
    seen_by_strace = trace_command([sys.executable, "-P", "-c", program], project, env=env)
    seen_by_shim = read_trace(trace, str(project))
    assert [(call.name, call.path, call.other) for call in seen_by_shim] == [
        (call.name, call.path, call.other) for call in seen_by_strace
    ]
    assert [call.result == -1 for call in seen_by_shim] == [call.failed for call in seen_by_strace]


def test_shim_when_preloaded_then_program_makes_the_same_calls(shim: Path, project: Path) -> None:
    require_strace()
    command = [sys.executable, "-P", "-c", EVERY_CALL]
    copy = project.with_name("project-2")
    with_shim = trace_command(command, project, env={"LD_PRELOAD": str(shim), "SHIM_ROOT": str(project)})
    without = trace_command(command, copy)

    def stable(path: str) -> str:
        return "temporary" if path.startswith("tmp") else path

    assert [(call.name, stable(call.path)) for call in with_shim] == [
        (call.name, stable(call.path)) for call in without
    ]


def test_trace_when_a_file_is_replaced_then_lists_each_call(harness: Harness, project: Path) -> None:
    result = harness.run(REPLACE, project, trace=True)
    assert result.names == REPLACE_CALLS
    assert result.count == len(REPLACE_CALLS)
    assert [call.number for call in result.calls] == list(range(1, len(REPLACE_CALLS) + 1))
    write, rename = result.calls[5], result.calls[7]
    assert (write.path, write.argument, write.result) == ("new", 8, 8)
    assert (rename.path, rename.other, rename.fd) == ("new", "document", -1)
    assert not result.fired


def test_trace_when_calls_lie_outside_then_they_are_not_seen(harness: Harness, project: Path) -> None:
    result = harness.run(
        """
        import os
        os.listdir(".."), os.stat("../project-2"), os.stat("/"), open("/dev/null").close()
        os.mkdir("../project-2/x")
        os.mkdir("../project/x")
        os.rename("../project-2/x", "y")
        """,
        project,
        trace=True,
    )
    assert [(call.name, call.path, call.other) for call in result.calls] == [
        ("mkdir", "x", ""),
        ("rename", str(project.with_name("project-2") / "x"), "y"),
    ]


def test_trace_when_threads_call_at_once_then_each_call_has_one_number(harness: Harness, project: Path) -> None:
    result = harness.run(
        """
        import os, threading
        def work(n):
            for i in range(50):
                path = f"{n}-{i}"
                fd = os.open(path, os.O_CREAT | os.O_WRONLY)
                os.write(fd, b"x")
                os.close(fd)
                os.unlink(path)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """,
        project,
        trace=True,
    )
    assert result.completed, result.stderr
    assert sorted(call.number for call in result.calls) == list(range(1, 8 * 50 * 4 + 1))
    for call in result.calls:
        assert call.errno == 0
        assert call.path.count("-") == 1


def test_trace_when_processes_are_started_then_numbers_run_on(harness: Harness, project: Path) -> None:
    result = harness.run(PROCESSES, project, trace=True)
    assert result.completed, result.stderr
    assert len({call.pid for call in result.calls}) > 3
    assert [call.number for call in result.calls] == list(range(1, result.count + 1))
    assert [call.path for call in result.calls if call.name == "mkdir"] == ["made", "shell", "forked", "last"]


def test_trace_when_descriptors_are_closed_by_the_range_then_it_goes_on(harness: Harness, project: Path) -> None:
    result = harness.run(
        "import os; f = os.open('document', 0); os.closerange(3, 4096); os.mkdir('x'); os.read(0, 1)",
        project,
        trace=True,
    )
    assert result.names == ["open", "mkdir"]


def test_trace_when_only_some_calls_count_then_the_others_have_no_number(harness: Harness, project: Path) -> None:
    result = harness.run(REPLACE, project, Fault(calls=("write", "rename")), trace=True)
    assert result.names == REPLACE_CALLS
    assert {call.name: call.number for call in result.calls if call.number} == {"write": 1, "rename": 2}
    assert result.count == 2


def test_count_calls_when_run_then_counts_by_name(harness: Harness, project: Path) -> None:
    counts = harness.count_calls("import os; os.mkdir('x'); os.rmdir('x'); os.mkdir('x')", project)
    assert counts == {"mkdir": 2, "rmdir": 1}


# ---- what the shim does


def test_kill_at_when_reached_then_the_call_is_not_made(harness: Harness, project: Path) -> None:
    result = harness.run(
        "import os; os.mkdir('x'); os.mkdir('y'); os.mkdir('z')", project, Fault(kill_at=2), trace=True
    )
    assert result.returncode == -signal.SIGKILL
    assert result.fired
    assert [call.action for call in result.calls] == ["-", "kill"]
    assert (project / "x").exists()
    assert not (project / "y").exists()


def test_kill_at_when_beyond_the_last_call_then_nothing_happens(harness: Harness, project: Path) -> None:
    result = harness.run("import os; os.mkdir('x')", project, Fault(kill_at=2))
    assert result.completed
    assert not result.fired


def test_kill_at_when_a_child_process_gets_there_then_it_alone_is_killed(harness: Harness, project: Path) -> None:
    result = harness.run(
        """
        import os, subprocess, sys
        os.mkdir("parent")
        done = subprocess.run([sys.executable, "-P", "-c", "import os; os.mkdir('child')"])
        print(done.returncode)
        os.mkdir("parent-2")
        """,
        project,
        Fault(kill_at=2, calls=("mkdir",)),
    )
    assert result.stdout == "-9\n"
    assert sorted(os.listdir(project)) == ["document", "parent", "parent-2"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES, errno.ESTALE, errno.EXDEV])
def test_fail_at_when_reached_then_the_call_fails_with_the_error(harness: Harness, project: Path, code: int) -> None:
    result = harness.run(REPLACE, project, Fault(fail_at=1, errno=code, calls=("rename",)), trace=True)
    assert result.returncode == 1
    assert os.strerror(code) in result.error
    assert (result.calls[-1].name, result.calls[-1].errno, result.calls[-1].action) == ("rename", code, "fail")
    assert (project / "document").read_text() == "old"


def test_fail_at_when_close_fails_then_the_descriptor_is_closed(harness: Harness, project: Path) -> None:
    result = harness.run(
        """
        import os
        f = os.open("document", os.O_RDONLY)
        try:
            os.close(f)
        except OSError as error:
            print(error.errno, os.path.exists(f"/proc/self/fd/{f}"))
        """,
        project,
        Fault(fail_at=1, errno=errno.EIO, calls=("close",)),
    )
    assert result.stdout == f"{errno.EIO} False\n"


@pytest.mark.parametrize(("times", "failures"), [(1, 1), (2, 2), (None, 3)])
def test_fail_at_when_repeated_then_as_many_calls_fail(
    harness: Harness, project: Path, times: int | None, failures: int
) -> None:
    result = harness.run(
        """
        import os
        for name in "abcd":
            try:
                os.mkdir(name)
            except OSError as error:
                print(error.errno)
        """,
        project,
        Fault(fail_at=2, errno=errno.ENOSPC, times=times),
    )
    assert result.stdout.split() == [str(errno.ENOSPC)] * failures


def test_fail_at_when_a_directory_listing_fails_then_the_program_is_told(harness: Harness, project: Path) -> None:
    result = harness.run("import os; os.listdir()", project, Fault(fail_at=1, errno=errno.EIO, calls=("getdents",)))
    assert result.error.startswith(f"OSError: [Errno {errno.EIO}]")


def test_short_at_when_a_write_is_short_then_half_is_written(harness: Harness, project: Path) -> None:
    code = "import os; f = os.open('x', os.O_CREAT | os.O_WRONLY); print(os.write(f, b'123456789'))"
    result = harness.run(code, project, Fault(short_at=1, calls=("write",)))
    assert result.stdout == "5\n"
    assert (project / "x").read_text() == "12345"


def test_tear_at_when_a_write_is_torn_then_half_is_written_and_the_process_killed(
    harness: Harness, project: Path
) -> None:
    result = harness.run(REPLACE, project, Fault(tear_at=1, calls=("write",)))
    assert result.returncode == -signal.SIGKILL
    assert (project / "new").read_text() == "new "


def test_delay_when_set_then_the_calls_of_the_list_wait(shim: Path, project: Path) -> None:
    require_strace()
    env = {
        "LD_PRELOAD": str(shim),
        "SHIM_ROOT": str(project),
        "SHIM_DELAY_US": "3",
        "SHIM_DELAY_CALLS": "rename,mkdir",
    }
    snippet = "import os; os.mkdir('x'); os.stat('x'); os.rename('x', 'y'); os.mkdir('x'); os.rmdir('x')"
    trace = project.with_name("strace")
    command = ["strace", "-f", "-o", str(trace), "-e", "trace=nanosleep,clock_nanosleep"]
    command += [f"--env={name}={value}" for name, value in env.items()]
    subprocess.run([*command, "--", sys.executable, "-P", "-c", snippet], cwd=project, check=True)
    slept = [line for line in trace.read_text().splitlines() if "tv_nsec=3000" in line]
    assert len(slept) == 3


def test_delay_when_no_calls_are_named_then_those_on_metadata_wait_and_transfers_do_not(
    shim: Path, project: Path
) -> None:
    require_strace()
    env = {"LD_PRELOAD": str(shim), "SHIM_ROOT": str(project), "SHIM_DELAY_US": "3"}
    waiting = """
os.mkdir("a")
f = os.open("a/f", os.O_CREAT | os.O_RDWR)
os.stat("a/f")
os.rename("a/f", "a/g")
os.scandir("a").close()
os.unlink("a/g")
os.rmdir("a")
"""
    others = "os.write(f, b'text'); os.pread(f, 4, 0); os.fstat(f); os.close(f); os.stat('/')"
    trace = project.with_name("strace")
    command = ["strace", "-f", "-o", str(trace), "-e", "trace=nanosleep,clock_nanosleep"]
    command += [f"--env={name}={value}" for name, value in env.items()]
    code = f"import os{waiting}{others}"
    subprocess.run([*command, "--", sys.executable, "-P", "-c", code], cwd=project, check=True)
    slept = [line for line in trace.read_text().splitlines() if "tv_nsec=3000" in line]
    assert len(slept) == 7


TRY_A_SECOND_LOCK = """
import fcntl, os
held, other = os.open("document", os.O_RDWR), os.open("document", os.O_RDWR)
for descriptor in (held, other):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("granted")
    except OSError as error:
        print(type(error).__name__, error.errno)
"""


@pytest.mark.parametrize(
    ("locks", "expected"),
    [
        ("", ["granted", f"BlockingIOError {errno.EAGAIN}"]),
        ("refused", [f"OSError {errno.ENOLCK}"] * 2),
        ("ignored", ["granted", "granted"]),
    ],
)
def test_locks_when_refused_or_ignored_then_nobody_is_excluded(
    harness: Harness, project: Path, locks: str, expected: list[str]
) -> None:
    result = harness.run(TRY_A_SECOND_LOCK, project, Fault(locks=locks))
    assert result.stdout.splitlines() == expected


def test_trace_when_another_directory_is_watched_then_lists_its_calls(
    harness: Harness, project: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    code = f"import os\nopen('new', 'w').close()\nos.mkdir({str(outside)!r})"
    only_there = harness.run(code, project, trace=True, watched=outside)
    assert [(call.name, call.path) for call in only_there.calls] == [("mkdir", str(outside))]
    outside.rmdir()
    everywhere = harness.run(code, project, trace=True, watched=Path("/"))
    assert ("open", "new") in [(call.name, call.path) for call in everywhere.calls]
    assert ("mkdir", str(outside)) in [(call.name, call.path) for call in everywhere.calls]


def test_interpreter_when_it_has_a_signac_of_its_own_then_the_search_path_is_left_to_it(
    shim: Path, project: Path, tmp_path: Path
) -> None:
    code = "import os\nprint(repr(os.environ['PYTHONPATH']))"
    with Harness(shim, tmp_path, python=sys.executable) as harness:
        assert harness.run(code, project).stdout == "''\n"


# ---- every point


def test_every_kill_point_when_written_in_place_then_the_check_sees_the_half_state(harness: Harness) -> None:
    def check(directory: Path, result: Result) -> None:
        assert (directory / "document").read_text() in ("old", "new")

    with pytest.raises(AssertionError) as broken:
        harness.every_kill_point("with open('document', 'w') as f: f.write('new')", prepare, check)
    note = "".join(broken.value.__notes__)
    assert "at point 2" in note
    assert "1 open document" in note
    assert "2 fstat document = ? (kill)" in note


def test_every_kill_point_when_replaced_then_each_state_is_seen_once(harness: Harness) -> None:
    states = []

    def check(directory: Path, result: Result) -> None:
        states.append((sorted(os.listdir(directory)), (directory / "document").read_text(), result.completed))

    assert harness.every_kill_point(REPLACE, prepare, check) == len(REPLACE_CALLS)
    before, written, after = ["document"], ["document", "new"], ["document"]
    assert states == [
        (before, "old", False),
        *[(written, "old", False)] * (len(REPLACE_CALLS) - 1),
        (after, "new text", True),
    ]


def test_every_kill_point_when_given_a_command_then_runs_it_in_a_fresh_process(harness: Harness) -> None:
    command = [sys.executable, "-P", "-c", "import os; os.mkdir('x'); os.mkdir('y')"]
    states = []

    def check(directory: Path, result: Result) -> None:
        states.append(sorted(os.listdir(directory)))

    assert harness.every_kill_point(command, lambda directory: None, check) == 2
    assert states == [[], ["x"], ["x", "y"]]


def test_every_kill_point_when_prepared_then_each_point_starts_from_the_same_files(harness: Harness) -> None:
    places = []

    def fill(directory: Path) -> None:
        places.append(directory)
        (directory / "sub").mkdir()
        (directory / "sub" / "file").write_text("text")
        (directory / "link").symlink_to(directory / "sub")

    def check(directory: Path, result: Result) -> None:
        places.append(directory)
        assert (directory / "sub" / "file").exists() == (result.count == 1)
        assert (directory / "link").resolve() == directory / "sub"

    operation = "import os; os.unlink('sub/file'); os.rmdir('sub')"
    assert harness.every_kill_point(operation, fill, check) == 2
    assert len(places) == 4
    assert len(set(places)) == 1
    assert not places[0].exists()


def test_every_kill_point_when_the_operation_fails_by_itself_then_says_so(harness: Harness) -> None:
    with pytest.raises(HarnessError, match="ZeroDivisionError"):
        harness.every_kill_point("import os; os.mkdir('x'); 1 / 0", prepare, accept)


def test_every_kill_point_when_there_is_no_call_then_says_so(harness: Harness) -> None:
    with pytest.raises(HarnessError, match="no call"):
        harness.every_kill_point("pass", prepare, accept)


def test_every_fail_point_when_the_disk_is_full_then_each_failure_is_reported(harness: Harness) -> None:
    errors = []

    def check(directory: Path, result: Result) -> None:
        errors.append(result.error)
        assert (directory / "document").read_text() == ("new text" if result.completed else "old")

    calls = ("open", "write", "close", "rename")
    assert harness.every_fail_point(REPLACE, prepare, check, errno=errno.ENOSPC, calls=calls) == 4
    assert ["No space left" in error for error in errors] == [True, True, True, True, False]


def test_every_fail_point_when_interrupted_then_python_tries_again(harness: Harness) -> None:
    def check(directory: Path, result: Result) -> None:
        assert (directory / "document").read_text() == "new text"

    points = harness.every_fail_point(REPLACE, prepare, check, errno=errno.EINTR, calls=("open", "write", "fstat"))
    assert points == 3


def test_every_short_point_when_python_writes_then_the_rest_follows(harness: Harness) -> None:
    def check(directory: Path, result: Result) -> None:
        assert (directory / "document").read_text() == "new text"

    assert harness.every_short_point(REPLACE, prepare, check) == 1


def test_every_torn_write_when_written_in_place_then_the_check_sees_half_of_it(harness: Harness) -> None:
    states = []

    def check(directory: Path, result: Result) -> None:
        states.append((directory / "document").read_text())

    harness.every_torn_write("with open('document', 'w') as f: f.write('new text')", prepare, check)
    assert states == ["new ", "new text"]


# ---- two at once


READ_MODIFY_WRITE = """
with open("document") as f:
    text = f.read()
with open("document", "w") as f:
    f.write(text + "{}")
"""
LOCKED = (
    """
import fcntl, os
lock = os.open("lock", os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX)
"""
    + READ_MODIFY_WRITE
)
LOCKED_BY_TRYING = (
    """
import fcntl, os
lock = os.open("lock", os.O_RDWR)
while True:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        continue
    break
"""
    + READ_MODIFY_WRITE
)


def prepare_lock(directory: Path) -> None:
    (directory / "document").write_text("")
    (directory / "lock").touch()


def test_every_interleaving_when_nothing_is_locked_then_the_check_sees_a_lost_update(harness: Harness) -> None:
    states = []

    def check(directory: Path, first: Result, second: Result) -> None:
        states.append((directory / "document").read_text())

    harness.every_interleaving(READ_MODIFY_WRITE.format("a"), READ_MODIFY_WRITE.format("b"), prepare_lock, check)
    assert states[0] == "ba"
    assert "a" in states
    assert states[-1] == "ab"


@pytest.mark.parametrize("locked", [LOCKED, LOCKED_BY_TRYING], ids=["waiting", "trying"])
def test_every_interleaving_when_locked_then_no_update_is_lost(harness: Harness, locked: str) -> None:
    states = []

    def check(directory: Path, first: Result, second: Result) -> None:
        assert first.completed
        assert second.completed
        states.append((directory / "document").read_text())

    points = harness.every_interleaving(locked.format("a"), locked.format("b"), prepare_lock, check)
    assert len(states) == points + 1
    assert set(states) == {"ab", "ba"}


def test_every_interleaving_when_locks_are_taken_crosswise_then_says_so(harness: Harness) -> None:
    crosswise = """
import fcntl, os
locks = [os.open(name, os.O_RDWR) for name in {}]
for lock in locks:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        break
"""
    with pytest.raises(HarnessError, match="each other"):
        harness.every_interleaving(
            crosswise.format(["document", "lock"]), crosswise.format(["lock", "document"]), prepare_lock, accept
        )


# ---- running


def test_run_when_a_snippet_ends_then_gives_its_output_and_status(harness: Harness, project: Path) -> None:
    result = harness.run(
        "import atexit, sys; atexit.register(print, 'last'); print(value); print('e', file=sys.stderr); sys.exit(3)",
        project,
        setup="value = 'from setup'",
    )
    assert (result.returncode, result.stdout, result.stderr) == (3, "from setup\nlast\n", "e\n")
    assert result.error == "e"


def test_run_when_given_variables_then_snippet_and_command_see_them(harness: Harness, project: Path) -> None:
    code = "import os; print(os.environ['WORD'])"
    for operation in (code, [sys.executable, "-c", code]):
        assert harness.run(operation, project, env={"WORD": "text"}).stdout == "text\n"


def test_run_when_the_snippet_leaves_processes_behind_then_they_are_killed(harness: Harness, project: Path) -> None:
    result = harness.run(
        """
        import os, signal
        ready, go = os.pipe()
        left = os.fork()
        if left == 0:
            os.write(go, b"x")
            signal.pause()
        os.read(ready, 1)
        print(left)
        """,
        project,
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(result.stdout), 0)


def test_run_when_the_snippet_hangs_then_it_is_killed_and_reported(shim: Path, tmp_path: Path) -> None:
    with Harness(shim, tmp_path, timeout=0.2) as impatient:
        with pytest.raises(HarnessError, match="did not end"):
            impatient.run("import signal; signal.pause()", tmp_path)
        assert impatient.run("print(1)", tmp_path).stdout == "1\n"


def test_run_when_the_setup_fails_then_says_why(harness: Harness, project: Path) -> None:
    with pytest.raises(HarnessError, match="no_such_module"):
        harness.run("pass", project, setup="import no_such_module")


def test_build_shim_when_there_is_no_compiler_then_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert compiler() is None
    with pytest.raises(FileNotFoundError, match="no C compiler"):
        build_shim(tmp_path)


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_unavailable_when_in_ci_then_fails_and_elsewhere_skips(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="the tool is missing"):
        unavailable("the tool is missing")


def test_missing_strace_when_not_on_the_path_then_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_strace.__wrapped__() == "strace is not installed"


# ---- strace


def test_trace_snippet_when_run_then_lists_the_calls_between_the_markers(project: Path) -> None:
    require_strace()
    calls = trace_snippet(
        "with open('new', 'w') as f: f.write(text)\nos.replace('new', 'document')",
        project,
        setup="import os; text = open('document').read()",
    )
    assert [call.name for call in calls] == REPLACE_CALLS
    assert (calls[-1].path, calls[-1].other) == ("new", "document")
    assert [call.failed for call in calls] == [name == "ioctl" for name in REPLACE_CALLS]


def test_trace_snippet_when_names_are_odd_then_they_come_back_whole(project: Path) -> None:
    require_strace()
    names = ['a "b"', "a\tb\n", "é<>", "a\\b", 'x"', "a, b) = 0"]
    calls = trace_snippet("for name in names: os.mkdir(name)", project, setup=f"import os; names = {names!r}")
    assert [call.path for call in calls] == names


def test_trace_snippet_when_it_fails_then_gives_its_error(project: Path) -> None:
    require_strace()
    with pytest.raises(HarnessError, match="ZeroDivisionError"):
        trace_snippet("1 / 0", project)
