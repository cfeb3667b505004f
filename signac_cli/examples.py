r"""Examples of every command, as ``--help`` and the manual pages show them.

Each line is a command line, a remark behind ``#``, or both. No line is longer than 76 characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["EXAMPLES"]

EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "init": """\
signac init          # in the current directory
signac init study    # in a new directory
""",
        "job": """\
signac job '{"T": 1.5}'                # the id; the job need not exist
cd "$(signac job -cp '{"T": 1.5}')"    # create it and go there
signac job -c < statepoints.jsonl      # create many
""",
        "find": """\
signac find 'T>=1.5' 'name~^lj' doc.done true
signac find p 3 --format '{id}\\t{sp.T}\\t{doc.energy}'
signac find --sort -doc.energy,T -L 10 --sp T --doc energy --table
signac find doc.status failed -0 --path | xargs -0 du -sh
signac find 'doc.energy!=!' --shard "$SLURM_ARRAY_TASK_ID/32"
""",
        "statepoint": """\
signac statepoint 9bfd                    # one line of JSON
signac find 'T>=1.5' | signac statepoint -
signac statepoint --format '{id} {T}'     # of all jobs
""",
        "document": """\
signac document 9bfd --pretty
signac document -f doc.status failed --format '{id} {doc.reason}'
signac document "$id" --set energy=-1.25 --set status=done
signac find doc.status=failed | signac document - --unset status
""",
        "diff": """\
signac diff 9bfd 42b7
signac diff -f 'T>=1.5' name lj --plain
signac find doc.status=failed | signac diff - --json
""",
        "neighbors": """\
signac neighbors 9bfd
signac neighbors 9bfd --ignore seed model.cut
signac find T=1.5 | signac neighbors - --jsonl
""",
        "schema": """\
signac schema -x                          # what varies
signac schema -f 'T>=1.5' -r 20 -p 3
signac schema --json | jq '.keys | keys'
""",
        "view": """\
signac view                               # view/T/1.5/p/3/job -> the job
signac view 'T_{T}/{{auto}}' -p by-T
signac view -p failed -f doc.status failed
""",
        "export": """\
signac export ../study.tar.gz
signac export ../results 'T_{T}/p_{p}' -f doc.status done
signac export -n ../results               # where would each job go?
""",
        "import": """\
signac import ../study.tar.gz
signac import ../old 'T_{T:float}/p_{p:int}'
signac import -n ../old                   # what would be imported?
""",
        "sync": """\
signac sync -n /scratch/run               # what would change here?
signac sync /scratch/run -a -u --key 'energy|status'
""",
        "rm": """\
signac rm 9bfd29df
signac find p 3 | signac rm -n -          # what would be removed?
signac rm --filter doc.status failed
""",
        "move": """\
signac move ../archive 9bfd29df
signac move ../archive --filter doc.status done
signac find p 3 | signac move -n ../archive -    # what would be moved?
""",
        "clone": """\
signac clone ../publication 9bfd29df
signac clone ../publication --filter doc.status done
signac find p 3 | signac clone -n ../publication -    # a dry run
""",
        "check": """\
signac check
signac check --repair -n             # what would be repaired?
signac check --repair
""",
        "status": """\
signac status
signac status --json | jq .jobs
""",
        "update-cache": """\
signac update-cache
signac update-cache --check || echo stale
""",
        "config": """\
signac config show
signac config set -g durable yes
signac config set site.contact "A. Person" person@example.org
signac config unset site
""",
        "config show": """\
signac config show
signac config show -l site.contact
""",
        "config set": """\
signac config set durable yes
signac config set -g site.contact "A. Person" person@example.org
""",
        "config unset": """\
signac config unset durable
signac config unset -g site           # the whole section
""",
        "config verify": """\
signac config verify && echo fine
""",
        "migrate": """\
signac migrate -n            # what would be done?
signac migrate -y -r study
""",
        "shell": """\
signac shell
signac shell -c 'print(len(jobs))' -f 'T>=1.5'
signac shell analyse.py --plot    # what follows the file is for the file
""",
        "completion": """\
eval "$(signac completion bash)"      # in ~/.bashrc
eval "$(signac completion zsh)"       # in ~/.zshrc
signac completion fish | source       # in ~/.config/fish/config.fish
""",
    }
)
"""By the name of the command."""
