from __future__ import annotations

import copy
import os
import pickle
import shutil
from pathlib import Path

import pytest

import signac_core
from signac_core import Project, get_job, get_project, init_project
from signac_core.care.integrity import examine
from signac_core.errors import DestinationExistsError, IncompatibleSchemaVersion, JobsCorruptedError, WorkspaceError


def test_a_new_project_consists_of_a_configuration_and_an_empty_workspace(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    project = signac_core.init_project(str(root))
    assert (root / ".signac" / "config").read_text() == "schema_version = 2\n"
    assert sorted(os.listdir(root)) == [".signac", "workspace"]
    assert os.listdir(root / ".signac") == ["config"]
    assert project == signac_core.init_project(root)
    assert len(project) == 0
    assert not project


def test_init_project_leaves_an_existing_project_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".signac").mkdir()
    (tmp_path / ".signac" / "config").write_text("schema_version = 2\nmine = 1\n")
    assert Project.init_project(str(tmp_path)).config["mine"] == "1"


def test_projects_named_with_a_tilde_are_in_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = init_project("~/study")
    job = project.open_job({"a": 1}).init()
    assert project.path == str(Path.home() / "study")
    assert Project("~/study") == get_project("~/study/workspace") == project
    assert get_job(f"~/study/workspace/{job.id}") == job
    assert not Path("~").exists()


def test_exports_views_and_imports_named_with_a_tilde_are_in_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = init_project("study")
    project.open_job({"a": 1}).init()
    project.export_to("~/data", path="a/{a}")
    project.export_to(Path("~/data.zip"))
    project.create_linked_view("~/view")
    assert {"data", "data.zip", "view"} <= set(os.listdir(Path.home()))
    assert len(init_project("other").import_from("~/data", schema="a/{a:int}")) == 1
    assert len(init_project("third").import_from("~/data.zip")) == 1
    assert not Path("~").exists()


def test_projects_in_a_directory_that_is_named_tilde_are_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = init_project("./~/study")
    assert project.path == str(tmp_path / "~" / "study")
    assert Project("~/study") == init_project("~/study") == get_project("~/study") == project


def test_init_project_of_a_directory_that_was_begun_finishes_it(tmp_path: Path) -> None:
    (tmp_path / ".signac").mkdir()
    assert len(Project.init_project(str(tmp_path))) == 0


def test_projects_are_found_from_below_and_the_nearest_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = Project.init_project(tmp_path / "outer")
    inner = Project.init_project(tmp_path / "outer" / "x" / "inner")
    below = tmp_path / "outer" / "x" / "inner" / "some" / "where"
    below.mkdir(parents=True)
    assert Project.get_project(below) == inner
    assert signac_core.get_project(tmp_path / "outer" / "x") == outer
    (below / "file").write_text("x")
    assert Project.get_project(below / "file") == inner
    monkeypatch.chdir(below)
    assert Project.get_project() == inner
    with pytest.raises(LookupError, match="Unable to find project"):
        Project.get_project(search=False)
    with pytest.raises(LookupError, match="Unable to find project"):
        Project()
    with pytest.raises(LookupError, match="does not exist"):
        Project.get_project(below / "missing")
    with pytest.raises(LookupError, match="does not exist"):
        Project.get_project(below / "missing", search=False)


def test_a_path_without_a_project_raises_lookup_error(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="Unable to find project at path"):
        Project.get_project(tmp_path)


def test_older_layouts_are_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "signac.rc").write_text("project = old\nschema_version = 1\n")
    (tmp_path / "sub").mkdir()
    for call in (
        lambda: Project(tmp_path),
        lambda: Project.get_project(tmp_path / "sub"),
        lambda: Project.init_project(tmp_path),
    ):
        with pytest.raises(IncompatibleSchemaVersion, match=r"version 1.*migrate"):
            call()
    assert sorted(os.listdir(tmp_path)) == ["home", "signac.rc", "sub", "work"]


def test_subclasses_stay_subclasses(project: Project) -> None:
    class Study(Project):
        def __init__(self, path: str | None = None, note: str = "") -> None:
            super().__init__(path)
            self.note = note

    assert type(Study.init_project()) is Study
    assert Study.get_project(project.path, note="x").note == "x"
    assert repr(Study()) == f"Study({project.path!r})"
    assert Study() != project
    with pytest.raises(TypeError):
        Project.get_project(project.path, nonsense=1)


