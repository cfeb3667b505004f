"""Group the jobs by temperature and lattice size and draw the magnetisation."""

import statistics

from signac_core import get_project

WIDTH = 40  # characters

project = get_project()
done = project.find_jobs({"doc.magnetization.$exists": True})
print(f"{'L':>3} {'T':>5} {'jobs':>4} {'|m|':>7} {'chi':>8}")
for (size, temperature), jobs in done.groupby(["L", "T"]):
    documents = [job.doc() for job in jobs]
    magnetization = statistics.mean(document["magnetization"] for document in documents)
    susceptibility = statistics.mean(document["susceptibility"] for document in documents)
    bar = "#" * round(WIDTH * magnetization)
    print(f"{size:>3} {temperature:>5.2f} {len(documents):>4} {magnetization:>7.3f} {susceptibility:>8.2f}  |{bar}")
