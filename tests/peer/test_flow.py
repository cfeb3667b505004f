"""Programs made for signac run on the drop-in: a workflow of signac-flow, the pages of signac-dashboard."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from signac_core import Project
from tests.support.environments import ROOT, environment

pytestmark = pytest.mark.slow

WORKFLOW = '''
from flow import FlowProject, aggregator


def note(operation, *jobs):
    for job in jobs:
        job.doc.setdefault("log", []).append(operation)


class Workflow(FlowProject):
    """Two steps and a shell command for each job, and a sum over the jobs of equal N."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.project_hooks.on_success.append(note)


both = Workflow.make_group("both")


@Workflow.label
def has_volume(job):
    return "volume" in job.document


@both
@Workflow.post.isfile("volume.txt")
@Workflow.post.true("volume")
@Workflow.operation
def compute(job):
    job.doc.volume = job.sp.N * job.statepoint["kT"] / job.cached_statepoint["p"]
    with open(job.fn("volume.txt"), "w") as file:
        file.write(str(job.doc.volume))


@both
@Workflow.pre.after(compute)
@Workflow.post(lambda job: job.doc.get("stored", False))
@Workflow.operation(directives={"np": lambda job: job.sp.p})
def store(job):
    job.data["volumes"] = {"first": job.doc.volume}
    job.doc.stored = True


@Workflow.pre.after(store)
@Workflow.post.isfile("shell.txt")
@Workflow.operation(cmd=True, with_job=True)
def shell(job):
    return f"echo {job.sp.p} {job} > shell.txt"


@Workflow.pre(lambda *jobs: all("volume" in job.doc for job in jobs))
@Workflow.post(lambda *jobs: all("total" in job.doc for job in jobs))
@Workflow.operation(aggregator=aggregator.groupby("N"))
def total(*jobs):
    for job in jobs:
        job.doc.total = sum(other.doc.volume for other in jobs)


if __name__ == "__main__":
    Workflow().main()
