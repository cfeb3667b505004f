"""Every operation of the library and of the command line that changes files, as scenarios."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from signac_core import Project, layout
from signac_core.canonical import calc_id
from tests.faults.inventory import DATA
from tests.faults.scenario import Scenario

# what operations start from -------------------------------------------------------------------------------------------


def fill(directory: Path, values: Sequence[int] = (0, 1, 2), *, text: str = "data") -> Project:
    """A project of a few jobs with documents, files, directories and links."""
    project = Project.init_project(directory)
    for a in values:
        job = project.open_job({"a": a}).init()
        job.doc.update({"k": a, "n": {"x": 1}, "list": [1, 2]})
        Path(job.fn(DATA)).write_text(f"{text} of {a}")
        Path(job.fn("sub")).mkdir()
        Path(job.fn("sub/more.txt")).write_text(f"more of {a}")
        os.symlink("more.txt", job.fn("sub/last"))
    return project


def nothing(directory: Path) -> None:
    """An empty directory."""


def one_project(directory: Path) -> None:
    """A project."""
    fill(directory / "project")


def an_empty_project(directory: Path) -> None:
    """A project without a workspace."""
    Project.init_project(directory / "project")
    with_workspace = directory / "project" / layout.WORKSPACE
    if with_workspace.exists():
        with_workspace.rmdir()


def jobs_with_the_same_files(directory: Path) -> None:
    """A project whose jobs hold nothing but files, of the same names."""
    project = Project.init_project(directory / "project")
    for a in range(4):
        job = project.open_job({"a": a}).init()
        job.doc.k = a
        Path(job.fn(DATA)).write_text(f"data of {a}")


def a_private_document(directory: Path) -> None:
    """A project whose files have modes that are not the usual ones."""
    project = fill(directory / "project")
    for job in project:
        for name in (job.FN_DOCUMENT, job.FN_STATE_POINT):
            os.chmod(job.fn(name), 0o600)


def a_job_that_waits(directory: Path) -> None:
    """A project in which another process has made a job directory anew, and is about to write the state point."""
    project = fill(directory / "project")
    job = project.open_job({"a": 9}).init()
    project.update_cache()  # or else nobody could repair it
    for path in (directory / "project" / layout.CONFIG_DIRECTORY).glob("index*"):
        path.unlink()
    os.unlink(job.fn(job.FN_STATE_POINT))


def two_projects(directory: Path) -> None:
    """A project, and an empty one."""
    fill(directory / "project", (0, 1))
    Project.init_project(directory / "other")


def overlapping_projects(directory: Path) -> None:
    """Two projects with a job in common that differs, and one each of their own."""
    source = fill(directory / "source", (0, 1))
    destination = fill(directory / "project", (1, 2))
    source.doc.name = "source"
    ours, theirs = source.open_job({"a": 1}), destination.open_job({"a": 1})
    ours.doc.update({"n": {"x": 2}, "new": 1})
    for name in ("new.txt", "sub/new.txt", "sub/more.txt"):
        Path(ours.fn(name)).write_text("from the source, and longer")
    theirs.doc.mine = 1


def _indexed(directory: Path, values: Sequence[int] = (0, 1, 2)) -> Project:
    project = fill(directory / "project", values)
    project.update_cache()
    return project


def an_indexed_project(directory: Path) -> None:
    """A project with a cache and an index, both out of date."""
    project = _indexed(directory)
    job = project.open_job({"a": 3}).init()
    job.doc.k = 1
    project.open_job({"a": 0}).remove()


def an_indexed_project_that_has_grown(directory: Path) -> None:
    """A project whose cache file can be appended to."""
    _indexed(directory).open_job({"a": 3}).init()


def a_project_with_unknown_documents(directory: Path) -> None:
    """A project with an index that knows nothing of its documents."""
    _indexed(directory)
    for path in directory.glob(f"project/workspace/*/{layout.FN_DOCUMENT}"):
        os.utime(path, (1, 1))


def a_damaged_project(directory: Path) -> None:
    """A project with one damage of each kind that can be repaired."""
    project = _indexed(directory, (0, 1, 2, 3))
    place = Path(project.workspace)
    jobs = {a: place / calc_id({"a": a}) for a in range(4)}
    (jobs[0] / layout.FN_STATE_POINT).write_text("")  # the cache knows
    (jobs[1] / layout.FN_STATE_POINT).unlink()
    jobs[2].rename(place / calc_id({"a": 7}))  # the wrong name
    new = calc_id({"a": 8})  # a change, stopped before its last step
    (jobs[3] / layout.pending_name(new)).write_text('{"a": 8}')
    jobs[3].rename(place / new)
    unfinished = place / f"{layout.PREFIX_REMOVED}{calc_id({'a': 9})}-{'0' * 16}"
    (unfinished / "sub").mkdir(parents=True)
    (unfinished / "sub" / "file").write_text("to be deleted")


def an_old_project(directory: Path) -> None:
    """A project of the layout before `.signac`, with a workspace in another place."""
    project = fill(directory / "project")
    Path(project.workspace).rename(directory / "project" / "runs")
    shutil.rmtree(directory / "project" / layout.CONFIG_DIRECTORY)
    (directory / "project" / layout.FN_LEGACY_CONFIG).write_text(
        "# of old\nproject = study\nworkspace_dir = runs\nschema_version = 1\nauthor = me\n"
    )
    (directory / "project" / ".signac_shell_history").write_text("print(1)\n")
    (directory / "project" / layout.FN_PROJECT_DOCUMENT).write_text('{"kept": 1}')


def a_project_and_archives(directory: Path) -> None:
    """A project, and archives of other content in the way."""
    fill(directory / "project", (0, 1))
    for name in ("out.zip", "out.tar"):
        (directory / name).write_text("old")


def a_project_with_a_view(directory: Path) -> None:
    """A project, and a view of it under other names."""
    project = fill(directory / "project", (0, 1))
    project.create_linked_view(directory / "view", path="old/{a}")
    project.open_job({"a": 2}).init()


def _exported(name: str) -> Callable[[Path], None]:
    def prepare(directory: Path) -> None:
        fill(directory / "source", (0, 1)).export_to(directory / name)
        shutil.rmtree(directory / "source")
        fill(directory / "project", (2,))

    return prepare


def an_archive_with_more(directory: Path) -> None:
    """An archive of the jobs of a project, with files and keys that the project lacks."""
    project = fill(directory / "project", (0, 1))
    for job in project:
        Path(job.fn("new.txt")).write_text("new")
        job.doc.new = 1
    project.export_to(directory / "origin.tar")
    for job in project:
        Path(job.fn("new.txt")).unlink()
        del job.doc["new"]


def raw_data(directory: Path) -> None:
    """Directories with telling names, and a project."""
    for a in (0, 1):
        place = directory / "origin" / f"a_{a}"
        (place / "sub").mkdir(parents=True)
        (place / DATA).write_text(f"data of {a}")
        (place / "sub" / "more.txt").write_text("more")
    fill(directory / "project", (2,))


# what they do ---------------------------------------------------------------------------------------------------------

ALL = json.dumps({"a": {"$gte": 0}})

JOBS = [
    Scenario(name="init", operation="Project('project').open_job({'a': 9}).init()", prepare=one_project),
    Scenario(
        name="init of the first job",
        operation="Project('project').open_job({'a': 9}).init()",
        prepare=an_empty_project,
    ),
    Scenario(
        name="job --create of several",
        operation="""
