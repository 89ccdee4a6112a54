"""Puts results of the Rust program and of peers.py side by side, as Markdown.

    python3 compare.py rust.json python.json
    python3 compare.py rust.json python.json --into ../docs/performance.md

Each cell is the time of tamis divided by the contender's: below 1 tamis is the
faster one. Where a library has several ways (`jax` jitted or op by op, `numpy`
in place or anew), the fastest counts. `floor` is the bandwidth floor of the run that tamis was timed in.

--by-floor divides both times by the floor of their own run first, for results
of runs between which the machine changed. It means something only where memory
sets the pace.

--into FILE writes the table into the file, between the two lines that say so."""

import argparse
import json
import sys

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
KEY = ("workload", "title", "size", "density", "threads")
COLUMNS = (
    "hand", "ndarray", "candle", "burn", "numpy", "torch", "torch compiled", "tensorflow", "tensorflow xla",
    "jax",
)  # fmt: skip


def read(paths):
    """All rows by their key; a row holds the fastest time of every column, and the floor beside it."""
    rows, machines = {}, []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
        machines.append((result["threads"], result["bandwidth"], result["machine"]))
        for row in result["rows"]:
            times = rows.setdefault(tuple(row[key] for key in KEY), {})
            floor = row["times"].get("floor", {}).get("median")
            for name, timing in row["times"].items():
                column = column_of(name)
                time = timing["median"]
                if column and (column not in times or time < times[column][0]):
                    times[column] = (time, floor)
    return rows, machines


def column_of(name):
    """Where a contender stands: `numpy take` under `numpy`; what is not a peer stands nowhere."""
    if name == "tamis":
        return name
    return max((column for column in COLUMNS if name.startswith(column)), key=len, default=None)


def duration(seconds):
    for factor, unit in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms")):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def ratio(value):
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def cells(times, names, by_floor):
    tamis, floor = times["tamis"]
    found = [duration(tamis), ratio(tamis / floor) if floor else ""]
    for name in names:
        if name not in times:
            found.append("")
            continue
        time, own_floor = times[name]
        scale = own_floor / floor if by_floor and floor and own_floor else 1.0
        found.append(ratio(tamis / time * scale))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--by-floor", action="store_true")
    parser.add_argument("--into")
    arguments = parser.parse_args()
    rows, machines = read(arguments.files)
    rows = {key: times for key, times in rows.items() if "tamis" in times}
    names = [column for column in COLUMNS if any(column in times for times in rows.values())]

    lines = list(markdown(rows, machines, names, arguments.by_floor))
    if arguments.into:
        write_into(arguments.into, lines)
    else:
        print("\n".join(lines))
    return 0


def markdown(rows, machines, names, by_floor):
    for threads, bandwidth, machine in machines:
        rates = ", ".join(f"{name} {rate / 1e9:.1f}" for name, rate in (bandwidth or {}).items())
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
        yield f"- {versions}; {machine['cpu']}, {machine['cores']} cores, {threads} thread(s); GB/s: {rates}."
    yield ""
    yield f"| | size | mask | threads | tamis | floor | {' | '.join(names)} |"
    yield "|---|--:|--:|--:|--:|--:|" + "--:|" * len(names)
    for (workload, title, size, density, threads), times in rows.items():
        mask = "" if density is None else f"{density} %"
        title = title.replace("|", "\\|")
        line = [f"{workload} `{title}`", f"{size:,}".replace(",", " "), mask, str(threads)]
        yield f"| {' | '.join(line + cells(times, names, by_floor))} |"


def write_into(path, lines):
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([before + BEGIN, *lines, END + after]))


if __name__ == "__main__":
    sys.exit(main())
