"""Measures what building tamis costs, and its tests, beside an earlier commit.

    python3 build.py                        # against the commit before this was first measured
    python3 build.py --baseline v0.1.0 --only build
    python3 build.py --only test --rounds 3 --offline

Both commits are checked out to temporary folders and measured in turn, in the
same run, each time from scratch: the machine's speed changes over minutes, so
only the ratios can be trusted. Of several rounds, medians are compared.

build: a crate that depends on tamis and ndarray alone, with one masked
expression and its gradient, in release: the CPU time of cargo and all that it
starts, the wall time, the size of the stripped binary, and the number of crates
that it is made of.

test: `cargo test --workspace`, in two halves: what builds all tests, and what
runs them, doctests included.

example: `cargo run --release --example gradient_check`. With `test` it is what
the README asks a newcomer to run.

Crates are fetched before anything is timed."""

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BASELINE = "ef61fdb"

MANIFEST = """\
[package]
name = "bare"
version = "0.0.0"
edition = "2024"

[dependencies]
tamis = {{ path = "{tamis}" }}
ndarray = "0.17"

[profile.release]
strip = true

[workspace]
"""

PROGRAM = """\
use ndarray::array;
use tamis::prelude::*;

fn main() -> Result<(), tamis::Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let loss = x.masked(x.gt(0.0)).mean(..) + x.boolean_mask(x.gt(0.0)).sqrt().sum(..);
    let plan = Plan::new([("loss", loss), ("dx", grad(loss, x))])?;
    let out = plan.feed("x", &array![4.0, 0.0, -1.0, 1.0]).run()?;
    println!("{} {}", out.scalar::<f64>("loss")?, out.view::<f64>("dx")?);
    Ok(())
}
"""

# What changes how cargo builds must be the same for everybody who measures.
IGNORED = re.compile(
    r"CARGO_(TARGET_DIR|INCREMENTAL|BUILD_\w+|PROFILE_\w+|ENCODED_RUSTFLAGS)|RUST(DOC)?FLAGS|RUSTC_\w*WRAPPER"
)


def environment(target):
    kept = {key: value for key, value in os.environ.items() if not IGNORED.fullmatch(key)}
    return kept | {"CARGO_TARGET_DIR": str(target), "CARGO_TERM_COLOR": "never"}


def cpu():
    """Seconds of CPU of all children that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(command, folder, target, must_pass=True):
    """The output of a command, its wall and its CPU time; ends the program if it fails."""
    start, before = time.monotonic(), cpu()
    done = subprocess.run(
        command, cwd=folder, env=environment(target), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    wall, used = time.monotonic() - start, cpu() - before
    if done.returncode != 0:
        text = "\n".join(done.stdout.splitlines()[-40:])
        print(f"{text}\n`{' '.join(command)}` failed", file=sys.stderr)
        if must_pass:
            sys.exit(1)
    return done.stdout, wall, used


class Tree:
    """A commit in a folder of its own."""

    def __init__(self, commit, folder, cargo_flags):
        self.commit, self.folder, self.flags = commit, folder, cargo_flags
        self.source, self.bare, self.target = folder / "source", folder / "bare", folder / "target"
        self.source.mkdir(parents=True)
        archive = folder / "source.tar"
        if subprocess.run(["git", "archive", "-o", str(archive), commit], cwd=REPOSITORY).returncode != 0:
            sys.exit(f"commit {commit} cannot be checked out")
        shutil.unpack_archive(archive, self.source)
        (self.bare / "src").mkdir(parents=True)
        (self.bare / "Cargo.toml").write_text(MANIFEST.format(tamis=self.source.as_posix()), encoding="utf-8")
        (self.bare / "src" / "main.rs").write_text(PROGRAM, encoding="utf-8")

    def cargo(self, folder, *arguments, must_pass=True):
        return run(["cargo", *arguments[:1], *self.flags, *arguments[1:]], folder, self.target, must_pass)

    def fetch(self):
        for folder in (self.source, self.bare):
            self.cargo(folder, "fetch")

    def from_scratch(self):
        shutil.rmtree(self.target, ignore_errors=True)

    def build(self):
        self.from_scratch()
        _, wall, used = self.cargo(self.bare, "build", "--release")
        binary = self.target / "release" / ("bare.exe" if os.name == "nt" else "bare")
        tree, _, _ = self.cargo(self.bare, "tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe")
        crates = {tuple(line.split()[:2]) for line in tree.splitlines() if line.strip()}
        return {
            "bare crate, CPU": (used, "s"),
            "bare crate, wall": (wall, "s"),
            "bare crate, stripped": (binary.stat().st_size / 1e6, "MB"),
            "bare crate, crates it depends on": (len(crates) - 1, ""),
        }

    def test(self):
        self.from_scratch()
        _, build_wall, build_used = self.cargo(self.source, "test", "--workspace", "--no-run")
        text, run_wall, run_used = self.cargo(
            self.source, "test", "--workspace", "--no-fail-fast", must_pass=False
        )
        results = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed", text, re.MULTILINE)
        if failed := sum(int(failed) for _, failed in results):
            print(f"{failed} tests of {self.commit} fail", file=sys.stderr)
        return {
            "tests, wall": (build_wall + run_wall, "s"),
            "tests, CPU": (build_used + run_used, "s"),
            "of it building, wall": (build_wall, "s"),
            "of it building, CPU": (build_used, "s"),
            "of it running, wall": (run_wall, "s"),
            "of it running, CPU": (run_used, "s"),
            "tests that pass": (sum(int(passed) for passed, _ in results), ""),
        }

    def example(self):
        self.from_scratch()
        _, wall, used = self.cargo(self.source, "run", "--release", "--example", "gradient_check")
        return {"gradient_check, wall": (wall, "s"), "gradient_check, CPU": (used, "s")}


def medians(rounds):
    return {
        name: (statistics.median(figures[name][0] for figures in rounds), unit)
        for name, (_, unit) in rounds[0].items()
    }


def cell(value, unit):
    digits = 0 if unit == "" or value >= 100 else 1
    return f"{value:.{digits}f} {unit}".strip()


def table(before, after):
    lines = [f"| | {before.commit} | {after.commit} | ratio |", "|---|--:|--:|--:|"]
    for name, (new, unit) in after.figures.items():
        old, _ = before.figures[name]
        lines.append(f"| {name} | {cell(old, unit)} | {cell(new, unit)} | {new / max(old, 1e-9):.2f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--baseline", default=BASELINE, metavar="COMMIT")
    parser.add_argument("--commit", default="HEAD", metavar="COMMIT", help="what is compared with it")
    parser.add_argument("--only", choices=("build", "test", "example"), action="append")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--offline", action="store_true", help="passed to cargo")
    arguments = parser.parse_args()
    flags = ["--offline"] if arguments.offline else []
    with tempfile.TemporaryDirectory(prefix="tamis-build-") as folder:
        commits = (arguments.baseline, arguments.commit)
        trees = [Tree(commit, Path(folder) / name, flags) for commit, name in zip(commits, ("before", "after"))]
        rounds = {tree: [] for tree in trees}
        for tree in trees:
            tree.fetch()
        for number in range(arguments.rounds):
            for tree in trees:
                figures = {}
                for part in arguments.only or ("build", "test", "example"):
                    print(f"round {number + 1}: {part} of {tree.commit}", file=sys.stderr)
                    figures |= getattr(tree, part)()
                tree.from_scratch()
                rounds[tree].append(figures)
        for tree in trees:
            tree.figures = medians(rounds[tree])
        print(table(*trees))


if __name__ == "__main__":
    main()
