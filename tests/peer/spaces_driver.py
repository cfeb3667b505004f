"""Makes, describes, copies and merges projects with whatever ``signac`` the interpreter has; knows neither of the two.

Each line of standard input is a JSON list of an operation and its arguments. Each line of standard output is the
result, or ``{"error": [names of the exception's classes], "message": text}``.

A job is given as a list of its state point, its document or None, and its other files: text and modification time by
relative path; those with a slash at the end are directories.
"""

import array
import gzip
import json
import os
import shutil
import stat
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from decimal import Decimal

from signac.sync import DocSync, FileSync

import signac

try:
    from signac.sync.strategies import ByKeyOrKeep
except ImportError:  # signac 2.x, where the strategy with this behaviour has the name of the other
    ByKeyOrKeep = DocSync.ByKey

STATE_POINT = "signac_statepoint.json"
CACHE = ".signac/statepoint_cache.json.gz"

FILE_STRATEGIES = {None: None, "always": FileSync.always, "never": FileSync.never, "update": FileSync.update}


def _fill(project, jobs):
    """Initialise jobs, and return their handles."""
    handles = []
    for state_point, document, files in jobs:
        job = project.open_job(state_point)
        job.init()
        if document is not None:
            job.doc.update(document)
        for name, (text, time) in sorted((files or {}).items()):
            path = job.fn(name)
            os.makedirs(path if name.endswith("/") else os.path.dirname(path), exist_ok=True)
            if not name.endswith("/"):
                with open(path, "w") as file:
                    file.write(text)
                os.utime(path, (time, time))
        handles.append(job)
    return handles


def _new_project(jobs):
    """A project, which lasts until the next request, and its jobs."""
    project = signac.init_project(tempfile.mkdtemp(prefix="project-", dir=os.getcwd()))
    return project, _fill(project, jobs)


def _attempt(function, *arguments, **named):
    try:
        return function(*arguments, **named)
    except Exception as error:
        names = [cls.__name__ for cls in type(error).__mro__]
        return {"error": names[: names.index("Exception") + 1], "message": str(error)}


