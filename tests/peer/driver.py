"""Does what it is told with whatever ``signac`` the interpreter has; knows neither of the two.

Each line of standard input is a JSON list of an operation and its arguments. Each line of standard output is the
result, or ``{"error": [names of the exception's classes], "message": text}``.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import warnings

import signac

STATE_POINT = "signac_statepoint.json"
DOCUMENT = "signac_job_document.json"
ARRAY_TYPES = ("int8", "uint16", "int64", "float32", "float64", "complex128", "bool", "S2")


def _new_project():
    """An empty project, which lasts until the next request."""
    return signac.init_project(tempfile.mkdtemp(prefix="project-", dir=os.getcwd()))


def _fill(project, jobs):
    """Initialise jobs from pairs of state point and document."""
    handles = []
    for statepoint, document in jobs:
        job = project.open_job(statepoint)
        job.init()
        if document:
            job.doc.update(document)
        handles.append(job)
    return handles


def _text(directory, name):
    try:
        with open(os.path.join(directory, name), "rb") as file:
            return file.read().decode("latin-1")
    except FileNotFoundError:
        return None


def _attempt(function, *arguments, **named):
    try:
        return function(*arguments, **named)
    except Exception as error:
        names = [cls.__name__ for cls in type(error).__mro__]
        return {"error": names[: names.index("Exception") + 1], "message": str(error)}


def _plain(value):
    """Plain data of whatever an operation returned, which may be live, or hold what is live."""
    if callable(value):
        return value()
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


# --- operations ------------------------------------------------------------------------------------------------------


def about():
    return {"version": signac.__version__, "module": signac.Project.__module__, "file": signac.__file__}


def ids(values):
    """The id of each value, and the id of the handle that it opens."""
    project = _new_project()

    def both(value):
        return [signac.job.calc_id(value), project.open_job(value).id]

    return [_attempt(both, value) for value in values]


def numpy_ids(arrays):
    """The ids of state points that hold numpy values, given as pairs of type name and value."""
    import numpy

    def one(kind, value):
        return signac.job.calc_id({"a": numpy.array(value, dtype=kind)[()]})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [_attempt(one, *array) for array in arrays]


def write(root, jobs, project_document, cache):
    """Create a project; each job is a pair of state point and document."""
    project = signac.init_project(root)
    handles = _fill(project, jobs)
    if project_document:
        project.doc.update(project_document)
    if cache:
        project.update_cache()
    return [
        {"id": job.id, "statepoint": _text(job.path, STATE_POINT), "document": _text(job.path, DOCUMENT)}
        for job in handles
    ]


def read(root):
    """Everything in a project, through each of the ways to read it."""
    project = signac.get_project(root)
    project.check()
    return {
        "jobs": {
            job.id: {
                "sp": project.open_job(id=job.id).sp(),
                "iterated": dict(job.cached_statepoint),
                "doc": job.doc(),
                "same": project.open_job(job.sp()).id == job.id,
            }
            for job in project
        },
        "found": sorted(job.id for job in project.find_jobs({"$or": [{}, {"nothing": 1}]})),
        "document": project.doc(),
        "cache": sorted(project.open_job(id=job.id).id for job in project),
        "update_cache": project.update_cache(),
    }


def change(root, changes):
    """Change the documents of the jobs that have the given ids, and the state points that are given anew."""
    project = signac.get_project(root)
    new_ids = {}
    for job_id, statepoint, document in changes:
        job = project.open_job(id=job_id)
        job.doc.update(document)
        if statepoint is not None:
            job.statepoint = statepoint
        new_ids[job_id] = job.id
    return new_ids


def happen(root, steps):
    """Let things happen to a project that exists: a list of [what, position of a job, value]."""
    project = signac.get_project(root)
    for what, position, value in steps:
        ids = sorted(name for name in os.listdir(project.workspace) if len(name) == 32)
        if what == "add":
            project.open_job(value).init()
        elif what == "update":
            project.update_cache()
        elif ids:
            job = project.open_job(id=ids[position % len(ids)])
            if what == "remove":
                job.remove()
            elif what == "document":
                job.doc.reset(value)
            else:
                with contextlib.suppress(signac.errors.DestinationExistsError):
                    job.sp.b = value


def write_data(root, tree):
    """Store a tree, and an array of each of some types, in the HDF5 files of a job and of the project."""
    import numpy

    project = signac.init_project(root)
    job = project.open_job({"a": 1})
    for data in (job.data, project.stores["other"]):
        data.update(tree)
        data["arrays"] = {kind: numpy.arange(6).reshape(2, 3).astype(kind) for kind in ARRAY_TYPES}


def read_data(root):
    """What `write_data` has stored, as plain data."""
    project = signac.get_project(root)
    (job,) = project
    with job.data, project.stores["other"]:
        return [_plain_data(data) for data in (job.data, project.stores["other"])]


def _plain_data(value):
    if hasattr(value, "keys"):
        return {key: _plain_data(value[key]) for key in sorted(value.keys())}
    if hasattr(value, "shape") and value.shape:
        return [str(value.dtype), repr(value[()].tolist())]
    if isinstance(value, bytes):
        return ["bytes", value.decode("latin-1")]
    return value.item() if hasattr(value, "item") else value


def export(root, target, path):
    """Export a project; gives the paths of the copies."""
    return sorted(signac.get_project(root).export_to(target, path))


def import_(root, origin, schema):
    """Import into a new project; gives its ids."""
    project = signac.init_project(root)
    project.import_from(origin, schema)
    project.check()
    return sorted(job.id for job in project)


def view(root, prefix, path):
    """Make or update a view; gives what each link points to."""
    signac.get_project(root).create_linked_view(prefix, path=path)
    return {
        os.path.relpath(os.path.join(directory, name), prefix): os.readlink(os.path.join(directory, name))
        for directory, subdirectories, files in sorted(os.walk(prefix))
        for name in sorted(subdirectories + files)
        if os.path.islink(os.path.join(directory, name))
    }


def find(jobs, filters):
    """The positions of the jobs that each filter matches."""
    project = _new_project()
    position = {job.id: number for number, job in enumerate(_fill(project, jobs))}

    def matches(filter):
        return sorted(position[job.id] for job in project.find_jobs(filter))

    return [_attempt(matches, filter) for filter in filters]


def group(jobs, keys):
    """The groups by each key, given as pairs of key and default, with the positions of the jobs in each group."""
    project = _new_project()
    position = {job.id: number for number, job in enumerate(_fill(project, jobs))}

    def groups(key, default):
        return [
            [_plain(value), sorted(position[job.id] for job in members)]
            for value, members in project.groupby(key, default)
        ]

    return [_attempt(groups, key, default) for key, default in keys]


def shortest(jobs):
    """The least number of digits that tells the ids apart."""
    project = _new_project()
    _fill(project, jobs)
    return project.min_len_unique_id()


def schema(jobs, options):
    """The schema as text, for each set of options of ``detect_schema`` and ``format``."""
    project = _new_project()
    _fill(project, jobs)

    def text(detect, layout):
        return project.detect_schema(**detect).format(**layout)

    return [_attempt(text, *option) for option in options]


def difference(jobs):
    """What tells the jobs apart, by position."""
    handles = _fill(_new_project(), jobs)
    position = {job.id: number for number, job in enumerate(handles)}
    found = signac.diff_jobs(*handles)
    return {str(position[job_id]): found[job_id] for job_id in sorted(found, key=position.__getitem__)}


def _until_failure(function, arguments):
    """Answers to one call after the other, up to the first that fails."""
    answers = []
    for argument in arguments:
        answers.append(_attempt(function, *argument))
        if isinstance(answers[-1], dict) and "error" in answers[-1]:
            break
    return answers


def _state(project):
    """Everything on disk, by job id."""
    return {
        name: [_text(project.fn(f"workspace/{name}"), file) for file in (STATE_POINT, DOCUMENT)]
        for name in sorted(os.listdir(project.workspace))
    }


def neighbors(jobs, ignore):
    """The neighbors of each job by position, as pairs of value and position."""
    project = _new_project()
    position = {job.id: number for number, job in enumerate(_fill(project, jobs))}
    return {
        position[job_id]: {
            key: [[value, position[other]] for value, other in near.items()] for key, near in sorted(keys.items())
        }
        for job_id, keys in sorted(project.get_neighbors(ignore=ignore).items(), key=lambda item: position[item[0]])
    }


def update_statepoint(jobs, updates):
    """Update the first job until that fails; each update is a pair of mapping and whether to overwrite."""
    project = _new_project()
    job = _fill(project, jobs)[0]

    def step(update, overwrite):
        job.update_statepoint(update, overwrite=overwrite)
        return job.id

    return {"answers": _until_failure(step, updates), "id": job.id, "state": _state(project)}


def change_statepoint(jobs, operations):
    """Apply operations to the state point of the first job until one fails."""
    project = _new_project()
    job = _fill(project, jobs)[0]

    def step(*operation):
        return [_apply(job.sp, *operation), job.id]

    return {"answers": _until_failure(step, operations), "id": job.id, "state": _state(project)}


def document(initial, operations, buffered):
    """Apply operations to a document; the text of its file is taken after each one, or once at the end."""
    project = _new_project()
    job = project.open_job({"a": 1})
    job.init()
    if initial is not None:
        with open(job.fn(DOCUMENT), "w") as file:
            json.dump(initial, file)
    steps = []
    with signac.buffered() if buffered else contextlib.nullcontext():
        for operation in operations:
            answer = _attempt(_apply, job.doc, *operation)
            steps.append([answer, None if buffered else _text(job.path, DOCUMENT)])
    return {"steps": steps, "text": _text(job.path, DOCUMENT), "data": job.doc()}


def _apply(tree, path, method, *arguments):
    """Call a method of the container under a path of keys and indices."""
    container = tree
    for part in path:
        container = container[part]
    if method == "setattr":
        return setattr(container, *arguments)
    if method == "getattr":
        return _plain(getattr(container, *arguments))
    if method == "list":
        return [_plain(item) for item in container]
    if method == "items":
        return [list(item) for item in container.items()]
    if method == "values":
        return list(container.values())
    if method == "keys":
        return list(container.keys())
    if method == "==":
        return container == arguments[0]
    answer = getattr(container, method)(*arguments)
    return repr(answer) if method == "__repr__" else _plain(answer)


OPERATIONS = [
    about,
    change,
    change_statepoint,
    difference,
    document,
    export,
    find,
    group,
    happen,
    ids,
    import_,
    neighbors,
    numpy_ids,
    read,
    read_data,
    schema,
    shortest,
    update_statepoint,
    view,
    write,
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