import io, sys
sys.stdin = io.TextIOWrapper(io.BytesIO(b'{"a": 1}\\n{"a": 8}\\n{"a": 9}\\n'))
signac('-C', 'project', 'job', '-c')
""",
        prepare=one_project,
    ),
    Scenario(name="document write", operation="Project('project').open_job({'a': 1}).doc.n.y = 2", prepare=one_project),
    Scenario(
        name="document written again and again",
        operation="""
document = Project('project').open_job({'a': 1}).doc
for _ in range(2):
    document.n.y = 2
    del document.n['y']
document.n.y = 2
""",
        prepare=one_project,
    ),
    Scenario(
        name="document reset",
        operation="Project('project').open_job({'a': 1}).doc = {'k': 1, 'new': [1]}",
        prepare=one_project,
    ),
    Scenario(
        name="init of a job that waits",
        operation="Project('project').open_job({'a': 9}).init()",
        prepare=a_job_that_waits,
        unit="file",
    ),
    Scenario(
        name="private document write",
        operation="Project('project').open_job({'a': 1}).doc.n.y = 2",
        prepare=a_private_document,
    ),
    Scenario(
        name="state point change of a private job",
        operation="""
for job in Project('project').find_jobs({'a': 1}):
    job.sp.a = 9
""",
        prepare=a_private_document,
    ),
    Scenario(name="project document write", operation="Project('project').doc.n = {'y': 2}", prepare=one_project),
    Scenario(
        name="document --set over several jobs",
        operation=f"signac('-C', 'project', 'document', '-f', {ALL!r}, '--set', 'n.y=2', '--unset', 'list')",
        prepare=one_project,
    ),
    Scenario(
        name="buffered flush",
        operation="""
