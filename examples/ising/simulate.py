"""Simulate the 2-D Ising model for the jobs named on the command line.

Every job starts from the ordered state, is equilibrated, and is then measured. A job that was interrupted is simply
started again: its document gets the results in one write, at the end. One that fails is marked in its document, and the
others are simulated all the same; the exit status tells.
"""

import sys
import traceback

import numpy as np

from signac_core import get_project
from signac_core.job import Job

EQUILIBRATION = 400  # sweeps
MEASUREMENTS = 1200  # sweeps


def sweep(spins: np.ndarray, beta: float, coupling: float, rng: np.random.Generator) -> None:
    """One Metropolis sweep, on the two sublattices of a checkerboard in turn."""
    size = len(spins)
    parity = np.indices((size, size)).sum(axis=0) % 2
    for colour in (0, 1):
        neighbours = sum(np.roll(spins, shift, axis) for shift in (1, -1) for axis in (0, 1))
        energy_change = 2.0 * coupling * spins * neighbours
        flip = (parity == colour) & (rng.random(spins.shape) < np.exp(-beta * np.maximum(energy_change, 0.0)))
        spins[flip] *= -1


def energy(spins: np.ndarray, coupling: float) -> float:
    """Energy per spin."""
    return float(-coupling * np.mean(spins * (np.roll(spins, 1, 0) + np.roll(spins, 1, 1))))


def simulate(job: Job) -> None:
    """Run the simulation of one job and record its results."""
    size, coupling, beta = job.sp.L, job.sp.model.J, 1.0 / job.sp.T
    rng = np.random.default_rng(job.sp.seed)
    spins = np.ones((size, size))
    for _ in range(EQUILIBRATION):
        sweep(spins, beta, coupling, rng)
    series = np.empty((MEASUREMENTS, 2))
    for step in range(MEASUREMENTS):
        sweep(spins, beta, coupling, rng)
        series[step] = abs(np.mean(spins)), energy(spins, coupling)
    job.data["series"] = series  # columns: |magnetization| and energy per spin
    job.data["spins"] = spins.astype(np.int8)
    magnetization, mean_energy = series.mean(axis=0)
    job.doc.update(
        magnetization=round(float(magnetization), 4),
        energy=round(float(mean_energy), 4),
        susceptibility=round(float(beta * size**2 * series[:, 0].var()), 4),
        sweeps=MEASUREMENTS,
    )


def main(job_ids: list[str]) -> int:
    """Simulate the jobs one after the other; return the exit status."""
    project = get_project()
    status = 0
    for job_id in job_ids:
        job = project.open_job(id=job_id)
        try:
            simulate(job)
        except Exception as error:
            traceback.print_exc()
            job.doc.update(status="failed", error=f"{type(error).__name__}: {error}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
