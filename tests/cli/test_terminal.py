"""What a person sees: the program on terminals of several kinds."""

from __future__ import annotations

import json
import re

import pytest

from signac_cli.tables import draw
from tests.support.running import PROGRAM, execute, on_terminal

ESCAPE = re.compile(r"\033\[[0-9;]*m")
CSI = re.compile(r"\033(?!\[[0-9;]*m)")


@pytest.fixture
def wide(project) -> str:
    """Id of a job with values of all kinds."""
    job = project.open_job(
        {
            "T": 1.5,
            "text": "[bold]x[/bold] :smile: \033[31mred\n",
            "model": {"name": "lennard-jones-cut-and-shifted-at-some-radius", "eps": 2.5},
            "日本": "ü☃ 日本語" * 5,
            "list": [1, [2, 3]],
        }
    ).init()
    job.doc.energy = -12.5
    return job.id


def plain(text: str) -> list[str]:
    return ESCAPE.sub("", text).splitlines()


def test_find_when_on_a_terminal_then_ids_with_their_unique_beginning_in_bold(study):
    lines = on_terminal("find").out.splitlines()
    assert [ESCAPE.sub("", line) for line in lines] == sorted(study.values())
    for line in lines:
        bold = re.match(r"\033\[1m([0-9a-f]+)\033\[0m", line)
        assert bold is not None
        assert sum(job_id.startswith(bold[1]) for job_id in study.values()) == 1
        assert sum(job_id.startswith(bold[1][:-1]) for job_id in study.values()) > 1


@pytest.mark.parametrize(
    "arguments", [["find", "T>0"], ["find", "--plain"], ["find", "-j", "ID"], ["find", "--path"], ["find", "-0"]]
)
def test_find_when_ids_are_a_selection_or_plain_then_no_escapes(study, arguments):
    arguments = [argument.replace("ID", study["1"]) for argument in arguments]
    assert "\033" not in on_terminal("-q", *arguments).out


def test_find_when_shown_on_a_terminal_then_a_table(study):
    result = on_terminal("find", "--sort", "T", "--sp", "T", "name", "--doc", "energy")
    assert plain(result.out) == [
        "id                                  T  name   doc.energy",
        f"{study['-5']}   -5  hertz",
        f"{study['1']}  1.0  lj",
        f"{study['1.5']}  1.5  lj          -1.25",
        f"{study['2']}  2.0  hertz",
    ]
    assert "\033[4m" in result.out.splitlines()[0]


@pytest.mark.parametrize("columns", [80, 40, 20])
@pytest.mark.parametrize("options", [["-s"], ["--sp"], ["--sp", "T"], ["--sp", "T", "model", "--doc"], ["--table"]])
def test_table_when_the_terminal_is_narrow_then_fits_and_ids_tell_jobs_apart(wide, columns, options):
    from rich.cells import cell_len

    result = on_terminal("find", *options, columns=columns)
    lines = plain(result.out)
    assert result.status == 0
    assert all(cell_len(line) <= columns for line in lines)
    assert not any(line.endswith(" ") for line in lines)
    text = "".join(line.strip() for line in lines)
    assert wide in text or sum(line.startswith(f"{wide[:6]} ") for line in lines) == 1
    assert not CSI.search(result.out)


def test_table_when_columns_do_not_fit_then_a_block_per_job_without_loss(wide):
    lines = plain(on_terminal("find", "-s", columns=60).out)
    assert lines[0] == wide
    text = "".join(line.strip() for line in lines)
    assert "lennard-jones-cut-and-shifted-at-some-radius" in text
    assert "[bold]x[/bold] :smile: \\x1b[31mred\\n" in text
    assert "doc.energy" in text
    assert "…" not in text


def test_table_when_a_column_is_long_then_shortened_with_an_ellipsis(wide):
    lines = plain(on_terminal("find", "--sp", "T", "model", columns=80).out)
    assert lines[1].startswith(f"{wide[:6]}  1.5  ")
    assert lines[1].endswith("…")
    assert len(lines) == 2


@pytest.fixture
def energies(project) -> list[str]:
    """Ids of jobs with numbers of many digits."""
    ids = []
    for exponent in (-8, -13):
        job = project.open_job({"n_steps": -exponent, "T": 1.5}).init()
        job.doc.update({"energy_per_atom": float(f"1.23456789012e{exponent}"), "series": [1 / 3, {"x": 2 / 3}, "1/3"]})
        job.doc.update({"text": "a text that is rather long", "seed": 12345678901234567890})
        ids.append(job.id)
    return sorted(ids)