'''

DASHBOARD = """
import json, sys
from signac_dashboard import Dashboard, modules

page_modules = [modules.StatepointList(), modules.DocumentList(), modules.FileList(), modules.Navigator()]
page_modules += [modules.Schema(context="ProjectContext"), modules.DocumentList(context="ProjectContext")]
dashboard = Dashboard(config={"SECRET_KEY": "test", "ACCESS_TOKEN": None}, modules=page_modules)
dashboard.app.config["TESTING"] = True
client = dashboard.app.test_client()
answers = [client.get(address, follow_redirects=True) for address in json.loads(sys.argv[1])]
print(json.dumps([[answer.status_code, answer.get_data(as_text=True)] for answer in answers]))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with programs made for signac, and this project instead of signac."""
    ours = ["click", "configobj", "h5py", "numpy", "orjson", "pandas", "rich"]
    of_flow = ["cloudpickle", "deprecation", "jinja2", "jsonschema", "tqdm"]
    of_dashboard = ["flask", "flask-assets", "flask-login", "flask-turbolinks", "jsmin", "libsass", "natsort"]
    return environment(
        "dependants-venv",
        ["--no-deps", "signac-flow==0.29.1", "signac-dashboard==0.7.0"],
        [*ours, *of_flow, *of_dashboard, "watchdog"],
        paths=(ROOT,),
    )


@pytest.fixture
def project(project: Project) -> Project:
    """The project, with six jobs."""
    for N in (10, 20):
        for p in (1, 2, 3):
            project.open_job({"N": N, "kT": 1.0, "p": p}).init()
    return project


@pytest.fixture
def workflow(python, project):
    """Runs the workflow with some arguments, and returns what it prints."""
    Path("workflow.py").write_text(WORKFLOW)

    def run(*arguments: str) -> str:
        command = [str(python), "workflow.py", *arguments]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return run.stdout

    return run


def stages(workflow: Any) -> dict[str, dict[str, str]]:
    """What can be run and what is done, by job or aggregate and operation."""
    status = json.loads(workflow("status", "--json"))
    assert all(entry["_error"] is None for entry in status.values())
    return {
        name: {
            operation: "done" if state["completed"] else "ready" if state["eligible"] else "waits"
            for operation, state in entry["groups"].items()
        }
        for name, entry in status.items()
    }


def test_signac_when_imported_by_dependants_then_it_is_the_drop_in(python):
    program = "import flow, signac_dashboard, signac; print(signac.__file__)"
    run = subprocess.run([str(python), "-c", program], capture_output=True, text=True, check=True)
    assert Path(run.stdout.strip()) == ROOT / "signac.py"


def test_workflow_when_nothing_has_run_then_first_operation_is_ready(workflow, project):
    found = stages(workflow)
    first = {"both": "ready", "compute": "ready", "store": "waits", "shell": "waits"}
    assert {name: found[name] for name in found if not name.startswith("agg-")} == {job.id: first for job in project}
    assert [found[name] for name in found if name.startswith("agg-")] == [{"total": "waits"}] * 2
    assert workflow("next", "compute").split() == sorted(job.id for job in project)


def test_workflow_when_run_then_every_operation_leaves_its_results(workflow, project):
    workflow("run", "-o", "compute")
    assert {tuple(stages(workflow)[job.id].values()) for job in project} == {("ready", "done", "ready", "waits")}
    workflow("run", "--parallel", "2")
    assert {stage for entry in stages(workflow).values() for stage in entry.values()} == {"done"}
    volumes = {job.id: job.sp.N * job.sp.kT / job.sp.p for job in project}
    for job in project:
        assert Path(job.fn("volume.txt")).read_text() == str(volumes[job.id])
        assert Path(job.fn("shell.txt")).read_text() == f"{job.sp.p} {job.id}\n"
        assert job.data.volumes.first == volumes[job.id]
        total = sum(volumes[other.id] for other in project.find_jobs({"N": job.sp.N}))
        assert job.doc() == {
            "volume": volumes[job.id],
            "log": job.doc.log(),
            "stored": True,
            "total": pytest.approx(total),
        }
        assert sorted(job.doc.log) == ["compute", "shell", "store", "total"]
    project.check()


def test_workflow_when_jobs_are_selected_then_only_they_run(workflow, project):
    workflow("run", "-o", "compute", "-f", "N", "10", "p.$gt", "1")
    workflow("run", "-o", "store", "-f", "doc.volume.$lt", "4")
    workflow("exec", "store", *[job.id for job in project.find_jobs({"N": 10, "p": 2})])
    assert sorted(job.sp.p for job in project.find_jobs({"doc.volume.$exists": True})) == [2, 3]
    assert sorted(job.sp.p for job in project.find_jobs({"doc.stored": True})) == [2, 3]


def test_workflow_when_status_is_printed_then_shows_jobs_and_labels(workflow, project):
    workflow("run", "-o", "compute", "-f", "N", "10")
    rows = workflow("status", "--detailed").splitlines()
    for job in project:
        row = next(row for row in rows if row.startswith(job.id))
        assert ("has_volume" in row) == (job.sp.N == 10)


def test_workflow_when_a_batch_script_runs_one_job_then_only_that_one(workflow, project):
    job = project.open_job({"N": 20, "kT": 1.0, "p": 3})
    workflow("run", "-o", "both", "-j", job.id)
    assert [other.id for other in project.find_jobs({"doc.stored": True})] == [job.id]


def test_dashboard_when_pages_are_asked_for_then_they_show_the_project(python, project):
    job = project.open_job({"N": 10, "kT": 1.0, "p": 2})
    job.doc.note = {"text": ["remarkable"]}
    project.doc.title = "all about it"
    Path(job.fn("file.txt")).write_text("content of the file")
    pages = {
        "/project/": "all about it",
        "/jobs/": "1 to 6 of 6 jobs",
        "/jobs/?view=grid": "remarkable",
        f"/jobs/{job.id}": "remarkable",
        f"/jobs/{job.id}/file/file.txt": "content of the file",
        "/search?q=N 10": "1 to 3 of 3 jobs",
        '/search?q={"p": {"$gt": 2}}': "1 to 2 of 2 jobs",
    }
    command = [str(python), "-c", DASHBOARD, json.dumps(list(pages))]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    answers = json.loads(run.stdout.splitlines()[-1])
    for (address, text), (status, page) in zip(pages.items(), answers, strict=True):
        assert status == 200, address
        assert text in page, address
