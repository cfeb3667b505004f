"""An index with checksums that are right and state points that are not, and commands that change jobs."""

from __future__ import annotations

import os

import pytest

from signac_core import Project, workspace
from signac_core.index import refreshing
from tests.support.running import snapshot as content_of

NUMBER = 20


@pytest.fixture
def forged(project: Project) -> Project:
    """A project whose index says that the jobs have other state points."""
    for a in range(NUMBER):
        project.open_job({"a": a}).init().doc.x = 0
    listing = workspace.list_workspace(project.space)
    lies = {name: {"a": 1000 + number} for number, name in enumerate(listing.names)}
    refreshing.write_base(project.space, listing, lies)
    return project


COMMANDS = ["rm", "rm -c", "move other", "clone other", "document --set x=1", "document --unset x", "export out"]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_the_index_is_forged_then_no_job_is_taken_for_another(cli, forged, command):
    Project.init_project("other")
    assert len(cli("find", "a>=1000").lines) == NUMBER
    before = content_of("workspace")
    cli(*command.split(), "-f", "a>=1000")
    assert content_of("workspace") == before
    assert os.listdir("other/workspace") == []
    assert not os.path.exists("out") or os.listdir("out") == []
