"""What writes the generated files of this repository: the manual pages in ``man/``, the scripts in ``completions/``.

``python -m tools`` writes them, ``python -m tools --check`` compares them with what it would write. Both read the tree
of commands, so that a new option needs nothing but the option. What a tree cannot know is written by hand: examples in
`signac_cli.examples`, the other sections of the manual in `tools.sections` and ``tools/pages/``, the part of the
scripts that is the same for every command in ``tools/shells/``.
"""