def test_subclasses_can_have_their_jobs_and_their_document_elsewhere(project: Project) -> None:
    class Elsewhere(Project):
        FN_DOCUMENT = "about.json"

        @property
        def workspace(self) -> str:
            return os.path.join(self.path, "runs")

    project.open_job({"a": 0}).init()
    project.doc.title = "plain"
    other = Elsewhere(project.path)
    for each in (other, copy.copy(other), Elsewhere()):
        assert len(each) == len(each.find_jobs({"a": 1})) == (each is not other)
        job = each.open_job({"a": 1}).init()
        assert job.path == os.path.join(project.path, "runs", job.id)
        assert [found.id for found in each] == [job.id] == os.listdir("runs")
        assert each.open_job(id=job.id[:6]) == job
        assert each.find_jobs({"a": 1})[0].project.workspace == each.workspace
    other.doc.title = "elsewhere"
    assert project.doc() == {"title": "plain"}
    assert Path("about.json").read_text() == '{"title": "elsewhere"}'
    target = Project.init_project("target")
    target.sync(other)
    assert target.doc() == {"title": "elsewhere"}
    assert [job.sp() for job in target] == [{"a": 1}]
    Path("about.json").write_text("{")
    assert [problem.path for problem in examine(other.space)] == [other.fn("about.json")]
    assert not list(examine(project.space))


def test_the_job_that_is_in_the_way_has_its_state_point_although_it_is_damaged_there(project: Project) -> None:
    source = Project.init_project("source")
    job = source.open_job({"a": 1}).init()
    project.clone(job)
    Path(project.workspace, job.id, job.FN_STATE_POINT).write_text("{")
    for call in (lambda: project.clone(job), lambda: project.import_from("source/workspace")):
        with pytest.raises(DestinationExistsError) as caught:
            call()
        assert repr(caught.value.destination) == f"Job(project={project!r}, statepoint={{'a': 1}})"


def test_identity(project: Project, tmp_path: Path) -> None:
    assert str(project) == project.path == os.getcwd()
    assert project == Project()
    with pytest.raises(TypeError):
        hash(project)
    (tmp_path / "link").symlink_to(project.path)
    assert Project(tmp_path / "link").path == str(tmp_path / "link")
    for other in (pickle.loads(pickle.dumps(project)), copy.copy(project), copy.deepcopy(project)):
        assert other == project
        assert other.config == project.config


def test_files_of_the_project(project: Project) -> None:
    assert project.fn("x") == os.path.join(project.path, "x")
    assert not project.isfile("x")
    Path("x").write_text("")
    assert project.isfile("x")


def test_length_iteration_and_membership(project: Project) -> None:
    jobs = [project.open_job({"i": i}).init() for i in range(5)]
    assert len(project) == 5
    assert [job.id for job in project] == sorted(job.id for job in jobs)
    assert all(job in project for job in jobs)
    assert project.open_job({"i": 9}) not in project
    for foreign in ("notajob", "A" * 32, ".hidden"):
        Path(project.workspace, foreign).mkdir()
    assert len(project) == 5


def test_a_workspace_that_is_missing_or_linked_is_fine(project: Project, tmp_path: Path) -> None:
    os.rmdir(project.workspace)
    assert len(project) == 0
    assert list(project) == []
    assert os.path.isdir(Project().workspace)
    os.rmdir(project.workspace)
    (tmp_path / "scratch").mkdir()
    os.symlink(tmp_path / "scratch", project.workspace)
    Project().open_job({"a": 1}).init()
    assert len(os.listdir(tmp_path / "scratch")) == 1


def test_opening_a_project_whose_workspace_cannot_be_one_says_why(project: Project) -> None:
    os.rmdir(project.workspace)
    os.symlink("/scratch/gone", project.workspace)
    with pytest.raises(FileExistsError, match="a link to '/scratch/gone', where no directory is") as caught:
        Project()
    assert caught.value.filename == project.workspace
    with pytest.raises(WorkspaceError, match="'/scratch/gone' does not exist"):
        len(project)
    os.unlink(project.workspace)
    Path(project.workspace).write_text("x")
    with pytest.raises(FileExistsError, match="is no directory"):
        Project()


