"""The workloads of this package for NumPy, PyTorch (eager and compiled),
TensorFlow (with and without XLA) and JAX, whichever is installed.

    python3 peers.py --size 16000000 --threads 1 --json python.json

See README.md; `compare.py` puts the results beside those of the Rust program."""

import argparse
import json
import os
import sys

from peer import libraries as lib
from peer.case import floor, measure


class Bench:
    """What was asked for, and the rows so far."""

    def __init__(self, arguments):
        self.only, self.contenders = arguments.only, arguments.contenders
        self.seconds, self.threads = arguments.seconds, arguments.threads
        self.rows, self.failures, self.notes = [], [], []

    def wants(self, name):
        return not self.contenders or name in self.contenders

    def finish(self, case, times):
        row = {key: getattr(case, key) for key in ("workload", "title", "size", "density")}
        row["threads"] = self.threads
        row["bytes_read"], row["bytes_written"] = case.read, case.written
        row["times"] = times
        self.rows.append(row)
        self.notes += [note for note in case.notes if note not in self.notes]
        ordered = sorted(times, key=lambda name: name != "floor")
        cells = "  ".join(f"{name} {duration(times[name]['median'])}" for name in ordered)
        density = "" if case.density is None else f"{case.density}%"
        print(f"{case.workload:<5} {case.title:<49} {case.size:>9} {density:>4} {self.threads}t  {cells}")
        for note in case.notes:
            print(f"      left out: {note}")
        sys.stdout.flush()


def duration(seconds):
    for factor, unit in ((1e9, "ns"), (1e6, "us"), (1e3, "ms")):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g}{unit}"
    return f"{seconds:.3g}s"


def bandwidth(bench):
    """Bytes for each second, of a read stream and of one array read and one written."""
    size = 256 << 20
    streams = {"read": floor(size, 0, bench.threads), "scale": floor(size, size, bench.threads)}
    times = measure(streams, bench.seconds, bench.threads)
    return {"read": size / times["read"]["median"], "scale": 2 * size / times["scale"]["median"]}


def machine(versions):
    try:
        with open("/proc/cpuinfo", encoding="ascii") as lines:
            cpu = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = None
    return {"cpu": cpu, "cores": os.cpu_count(), "python": sys.version.split()[0], "versions": versions}


def numbers(text):
    return [int(word) for word in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=numbers, default=[16_000_000])
    parser.add_argument("--density", type=numbers, default=[50], help="per cent of selected elements")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", type=lambda text: text.split(","), help="workloads, such as W1,W2")
    parser.add_argument(
        "--contenders", type=lambda text: text.split(","), help='such as "numpy,torch compiled"'
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row")
    parser.add_argument("--json", help="where results go as well")
    parser.add_argument("--full", action="store_true", help="all sizes and densities")
    arguments = parser.parse_args()
    if arguments.full:
        arguments.size, arguments.density = [1_000, 1_000_000, 16_000_000], [1, 50, 99]
    return arguments


def main():
    arguments = parse()
    lib.use_threads(arguments.threads)
    versions, missing = lib.load(arguments.contenders, arguments.threads)
    from peer import workloads  # after the libraries

    bench = Bench(arguments)
    streams = bandwidth(bench)
    print(machine(versions))
    for note in missing:
        print(f"skipped {note}")
    rates = ", ".join(f"{name} {rate / 1e9:.1f} GB/s" for name, rate in streams.items())
    print(f"{arguments.threads} thread(s); memory: {rates}\n")
    workloads.run_all(bench, arguments.size, arguments.density)
    if arguments.json:
        result = {
            "program": "python",
            "machine": machine(versions),
            "threads": bench.threads,
            "bandwidth": streams,
        }
        result |= {"rows": bench.rows, "failures": bench.failures, "notes": bench.notes}
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