project = Project('project')
with buffered():
    for a in range(3):
        project.open_job({'a': a}).doc.n.y = a
""",
        prepare=one_project,
    ),
    Scenario(
        name="state point change",
        operation="""
for job in Project('project').find_jobs({'a': 1}):
    job.sp.a = 9
""",
        prepare=one_project,
    ),
    Scenario(
        name="state point change beside an existing destination",
        operation="""
try:
    Project('project').open_job({'a': 1}).sp.a = 2
except errors.DestinationExistsError:
    pass
""",
        prepare=one_project,
    ),
    Scenario(name="remove", operation="Project('project').open_job({'a': 1}).remove()", prepare=one_project),
    Scenario(
        name="remove of jobs with the same files",
        operation="for a in range(4): Project('project').open_job({'a': a}).remove()",
        prepare=jobs_with_the_same_files,
    ),
    Scenario(name="rm of many", operation=f"signac('-C', 'project', 'rm', '--filter', {ALL!r})", prepare=one_project),
    Scenario(name="clear", operation="Project('project').open_job({'a': 1}).clear()", prepare=one_project, unit="file"),
    Scenario(name="reset", operation="Project('project').open_job({'a': 1}).reset()", prepare=one_project, unit="file"),
    Scenario(
        name="rm --clear of many",
        operation=f"signac('-C', 'project', 'rm', '-c', '--filter', {ALL!r})",
        prepare=one_project,
        unit="file",
    ),
]

ACROSS = """
import errno
rename_on_one = os.rename
def rename(old, new):
    if ('/project/' in os.path.abspath(old)) != ('/project/' in os.path.abspath(new)):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), old, None, new)
    rename_on_one(old, new)
os.rename = rename
"""
"""Lets the project be on a file system of its own."""

BETWEEN_PROJECTS = [
    Scenario(
        name="move",
        operation="""
for job in Project('project').find_jobs({'a': 1}):
    job.move(Project('other'))
""",
        prepare=two_projects,
        moves=True,
    ),
    Scenario(
        name="move of many",
        operation=f"signac('-C', 'project', 'move', '../other', '--filter', {ALL!r})",
        prepare=two_projects,
        moves=True,
    ),
    Scenario(
        name="move across file systems",
        operation=ACROSS
        + """
for job in Project('project').find_jobs({'a': 1}):
    job.move(Project('other'))
""",
        prepare=two_projects,
    ),
    Scenario(
        name="move of many across file systems",
        operation=ACROSS + f"signac('-C', 'project', 'move', '../other', '--filter', {ALL!r})",
        prepare=two_projects,
    ),
    Scenario(
        name="clone of many",
        operation=f"signac('-C', 'project', 'clone', '../other', '--filter', {ALL!r})",
        prepare=two_projects,
    ),
    Scenario(
        name="sync of projects",
        operation="signac('-C', 'project', 'sync', '../source', '-r', '-s', 'always', '--all-keys', '-m')",
        prepare=overlapping_projects,
        unit="file",
    ),
    Scenario(
        name="sync of projects by threads",
        operation="""
signac('-C', 'project', 'sync', '../source', '-a', '-s', 'always', '--all-keys', '-m', '--parallel', '2')
""",
        prepare=overlapping_projects,
        unit="file",
    ),
]

DERIVED = [
    Scenario(name="update-cache", operation="signac('-C', 'project', 'update-cache')", prepare=one_project),
    Scenario(
        name="update-cache after changes",
        operation="signac('-C', 'project', 'update-cache')",
        prepare=an_indexed_project,
    ),
    Scenario(
        name="update-cache that appends",
        operation="signac('-C', 'project', 'update-cache')",
        prepare=an_indexed_project_that_has_grown,
    ),
    Scenario(
        name="update-cache --clear",
        operation="signac('-C', 'project', 'update-cache', '--clear')",
        prepare=an_indexed_project,
    ),
    Scenario(
        name="query that leaves an index",
        operation="""
index_soon()
print(sorted(job.id for job in Project('project').find_jobs({'a.$gt': 0})))
""",
        prepare=one_project,
        answers=True,
    ),
    Scenario(
        name="query that corrects the index",
        operation="""