def _data(value):
    """JSON data that tells apart whatever Python does, but for the order of keys."""
    if isinstance(value, tuple):
        return {"tuple": [_data(item) for item in value]}
    if isinstance(value, Mapping):
        return {"mapping": sorted([key, _data(item)] for key, item in value.items())}
    if isinstance(value, list):
        return [_data(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return {type(value).__name__: repr(value)}


def _tree(root):
    """All that is below a directory: the content of files, targets of links, None for directories."""
    found = {}
    for directory, subdirectories, files in os.walk(root):
        for name in subdirectories + files:
            path = os.path.join(directory, name)
            relative = os.path.relpath(path, root)
            if os.path.islink(path):
                found[relative] = ["link", os.readlink(path)]
            elif name in files:
                with open(path, "rb") as file:
                    found[relative] = file.read().decode("latin-1")
            else:
                found[relative] = None
    return found


def _workspace(project):
    """All that is in a workspace, but for what is hidden."""
    return {name: content for name, content in _tree(project.workspace).items() if not name.startswith(".")}


# --- what a space looks like -----------------------------------------------------------------------------------------


def about():
    return {"version": signac.__version__, "module": signac.Project.__module__}


def schemas(jobs, cases):
    """Schemas as data and as text, for options of ``detect_schema``, positions of a subset, and options of texts."""
    project, handles = _new_project(jobs)

    def one(detect, subset, layouts):
        if subset is not None:
            detect = {**detect, "subset": [handles[at] if at % 2 else handles[at].id for at in subset]}
        schema = project.detect_schema(**detect)
        return {
            "data": {
                key: {kind.__name__: sorted(map(repr, values)) for kind, values in types.items()}
                for key, types in schema.items()
            },
            "order": list(schema),
            "difference": sorted(schema.difference(project.detect_schema())),
            "other keys": sorted(project.detect_schema().difference(schema, ignore_values=True)),
            "texts": [_attempt(schema.format, **layout) for layout in layouts],
        }

    return [_attempt(one, *case) for case in cases]


def differences(jobs, selections):
    """What tells jobs apart, for lists of positions."""
    _, handles = _new_project(jobs)

    def one(positions):
        return _data(signac.diff_jobs(*(handles[at] for at in positions)))

    return [_attempt(one, positions) for positions in selections]


def neighbors(jobs, ignored):
    """The neighbours of all jobs, for lists of keys to ignore, with the categories of warnings."""
    project, _ = _new_project(jobs)

    def one(keys):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = project.get_neighbors(ignore=keys)
        plain = {
            job_id: {key: [[_data(value), other] for value, other in beside.items()] for key, beside in keys.items()}
            for job_id, keys in found.items()
        }
        return [plain, sorted({warning.category.__name__ for warning in caught})]

    return [_attempt(one, keys) for keys in ignored]


def frames(jobs, cases):
    """Data frames for options of ``to_dataframe``: ids, and name, type and values of each column."""
    project, _ = _new_project(jobs)

    def one(options):
        usecols = options.get("usecols")
        if isinstance(usecols, str):
            options = {**options, "usecols": lambda name: name.endswith(usecols)}
        frame = project.to_dataframe(**options)
        ids = sorted(frame.index)
        return {
            "shape": frame.shape,
            "ids": ids,
            "index": [frame.index.name, str(frame.index.dtype)],
            "columns": [
                [name, str(frame[name].dtype), [_data(value) for value in frame[name].loc[ids].tolist()]]
                for name in frame.columns
            ],
        }

    return [_attempt(one, options) for options in cases]


# --- views and copies ------------------------------------------------------------------------------------------------


def views(steps, path):
    """Views of one project after another set of jobs is made each time: the returned mapping, and the tree."""
    project, _ = _new_project([])

    def one(jobs, positions):
        keep = {job.id for job in (project.open_job(state_point) for state_point, *_ in jobs)}
        for job in list(project):
            if job.id not in keep:
                job.remove()
        handles = _fill(project, jobs)
        ids = None if positions is None else [handles[at].id for at in positions]
        links = project.create_linked_view(project.fn("view"), job_ids=ids, path=path)
        return [
            {link: os.path.relpath(target, project.path) for link, target in links.items()},
            _tree(project.fn("view")),
        ]

    answers = []
    for step in steps:
        answers.append(_attempt(one, *step))
        if "error" in answers[-1]:
            break
    return answers


def _members(target):
    """What an export has written."""
    if os.path.isdir(target):
        return _tree(target)
    if target.endswith(".zip"):
        with zipfile.ZipFile(target) as archive:
            return sorted(
                [os.path.normpath(info.filename), info.compress_type, archive.read(info).decode("latin-1")]
                for info in archive.infolist()
            )
    with tarfile.open(target) as archive, open(target, "rb") as file:
        members = [
            [os.path.normpath(info.name), info.type.decode(), stat.S_IMODE(info.mode)]
            + ([archive.extractfile(info).read().decode("latin-1"), info.mtime] if info.isfile() else [])
            for info in archive
        ]
        return {"magic": file.read(2).decode("latin-1") if "." in target[-3:] else "", "members": sorted(members)}


def make(root, jobs, project_document=None, cache=False):
    """Make a project that lasts."""
    project = signac.init_project(root)
    handles = _fill(project, jobs)
    if project_document:
        project.doc.update(project_document)
    if cache:
        project.update_cache()
    return [job.id for job in handles]


def export(root, target, path, selection=None):
    """Export a project, or jobs of it: the returned mapping, and what has been written."""
    project = signac.get_project(root)
    source = project if selection is None else project.find_jobs(selection)
    copies = source.export_to(target, path)
    return [
        {os.path.relpath(directory, project.path): os.path.normpath(copy) for directory, copy in copies.items()},
        _members(target) if os.path.lexists(target) else None,
    ]


def import_(root, origin, schema=None, sync=None):
    """Import into a project: the returned mapping, as far as it lasts, and all that is in the workspace."""
    project = signac.init_project(root)
    imported = project.import_from(origin, schema, sync=sync)
    project.check()
    places = [os.path.relpath(place, origin) for place in imported] if os.path.isdir(origin) else None
    ids = [os.path.basename(target) for target in imported.values()]
    return [sorted(ids) if places is None else sorted(zip(places, ids)), _workspace(project)]  # noqa: B905


# --- synchronisation -------------------------------------------------------------------------------------------------


def synchronize(source, destination, options, document_strategy, whole):
    """Bring one project, or its only job, into another: the statistics, and what is there then."""
    project, other = signac.get_project(destination), signac.get_project(source)
    strategies = {
        "default": lambda: None,
        "by key": lambda: DocSync.ByKey(),
        "never": lambda: DocSync.NO_SYNC,
        "copy": lambda: DocSync.COPY,
        "update": lambda: DocSync.update,
        "function": lambda: _merge,
    }
    kind, _, pattern = document_strategy.partition(":")
    options = {
        **options,
        "strategy": FILE_STRATEGIES[options["strategy"]],
        "doc_sync": (ByKeyOrKeep if kind == "by key" else DocSync.ByKey)(pattern) if pattern else strategies[kind](),
    }
    if "selection" in options:
        options["selection"] = [other.open_job(state_point).id for state_point in options["selection"]]
    stats = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if whole:
                stats = project.sync(other, collect_stats=True, **options)
            else:
                (ours,), (theirs,) = project, other
                ours.sync(theirs, **options)
        except signac.errors.DocumentSyncConflict as error:
            return {"conflict": "document", "keys": sorted(error.keys)}
        except signac.errors.FileSyncConflict as error:
            return {"conflict": "file", "name": error.filename}
        except signac.errors.SchemaSyncConflict:
            return {"conflict": "schema"}
    jobs = _workspace(project)
    kept = options.get("preserve_times")
    times = {name: int(os.stat(os.path.join(project.workspace, name)).st_mtime) for name in jobs if kept and jobs[name]}
    return {"stats": stats and list(stats), "jobs": jobs, "times": times, "document": project.doc()}


def _merge(source, destination):
    for key in source:
        if key not in destination or source[key] != destination[key]:
            destination[key] = [source[key]]


# --- the cache file --------------------------------------------------------------------------------------------------


def cached(root):
    """The entries of the cache file."""
    with gzip.open(os.path.join(root, CACHE)) as file:
        return json.loads(file.read())


def change_and_cache(root, remove, add):
    """Remove jobs by id, make others, and update the cache; gives what that returns."""
    project = signac.get_project(root)
    for job_id in remove:
        project.open_job(id=job_id).remove()
    _fill(project, add)
    return project.update_cache()


def repair(root):
    """Lose all state points, and restore them from the cache file: gives those that are found then."""
    names = os.listdir(os.path.join(root, "workspace"))
    for name in names:
        os.remove(os.path.join(root, "workspace", name, STATE_POINT))
    signac.get_project(root).repair()
    project = signac.get_project(root)
    project.check()
    return {job.id: job.statepoint() for job in project}


# --- HDF5 ------------------------------------------------------------------------------------------------------------


def _built(kind, value):
    """A value that cannot be given as JSON data."""
    import numpy

    if kind in ("array", "scalar"):
        dtype, content = value
        dtype = [tuple(field) for field in dtype] if isinstance(dtype, list) else dtype
        if isinstance(dtype, list):
            content = [tuple(row) for row in content]
        built = numpy.array(content, dtype=dtype)
        return built if kind == "array" else built[()]
    if kind in ("frame", "series"):
        import pandas

        return (pandas.DataFrame if kind == "frame" else pandas.Series)(value)
    makers = {
        "plain": lambda: value,
        "bytes": lambda: value.encode("latin-1"),
        "mapping": lambda: {key: _built(*item) for key, item in value.items()},
        "array.array": lambda: array.array(*value),
        "complex": lambda: complex(*value),
        "tuple": lambda: tuple(value),
        "range": lambda: range(value),
        "bytearray": lambda: bytearray(value),
        "memoryview": lambda: memoryview(bytes(value)),
        "masked": lambda: numpy.ma.masked_array(value, mask=[item > 1 for item in value]),
        "set": lambda: set(value),
        "decimal": lambda: Decimal(value),
        "str_": lambda: numpy.str_(value),
        "object": lambda: object(),
    }
    return makers[kind]()


def _described(value):
    """JSON data that tells apart whatever HDF5 does."""
    if hasattr(value, "keys") and not hasattr(value, "dtypes"):
        return {"group": {key: _described(value[key]) for key in sorted(value.keys())}}
    if hasattr(value, "to_frame") or hasattr(value, "dtypes"):
        table = value.to_frame() if hasattr(value, "to_frame") else value
        columns = [[str(name), str(table[name].dtype), table[name].tolist()] for name in table.columns]
        return [type(value).__name__, table.index.tolist(), columns]
    if hasattr(value, "dtype"):
        name = type(value).__name__
        content = value[()] if name == "Dataset" else value
        text = repr(content.tolist()) if value.dtype.hasobject else content.tobytes().hex()
        return [name, str(value.dtype), list(value.shape), text]
    return [type(value).__name__, value]


def write_data(root, values):
    """Store values of all kinds, of a job and of the project; gives the error or the categories of warnings of each."""
    project = signac.init_project(root)
    job = project.open_job({"a": 1})
    job.init()

    def one(number, value):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            (job.data if number % 2 else project.stores["other"])[f"v{number}"] = _built(*value)
        return sorted({warning.category.__name__ for warning in caught})

    return [_attempt(one, number, value) for number, value in enumerate(values)]


def read_data(root, numbers):
    """What has been stored under some numbers."""
    project = signac.get_project(root)
    (job,) = project

    def one(number):
        with job.data if number % 2 else project.stores["other"] as store:
            return _described(store[f"v{number}"])

    return [_attempt(one, number) for number in numbers]


def copy_data(root, numbers):
    """Store again what has been read, under the same names with a "c" in front."""
    project = signac.get_project(root)
    (job,) = project

    def one(number):
        with job.data if number % 2 else project.stores["other"] as store:
            store[f"c{number}"] = store[f"v{number}"]
            return _described(store[f"c{number}"])

    return [_attempt(one, number) for number in numbers]


OPERATIONS = [
    about,
    cached,
    change_and_cache,
    copy_data,
    differences,
    export,
    frames,
    import_,
    make,
    neighbors,
    read_data,
    repair,
    schemas,
    synchronize,
    views,
    write_data,
]
BY_NAME = {function.__name__: function for function in OPERATIONS}


def _answer(operation, arguments):
    return json.dumps(BY_NAME[operation](**arguments))


def main():
    answers = sys.stdout
    sys.stdout = sys.stderr  # whatever is printed on the way
    for line in sys.stdin:
        answer = _attempt(_answer, *json.loads(line))
        for project in os.scandir():
            if project.name.startswith("project-"):
                shutil.rmtree(project)
        answers.write((answer if isinstance(answer, str) else json.dumps(answer)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
