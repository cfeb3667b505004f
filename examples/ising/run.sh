#!/bin/sh
# The whole study, from nothing to the result. Usage: run.sh [DIRECTORY]
# Run it again after an interruption: only what is missing is done. Jobs that failed are marked, and left alone until
#   signac find doc.status=failed | signac document - --unset status --unset error
set -eu

here=$(cd "$(dirname "$0")" && pwd)
study=${1:-ising-study}
python=${PYTHON:-python3}
export OMP_NUM_THREADS=1

mkdir -p "$study"
cd "$study"
signac init

echo "== jobs: one per parameter combination (existing ones are left alone)"
"$python" "$here/parameters.py" | signac job -c | wc -l

echo "== simulations: the jobs without a result, in parallel"
signac -q find 'doc.magnetization!=!' 'doc.status!=!' |
    xargs -r -n 5 -P "${WORKERS:-2}" "$python" "$here/simulate.py" ||
    echo "failed:          $(signac -q find doc.status=failed --count)"

echo "== bookkeeping from the shell: mark what is finished"
signac -q find doc.magnetization | signac -q document - --set status=done --set checked=true

echo "== queries"
printf 'cold and small:  '
signac -q find 'T<2' 'L=8' --count
printf 'largest lattice near the transition:\n'
signac -q find 'T>=2.2' 'T<2.5' L=16 seed=1 --sort sp.T --format '{id}\t{sp.T}\t{doc.magnetization:.3f}'

echo "== magnetisation against temperature: the transition is at T = 2.269"
"$python" "$here/summarize.py"