index_soon()
print(sorted(job.id for job in Project('project').find_jobs({'a.$gt': 0})))
""",
        prepare=an_indexed_project,
        answers=True,
    ),
    Scenario(
        name="query that indexes documents",
        operation="""
index_soon()
print(sorted(job.id for job in Project('project').find_jobs({'doc.n.x': 1})))
""",
        prepare=a_project_with_unknown_documents,
        answers=True,
    ),
    Scenario(
        name="query with the index in another place",
        operation="""
index_soon()
os.makedirs('indexes', exist_ok=True)
print(sorted(job.id for job in Project('project').find_jobs({'a.$gt': 0})))
""",
        prepare=one_project,
        answers=True,
        env={"SIGNAC_CACHE_DIR": "indexes"},
    ),
]

PROJECTS = [
    Scenario(name="init of a project", operation="signac('init', 'project')", prepare=nothing),
    Scenario(
        name="config set",
        operation="signac('-C', 'project', 'config', 'set', 'site.contact', 'me', 'you')",
        prepare=one_project,
    ),
    Scenario(
        name="migration",
        operation="signac('-y', 'migrate', '-r', 'project')",
        prepare=an_old_project,
        unit="file",
        moves=True,
    ),
    Scenario(
        name="repair",
        operation="signac('-C', 'project', 'check', '--repair')",
        prepare=a_damaged_project,
        unit="file",
    ),
]

EXCHANGE = [
    Scenario(
        name="export to a directory", operation="signac('-C', 'project', 'export', '../out')", prepare=two_projects
    ),
    Scenario(
        name="export by moving",
        operation="signac('-C', 'project', 'export', '--move', '../out', 'a/{a}')",
        prepare=two_projects,
        moves=True,
    ),
    Scenario(
        name="export by moving across file systems",
        operation=ACROSS + "signac('-C', 'project', 'export', '--move', '../out', 'a/{a}')",
        prepare=two_projects,
    ),
    Scenario(
        name="export to a new zip",
        operation="signac('-C', 'project', 'export', '../new.zip')",
        prepare=one_project,
    ),
    Scenario(
        name="export to a new tar",
        operation="signac('-C', 'project', 'export', '../new.tar')",
        prepare=one_project,
    ),
    Scenario(
        name="export to zip",
        operation="signac('-C', 'project', 'export', '--force', '../out.zip')",
        prepare=a_project_and_archives,
    ),
    Scenario(
        name="export to tar",
        operation="signac('-C', 'project', 'export', '--force', '../out.tar')",
        prepare=a_project_and_archives,
    ),
    Scenario(
        name="import of a directory",
        operation="signac('-C', 'project', 'import', '../origin')",
        prepare=_exported("origin"),
    ),
    Scenario(
        name="import of zip",
        operation="signac('-C', 'project', 'import', '../origin.zip')",
        prepare=_exported("origin.zip"),
    ),
    Scenario(
        name="import of tar.gz",
        operation="signac('-C', 'project', 'import', '../origin.tar.gz')",
        prepare=_exported("origin.tar.gz"),
    ),
    Scenario(
        name="import by moving",
        operation="signac('-C', 'project', 'import', '--move', '../origin', 'a_{a:int}')",
        prepare=raw_data,
        moves=True,
        may_differ=tuple(f"origin/a_{a}/{layout.FN_STATE_POINT}" for a in (0, 1)),  # written before the rename
    ),
    Scenario(
        name="import by moving across file systems",
        operation=ACROSS + "signac('-C', 'project', 'import', '--move', '../origin', 'a_{a:int}')",
        prepare=raw_data,
        may_differ=tuple(f"origin/a_{a}/{layout.FN_STATE_POINT}" for a in (0, 1)),  # written before the rename
    ),
    Scenario(
        name="import by a template",
        operation="signac('-C', 'project', 'import', '../origin', 'a_{a:int}')",
        prepare=raw_data,
    ),
    Scenario(
        name="import with synchronization",
        operation="signac('-C', 'project', 'import', '--sync', '../origin.tar')",
        prepare=an_archive_with_more,
        unit="file",
    ),
    Scenario(
        name="view that changes",
        operation="signac('-C', 'project', 'view', '-p', '../view')",
        prepare=a_project_with_a_view,
        may_be_left_empty=("view/old", "view/old/0", "view/old/1"),  # signac 2.x leaves them in any case
    ),
]

SCENARIOS = {scenario.name: scenario for scenario in [*JOBS, *BETWEEN_PROJECTS, *DERIVED, *PROJECTS, *EXCHANGE]}