def test_table_when_on_a_terminal_then_numbers_have_six_digits_and_their_exponent(energies):
    text = on_terminal("find", "--sort", "n_steps", "--doc", "energy_per_atom", "series").out
    assert [line.split(None, 2)[1:] for line in plain(text)[1:]] == [
        ["1.23457e-08", '[0.333333, {"x": 0.666667}, "1/3"]'],
        ["1.23457e-13", '[0.333333, {"x": 0.666667}, "1/3"]'],
    ]
    for options in (["--table"], ["--json"], ["--jsonl"], ["--format", "{doc.energy_per_atom}"], []):
        assert "1.23456789012e-13" in execute("find", "--doc", *options).out
    for options in (["--json"], ["--format", "{doc.energy_per_atom}"], ["--plain"]):
        assert "1.23456789012e-13" in on_terminal("find", "--doc", *options).out


def test_table_when_too_wide_then_ids_are_shortened_before_anything_is_cut(energies):
    keys = ["energy_per_atom", "text", "seed"]
    wide = plain(on_terminal("find", "--doc", *keys, columns=120).out)
    assert [line.split()[0] for line in wide[1:]] == energies
    assert "…" not in "".join(wide)
    narrow = plain(on_terminal("find", "--doc", *keys, columns=80).out)
    assert [line.split()[0] for line in narrow[1:]] == [job_id[:6] for job_id in energies]
    assert "…" not in "".join(narrow)
    cut = plain(on_terminal("find", "--doc", *keys, columns=72).out)
    assert [line.split()[0] for line in cut[1:]] == [job_id[:6] for job_id in energies]
    assert all("a text" in line and "…" in line and "12345678901234567890" in line for line in cut[1:])
    stacked = plain(on_terminal("find", "--doc", *keys, columns=50).out)
    assert [line for line in stacked if not line.startswith(" ")] == energies
    assert sum("12345678901234567890" in line for line in stacked) == 2


def test_table_when_ids_have_much_in_common_then_enough_digits_are_left():
    text = draw(
        [{"id": f"{'0' * 10}{digit}{'0' * 21}", "doc": {"text": "x" * 60}} for digit in "12"],
        {},
        color=False,
        digits=lambda: 11,
    )
    assert [line.split()[0] for line in text.splitlines()] == ["id", "00000000001", "00000000002"]


def test_heading_when_it_has_underscores_then_these_are_not_underlined(energies):
    header = on_terminal("find", "--doc", "energy_per_atom").out.splitlines()[0]
    underlined = re.findall(r"\033\[4m(.*?)\033\[0m", header)
    assert underlined == ["id", "doc.energ", "e", "tom"]
    assert execute("--color", "always", "find", "--table", "--doc").out.count("\033[4m_") == 0


def test_document_when_on_a_terminal_then_as_find_shows_documents(energies):
    for name, option in (("document", "--doc"), ("statepoint", "--sp")):
        assert on_terminal(name).out == on_terminal("find", option).out
        assert on_terminal(name, energies[0]).out == on_terminal("find", "-j", energies[0], option).out
        for options in (["--plain"], ["-i"], ["-p"], ["-s"], ["-0"], ["--json"], ["--jsonl"]):
            assert "\033" not in on_terminal(name, *options).out
        assert on_terminal(name, "--plain").out == execute(name).out


def test_diff_when_on_a_terminal_then_no_number_is_broken(project):
    for seed in (12345678901234567890, 22345678901234567890):
        project.open_job({"seed": seed, "T": seed / 3e30, "l": [seed]}).init()
    text = on_terminal("diff", columns=60).out
    assert text.count("2345678901234567890") == 4
    assert "4.11523e-12" in text


def test_block_when_a_number_is_long_then_not_broken(project):
    project.open_job({"a_key_that_takes_half_of_the_screen": 1234567890123456789012345}).init()
    assert "1234567890123456789012345" in on_terminal("find", "-s", columns=40).out


def test_diff_when_rounded_numbers_would_look_alike_then_exact(project):
    for last in (1, 2):
        project.open_job({"T": float(f"1.234567{last}"), "p": last / 3}).init()
    text = on_terminal("diff").out
    assert "1.2345671" in text
    assert "1.2345672" in text
    assert "0.333333 " in text


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"SIGNAC_COLOR": "never"}])
@pytest.mark.parametrize(
    "arguments", [["find"], ["find", "-s"], ["find", "zz>"], ["zz"], ["find", "--table", "--sp", "T"]]
)
def test_terminal_when_without_colors_then_no_escapes(wide, variables, arguments):
    result = on_terminal(*arguments, env=variables)
    assert result.out
    assert "\033" not in result.out