def test_the_project_of_the_working_directory_is_found_by_the_name_it_was_entered_by(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.rmdir(project.workspace)
    (tmp_path / "scratch").mkdir()
    os.symlink(tmp_path / "scratch", project.workspace)
    job = project.open_job({"a": 1}).init()
    monkeypatch.chdir(job.path)
    monkeypatch.delenv("PWD", raising=False)
    for function in (Project.get_project, Project.get_job):
        with pytest.raises(LookupError):
            function()
    monkeypatch.setenv("PWD", project.workspace)  # another directory
    for function in (Project.get_project, Project.get_job):
        with pytest.raises(LookupError):
            function()
    monkeypatch.setenv("PWD", job.path)
    assert Project.get_project() == project
    assert Project.get_job() == job
    with pytest.raises(LookupError):
        Project.get_project(os.getcwd())  # a path says what it says


def test_a_workspace_that_cannot_be_one_raises_workspace_error(project: Project) -> None:
    os.rmdir(project.workspace)
    os.symlink("nowhere", project.workspace)
    with pytest.raises(WorkspaceError, match="broken"):
        len(project)
    os.unlink(project.workspace)
    Path(project.workspace).write_text("x")
    with pytest.raises(WorkspaceError, match="workspace"):
        list(project)
    with pytest.raises(FileExistsError):
        Project()


def test_min_len_unique_id(project: Project) -> None:
    assert project.min_len_unique_id() == 0
    project.open_job({"i": 0}).init()
    assert project.min_len_unique_id() == 0
    for i in range(30):
        project.open_job({"i": i}).init()
    n = project.min_len_unique_id()
    ids = [job.id for job in project]
    assert len({i[:n] for i in ids}) == len(ids)
    assert len({i[: n - 1] for i in ids}) < len(ids)


def test_get_job_finds_the_innermost_job(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    job = project.open_job({"a": 1}).init()
    below = Path(job.fn("d"))
    below.mkdir()
    (below / "file").write_text("x")
    assert signac_core.get_job(job.path) == job
    assert Project.get_job(below / "file") == job
    inner_job = Project.init_project(below / "p").open_job({"b": 1}).init()
    assert Project.get_job(inner_job.path) == inner_job
    assert Project.get_job(below / "p") == job
    monkeypatch.chdir(below)
    assert Project.get_job() == job
    with pytest.raises(LookupError, match="does not exist"):
        Project.get_job("missing")
    with pytest.raises(LookupError, match="Could not find a job"):
        Project.get_job(project.path)


def test_get_job_of_a_directory_named_like_a_job_elsewhere_raises(project: Project) -> None:
    (Path(project.path) / ("a" * 32)).mkdir()
    with pytest.raises(LookupError, match="Could not find a job"):
        Project.get_job(os.path.join(project.path, "a" * 32))


def test_temporary_projects_are_deleted(project: Project) -> None:
    project.open_job({"a": 1}).init()
    with project.temporary_project() as temporary:
        temporary.open_job({"b": 1}).init().move(project)
        assert temporary.path.startswith(project.workspace)
    assert not os.path.exists(temporary.path)
    assert len(project) == 2
    with signac_core.TemporaryProject(prefix="study-") as temporary:
        assert os.path.basename(temporary.path).startswith("study-")
    assert not os.path.exists(temporary.path)


def test_workspace_when_deleted_while_the_project_is_open_then_made_again_where_needed(project: Project) -> None:
    for a in range(2):
        project.open_job({"a": a}).init()
    project.export_to("out")
    project.export_to("out.tar")
    for origin in ("out", "out.tar"):
        for sync in (None, True, {}):
            shutil.rmtree(project.workspace)
            project.import_from(origin, sync=sync)
            assert len(project) == 2
    shutil.rmtree(project.workspace)
    with project.temporary_project() as temporary:
        temporary.open_job({"b": 1}).init().move(project)
    assert len(project) == 1


def test_html_shows_path_and_size_and_escapes(project: Project, tmp_path: Path) -> None:
    odd = Project.init_project(tmp_path / "<b>")
    odd.open_job({"a": 1}).init()
    text = odd._repr_html_()
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert "<strong>Size:</strong> 1" in text


def test_a_damaged_job_makes_library_queries_raise_and_iteration_work(project: Project) -> None:
    good = project.open_job({"a": 1}).init()
    bad = project.open_job({"a": 2}).init()
    Path(bad.fn(bad.FN_STATE_POINT)).write_text("garbage")
    fresh = Project()
    assert len(fresh) == 2
    with pytest.raises(JobsCorruptedError) as caught:
        len(fresh.find_jobs({"a": 1}))
    assert list(caught.value.job_ids) == [bad.id]
    assert good in fresh


def test_a_project_that_cannot_be_written_can_be_read(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    os.rmdir(project.workspace)

    def refuse(path: str, mode: int = 0o777) -> None:
        raise OSError(30, "Read-only file system", path)

    monkeypatch.setattr(os, "mkdir", refuse)
    assert len(Project()) == 0
    assert list(Project().find_jobs({"a": 1})) == []
