"""Everything that input from outside reaches, called directly: many thousand cases a minute instead of a few hundred.

A *surface* makes an input from a seed and gives it to the library as the commands do.  It may be refused with one of
the errors that the commands turn into one clear line; what is accepted has to be right.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import os
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from signac_cli import complete
from signac_cli.commands.job import _documents
from signac_cli.selection import _split_ids
from signac_cli.templates import Template
from signac_core import cache, canonical, catalog, config, configfile, errors, finding, stamps
from signac_core.exchange.archives import ArchiveError
from signac_core.exchange.importing import plan_import
from signac_core.filterparse import normalise, parse_tokens
from signac_core.index import peer_cache
from signac_core.layout import is_job_id
from signac_core.lifecycle import create_job
from signac_core.paths import naming, schemas, templates
from signac_core.project import imported_apart
from signac_core.query import compile_filter
from signac_core.resolving import resolve_ids
from tests.fuzz import test_hostile as hostile
from tests.fuzz.chance import Chance
from tests.fuzz.damages import DERIVED, SP
from tests.fuzz.forgery import Forgery, forge, twisted
from tests.fuzz.study import Data, Study, Surface, Wrong, expect

# filters --------------------------------------------------------------------------------------------------------------


FILTER_ERRORS = (KeyError, ValueError, TypeError)


def check_filter(study: Study, tokens: Sequence[str]) -> None:
    filter = parse_tokens(tokens)
    if not filter:
        return
    expect("$where" not in json.dumps(list(keys_of(filter))), "code is accepted", filter)
    compile_filter(filter)
    try:
        study.check_filter(filter)
    except FILTER_ERRORS as error:
        raise Wrong(f"what was accepted cannot be applied: {error!r}") from error
    text = canonical.dumps(filter)
    expect(canonical.dumps(normalise(text)) == text, "the filter is another one when it is given as JSON", filter)
    list(complete.KINDS["filter"](str(study.root), tokens[:-1], tokens[-1]))


def keys_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys_of(inner)


# state points and ids -------------------------------------------------------------------------------------------------


def state_point_text(study: Study, chance: Chance) -> tuple[bytes, bool]:
    text = chance.json_text()
    return chance.mutated(text) if chance.chance(0.5) else text, chance.chance(0.05)


def check_state_point(study: Study, given: tuple[bytes, bool]) -> None:
    data, create = given
    refused: list[Exception] = []
    for form in (data, data.decode("utf-8", "replace"), data.decode("utf-8", "surrogateescape")):
        try:
            check_json(study, form, create=create)
            if isinstance(form, str):  # standard input
                list(_documents(form))
        except ValueError as error:
            refused.append(error)
    if refused:
        raise refused[0]


def check_json(study: Study, text: bytes | str, *, create: bool) -> None:
    value = canonical.loads(text)
    expect(json.loads(canonical.dumps(value)) == value or has_nan(value), "JSON read otherwise", value)
    if not isinstance(value, dict):
        return
    state_point = canonical.plain_state_point(value)
    job_id = canonical.calc_id(state_point)
    by_hand = hashlib.md5(json.dumps(state_point, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    expect(by_hand == job_id, "another id than by the rule", state_point)
    again = canonical.loads(canonical.dumps(state_point))
    expect(canonical.calc_id(again) == job_id, "another id after a round trip", state_point)
    expect(canonical.has_id(again, job_id), "the id is not recognised", state_point)
    if create:
        made, _ = create_job(study.project().space, state_point)
        found = dict(catalog.read_state_points(study.project().space, [made]))
        expect(made == job_id and canonical.dumps(found[made]) == canonical.dumps(state_point), "another job", found)
        study.restore()


def has_nan(value: Any) -> bool:
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(has_nan, values)) or (isinstance(value, float) and math.isnan(value))


def texts_of_ids(study: Study, chance: Chance) -> tuple[list[str], str, int]:
    pieces = (*hostile.ID_PIECES, *(one := chance.choice(study.ids), one[:8]), str(study.place), f"{study.workspace}/")
    texts = [chance.pieces(pieces, 5) for _ in range(chance.randrange(1, 4))]
    return texts, chance.choice(["\n", "\0", " "]), chance.choice([1, 8])


def check_ids(study: Study, given: tuple[list[str], str, int]) -> None:
    texts, separator, minimum = given
    for some in (texts, list(_split_ids(separator.join(texts)))):
        ids, unresolved = resolve_ids(study.project().space, some, minimum=minimum)
        expect(set(ids) <= study.truth.whole.keys(), "ids of no jobs", ids)
        expect(len(ids) + len(unresolved) == len(some), "some were not answered", ids, unresolved)
        expect(all(one.reason.endswith((".", "?")) for one in unresolved), "no reason", unresolved)


# templates ------------------------------------------------------------------------------------------------------------


def check_path_template(study: Study, template: str) -> None:
    refused: list[Exception] = []
    for ids, leaf in ((study.ids, ""), (study.ids[:1], "job")):
        try:
            found = naming.job_paths(study.project().space, ids, template, leaf=leaf, handle=study.project().handle)
        except (templates.PathError, ValueError) as error:
            refused.append(error)
            continue
        places = [os.path.normpath(study.scratch / path) for path in found.values()]
        inside = all(place.startswith(f"{study.scratch}/") or (place == str(study.scratch)) for place in places)
        expect(inside and list(found) == ids, "a path leads out", found)
        nested = any(one != other and other.startswith(f"{one}/") for one in places for other in places)
        expect(len(set(places)) == len(ids) and not nested, "jobs in one place", found)
        with suppress(OSError):  # the names are possible ones
            os.lstat(places[0])
    if refused:
        raise refused[0]


def check_output_template(study: Study, text: str) -> None:
    template = Template(text)
    for record in study.records.values():
        try:
            expect(isinstance(template.render(record), str), "no text")
        except ValueError as error:
            raise Wrong(f"what was accepted cannot be filled in: {error!r}") from error


def schema_and_paths(study: Study, chance: Chance) -> tuple[str, list[str]]:
    names = ["/".join(chance.text("ab_12.+-", 6) or "x" for _ in range(chance.randrange(1, 4))) for _ in range(3)]
    return chance.pieces(hostile.SCHEMA_PIECES), [*names, "_".join("x" * 100) + "-", "1" * 250]


PLAIN = {"int": "[+-]?[0-9]+", "float": r"[+-]?(?:[0-9]*\.)?[0-9]+", "bool": r"\w+", "str": r"\w+"}
NUMBER = r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]+)?|(?i:infinity|inf|nan))"
PATTERNS = [PLAIN, PLAIN | {"float": NUMBER, "str": "[^/]+"}]
"""What fields stand for: as signac 2.x reads them, or else as widely as possible."""


def check_schema(study: Study, given: tuple[str, list[str]]) -> None:
    """Compare with a regular expression, where that takes no time beyond all measure."""
    schema, names = given
    read = schemas.parse_schema(schema)
    normal = "/".join(part for part in schema.split("/") if part not in ("", "."))
    pieces = re.split(r"\{([.\w]+)(?::([a-z]+))?\}", normal)
    fixed = list(map(re.escape, pieces[::3]))
    groups = [[f"({patterns[kind or 'str']})" for kind in pieces[2::3]] for patterns in PATTERNS]
    pattern = "|".join("".join(text + one for text, one in zip(fixed, [*each, ""], strict=True)) for each in groups)
    for name in names:
        state_point = read(name)
        if len(name) < 20:
            expect((state_point is None) == (re.fullmatch(pattern, name) is None), "not what matches", name, pattern)
        if state_point is not None:
            canonical.calc_id(canonical.plain_state_point(state_point))


# configuration --------------------------------------------------------------------------------------------------------


def config_text(study: Study, chance: Chance) -> tuple[bytes, list[str], str | list[str]]:
    text = (chance.choice(hostile.CONFIG_PIECES[:2]) + chance.pieces(hostile.CONFIG_PIECES)).encode()
    return chance.mutated(text) if chance.chance(0.3) else text, *config_item(study, chance)


def config_item(study: Study, chance: Chance) -> tuple[list[str], str | list[str]]:
    key = ".".join(chance.choices(hostile.CONFIG_KEYS, k=chance.choice([1, 1, 2]))).split(".")
    values = chance.choices(hostile.CONFIG_VALUES, k=chance.choice([1, 1, 2]))
    return key, values[0] if len(values) == 1 else values


def check_config_text(study: Study, given: tuple[bytes, list[str], str | list[str]]) -> None:
    text, key, value = given
    path = study.scratch / ".signac" / "config"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text)
    values = configfile.read(str(path))
    expect(values is not None, "a file that exists is not found")
    configfile.format_section(values)
    loaded = config.load(str(study.scratch))
    expect(loaded is not None, "the project does not exist")
    write_config_item(path, key, value)
    config.check_schema_version(loaded, str(study.scratch))


def check_config_item(study: Study, given: tuple[list[str], str | list[str]]) -> None:
    path = study.scratch / "config"
    path.write_text("schema_version = 2\n[s]\na = 1 # comment\n")
    write_config_item(path, *given)


def write_config_item(path: Path, key: list[str], value: str | list[str]) -> None:
    before = path.read_bytes()
    try:
        configfile.set_key(str(path), key, value)
    except (errors.ConfigError, ValueError):
        expect(path.read_bytes() == before, "changed, and refused", key, value)
        raise
    found = configfile.value_of(config.parse_file(str(path)), key)
    expect(found == value, "the value is another one when it is read again", key, value, found)
    configfile.delete_key(str(path), key)
    with suppress(KeyError):
        configfile.value_of(config.parse_file(str(path)), key)
        raise Wrong(f"still there: {key!r}")


# archives -------------------------------------------------------------------------------------------------------------


class Archive(tuple[str, str | None, bytes]):
    """How it is imported, by which schema, and what it is."""

    __slots__ = ()


def archive_of(make: Callable[[Path, Chance], None]) -> Callable[[Study, Chance], Archive]:
    def made(study: Study, chance: Chance) -> Archive:
        path = study.scratch / "origin"
        path.unlink(missing_ok=True)
        with suppress(ValueError, OverflowError, struct.error):  # some cannot be made
            make(path, chance)
        how = chance.choice(["", "", "", "", "skip", "skip", "plan", "apart"])
        return Archive((how, chance.choice([None, None, "{a}/{b}", "{a}"]), path.read_bytes()))

    return made


def check_archive(study: Study, given: Archive) -> None:
    how, schema, _ = given
    origin, project = str(study.scratch / "origin"), study.project()
    try:
        if how == "apart":
            with imported_apart(project, origin, schema=schema):
                pass
        else:
            with plan_import(project.space, origin, schema=schema, skip_existing=how == "skip") as plan:
                if how != "plan":
                    plan.carry_out()
    finally:
        for name in set(os.listdir(study.workspace)) - study.names:
            check_imported(study.workspace / name)


def check_imported(directory: Path) -> None:
    """Make sure that a job is whole, and that nothing in it leads out."""
    expect(is_job_id(directory.name), "left behind", directory.name)
    state_point = canonical.loads((directory / SP).read_bytes())
    expect(canonical.has_id(state_point, directory.name), "not the state point of the job", directory.name, state_point)
    for above, directories, files in os.walk(directory):
        for name in directories + files:
            path = os.path.join(above, name)
            if os.path.islink(path):
                real = os.path.realpath(path)
                expect(real == str(directory) or real.startswith(f"{directory}/"), "a link leads out", path, real)


# cache and index ------------------------------------------------------------------------------------------------------

FILTERS: list[Data] = [
    {"a.$gte": 0}, {"n.b": 1}, {"doc.energy.$lt": 0}, {"$not": {"n": {}}}, {"a": 3}, {"doc.tags.$exists": True},
    {"name.$regex": "xx"}, {"$or": [{"a.$lt": 2}, {"doc.energy": -2.5}]}, {"zz.$exists": False}, {"n.b.$in": [0, 2]},
    {"name.$type": "str"}, {"a.$near": [3, 0.5]}, {"name": ""}, {"doc.tags": ["x", {"y": 1}]}, {"a.$ne": 1},
]  # fmt: skip


class Damaged(tuple[str, bytes, list[Data], bool]):
    """A file of the project, its content, what is asked, and whether to update the cache at last."""

    __slots__ = ()


def some_filters(chance: Chance) -> list[Data]:
    return chance.sample(FILTERS, 2)


def cache_file(study: Study, chance: Chance) -> Damaged:
    name = DERIVED[-1]
    text = json.dumps(twisted(json.loads(gzip.decompress(study.derived[name])), chance)).encode()
    pieces = chance.choice([[text], [text[:5], text[5:]], [chance.mutated(text)]])
    data = b"".join(gzip.compress(piece, 1) for piece in pieces)
    data = chance.mutated(data) if chance.chance(0.3) else data
    return Damaged((name, data, some_filters(chance), chance.chance(0.1)))


def check_cache(study: Study, given: Damaged) -> None:
    place, (name, data, filters, update) = study.root / ".signac", given
    for other in DERIVED[:3]:  # the cache file serves where there is no index
        (place / other).unlink()
    (place / name).write_bytes(data)
    for job_id, state_point in peer_cache.read_cache(study.project().space).items():
        expect(canonical.calc_id(state_point) == job_id, "what the cache says of a job is wrong", state_point)
        expect(study.truth.whole.get(job_id, state_point) == state_point, "another state point", job_id, state_point)
    cache.examine_cache(study.project().space)
    check_answers(study, filters)
    if update:
        cache.update_cache(study.project().space)
        expect(peer_cache.read_cache(study.project().space) == study.truth.whole, "the cache is wrong after an update")
        expect(
            cache.examine_cache(study.project().space).state == "current", "the cache is not up to date after an update"
        )


def check_answers(study: Study, filters: list[Data]) -> None:
    for filter in filters:
        study.check_filter(filter)
    project = study.project()
    expect(catalog.list_names(project.space) == study.ids, "other jobs")
    catalog.preload(project.space, 1000)
    found = dict(catalog.read_state_points(project.space, study.ids))
    expect(found == study.truth.whole, "other state points", found)


def flipped_index(study: Study, chance: Chance) -> Damaged:
    name = chance.choice(DERIVED[:3])
    return Damaged((name, chance.mutated(study.derived[name]), some_filters(chance), chance.chance(0.05)))


def check_flipped_index(study: Study, given: Damaged) -> None:
    name, data, filters, update = given
    (study.root / ".signac" / name).write_bytes(data)
    check_answers(study, filters)
    if update:
        cache.update_cache(study.project().space)
        check_answers(study, filters)


def forged_index(study: Study, chance: Chance) -> Damaged:
    place = study.root / ".signac"
    if chance.chance(0.7):  # an index that is believed to be up to date
        for name in DERIVED[:2]:
            table = Forgery(place / name)
            table.directory["about"]["signature"] = stamps.directory_signature(str(study.workspace))
            table.write()
    name = chance.choice(DERIVED[:3])
    forge(place / name, chance)
    return Damaged((name, (place / name).read_bytes(), some_filters(chance), chance.chance(0.05)))


def check_forged_index(study: Study, given: Damaged) -> None:
    """Make sure that it does no harm: it may say what is not true, for nothing tells it from a true one."""
    _, _, filters, update = given
    for filter in filters:
        with suppress(errors.JobsCorruptedError):
            found = finding.find_ids(study.project().space, filter, damaged=[])
            expect(all(map(is_job_id, found)), "no ids", found)
    project = study.project()
    expect(all(map(is_job_id, catalog.list_names(project.space))), "no ids")
    catalog.preload(project.space, 1000)
    found_points = dict(catalog.read_state_points(project.space, study.ids, damaged=[]))
    expect(found_points.keys() <= study.truth.whole.keys(), "other jobs than were asked for", found_points)
    catalog.read_values(study.project().space, study.ids, ["a", "n.b"], missing=None, damaged=[])
    for kind, word in (("ids", ""), ("keys", ""), ("filter", "a="), ("filter", "doc.energy=")):
        try:
            list(complete.KINDS[kind](str(study.root), [], word))
        except Exception as error:  # TAB finds nothing then
            expect(not isinstance(error, (MemoryError, RecursionError)), "too much for completion", error)
    if update:
        cache.update_cache(study.project().space, damaged=[])


# HDF5 -----------------------------------------------------------------------------------------------------------------


def hdf5_item(study: Study, chance: Chance) -> tuple[str, str, Any]:
    name = chance.pieces(hostile.H5_PIECES, 3) if chance.chance(0.3) else ""
    return chance.pieces(hostile.H5_PIECES, 4), name, chance.value(1)


def check_hdf5_key(study: Study, given: tuple[str, str, Any]) -> None:
    key, name, value = given
    job = study.project().open_job(id=study.ids[0])
    try:
        store = job.stores[name] if name else job.data
        store[key] = value
        expect(key in store, "stored, and not there")
        found = store.pop(key)
        expect(same(found, value), "stored, and another value", found)
        expect(key not in store, "deleted, and still there")
    finally:
        for path in Path(job.path).iterdir():
            if path.suffix == ".h5" or path.name.startswith(".signac-"):
                path.unlink()


def same(found: Any, value: Any) -> bool:
    """Tell whether what HDF5 gives back is what was stored; lists are arrays there."""
    if isinstance(value, dict):
        return isinstance(found, dict) and found.keys() == value.keys() and all(same(found[k], value[k]) for k in value)
    if isinstance(value, list):
        return len(found) == len(value) and all(map(same, found, value))
    if isinstance(value, str) and isinstance(found, bytes):  # in an array
        return found.decode() == value
    return bool(found == value) or (isinstance(value, float) and math.isnan(value) and math.isnan(found))


ANY_ARCHIVE = (ArchiveError, errors.StatepointParsingError, errors.DestinationExistsError, OSError)
CONFIG_ERRORS = (errors.ConfigError, errors.IncompatibleSchemaVersion, ValueError)
_S = Surface
SURFACES: dict[str, Surface] = {
    surface.name: surface
    for surface in (
        _S("filter tokens", lambda study, chance: hostile.tokens(chance), check_filter, FILTER_ERRORS),
        _S("filter JSON", lambda s, chance: [json.dumps(hostile.filter_tree(chance))], check_filter, FILTER_ERRORS),
        _S("state points", state_point_text, check_state_point, (ValueError, errors.KeyTypeError)),
        _S("ids", texts_of_ids, check_ids),
        _S(
            "path templates",
            lambda study, chance: chance.pieces(hostile.TEMPLATE_PIECES),
            check_path_template,
            (templates.PathError, ValueError),
        ),
        _S(
            "output templates",
            lambda study, chance: chance.pieces(hostile.FORMAT_PIECES),
            check_output_template,
            (ValueError,),
        ),
        _S(
            "import schemas",
            schema_and_paths,
            check_schema,
            (schemas.UnknownTypeError, errors.StatepointParsingError, ValueError),
        ),
        _S("configuration texts", config_text, check_config_text, CONFIG_ERRORS),
        _S("configuration keys", config_item, check_config_item, CONFIG_ERRORS),
        _S("zip archives", archive_of(hostile.zip_file), check_archive, ANY_ARCHIVE, restored=True),
        _S("tar archives", archive_of(hostile.tar_file), check_archive, ANY_ARCHIVE, restored=True),
        _S("cache files", cache_file, check_cache, restored=True),
        _S("flipped index files", flipped_index, check_flipped_index, restored=True),
        _S("forged index files", forged_index, check_forged_index, restored=True),
        _S("HDF5 keys", hdf5_item, check_hdf5_key, (KeyError, ValueError, TypeError, OSError)),
    )
}