def test_find_when_plain_text_is_asked_for_then_the_text_of_a_pipe(study):
    text = on_terminal("-q", "find", "T=1", "-s", "--plain").out
    assert text == f"{study['1']}\n{{'T': 1.0, 'model': {{'cut': None, 'eps': 1.5}}, 'name': 'lj', 'p': 1}}\n{{}}\n"
    assert on_terminal("-q", "find", "T=1", "-s", "-p").out == text
    assert (
        on_terminal("-q", "find", "T=1", "--sp", "T", "-1").out
        == (f'{study["1"]}\n{study["1"][:6]} sp \t{{"T": 1.0}}\n'.replace("\t", " " * (8 - 10 % 8)))
        or "\t" in on_terminal("-q", "find", "T=1", "--sp", "T", "-1").out
    )


def test_json_when_on_a_terminal_then_indented_and_still_json(study):
    text = on_terminal("find", "--json", "--doc").out
    assert text.startswith('[\n  {\n    "id": "')
    assert len(json.loads(text)) == 4
    assert on_terminal("-q", "find", "zz", "--json").out == "[]\n"
    report = on_terminal("-q", "rm", "-n", study["1"], "--json").out
    assert json.loads(report)["counts"]["removed"] == 1
    assert report.count("\n") > 5
    assert on_terminal("find", "--jsonl").out.count("\n") == 4


def test_error_when_on_a_terminal_then_the_label_is_colored():
    assert on_terminal("find", "--count").out.startswith("\033[1;31mError:\033[0m There is no project")


@pytest.mark.parametrize(("typed", "removed"), [([b"y\n"], True), ([b"\n"], False), ([b"what\n", b"yes\n"], True)])
def test_rm_when_interactive_on_a_terminal_then_asks(study, project, typed, removed):
    result = on_terminal("rm", "-i", study["1"], typed=typed)
    assert result.status == 0
    assert f"Remove job {study['1']}? [y/N] " in result.out
    assert result.out.endswith("Removed 1 job.\n" if removed else "Removed 0 jobs, 1 kept.\n")
    assert (study["1"] in [job.id for job in project]) is not removed


def test_rm_when_the_input_ends_on_a_terminal_then_kept(study, project):
    result = on_terminal("rm", "-i", study["1"], typed=[b"\x04"])
    assert result.status == 1
    assert "Use -y" in result.out
    assert study["1"] in [job.id for job in project]


def test_ids_when_typed_on_a_terminal_then_announced_and_read_until_the_end(study):
    result = on_terminal("statepoint", "-", "--format", "{T}", typed=[f"{study['1']}\n\x04".encode()])
    assert result.status == 0
    assert result.out.startswith("Reading job ids from standard input; Ctrl-D ends it.\n")
    assert result.out.endswith("1.0\n")


def test_command_when_interrupted_on_a_terminal_then_status_130(project):
    result = on_terminal("job", typed=[b"\x03"], env={"NO_COLOR": "1"})
    assert result.status == 130
    assert result.out.endswith("Ctrl-D ends it.\n^C\rError: Interrupted.\n")


def test_question_when_interrupted_on_a_terminal_then_the_message_on_a_line_of_its_own(study):
    result = on_terminal("rm", "-i", study["1"], typed=[b"\x03"], env={"NO_COLOR": "1"})
    assert result.status == 130
    # An interrupt lets the terminal drop what it has not shown yet, sometimes the end of the line.
    question, _, rest = result.out.partition("^C")
    assert question.endswith("? [y/N] ")
    assert rest.lstrip("\r\n") == "Error: Interrupted. No job is left half done.\n"


def test_pipe_when_run_from_a_terminal_then_sees_no_escape_and_no_wrapped_line(wide):
    line = (
        f"{' '.join(PROGRAM)} find -s --table | cat; {' '.join(PROGRAM)} find | cat; {' '.join(PROGRAM)} find -s | cat"
    )
    result = on_terminal("-c", line, columns=40, command=["bash"])
    assert "\033" not in result.out
    assert result.out.count(wide) == 3
    assert any(len(line) > 200 for line in result.out.splitlines())


def test_hint_when_on_a_terminal_then_behind_what_it_is_about(study):
    lines = plain(on_terminal("find", "--doc", "enregy").out)
    assert lines[0].startswith("id")
    assert lines[-1] == "No document has the key 'enregy'; did you mean 'energy'?"
