"""One workload at one size and density: its contenders, the check of their
answers, and interleaved timing, as in src/contender.rs and src/measure.rs."""

import statistics
import time

from peer import libraries as lib

SHORTEST = 50e-6  # seconds; shorter runs are repeated
FEWEST_ROUNDS, MOST_ROUNDS = 5, 301
# Threads that one contender leaves waiting spin for a while on the cores of the next.
PAUSE = 2e-3


class Case:
    """Contenders are added by library; one that cannot run is noted and left out."""

    def __init__(self, bench, workload, title, size, density=None, read=0, written=0, tolerance=1e-4):
        if lib.torch is not None:
            # What was compiled for other sizes would make this one general, and slower.
            lib.torch.compiler.reset()
        self.bench = bench
        self.workload, self.title, self.size, self.density = workload, title, size, density
        self.read, self.written, self.tolerance = read, written, tolerance
        self.checked_runs = 1
        self.contenders = {}
        self.notes = []

    def add(self, name, run):
        """`run()` computes and returns arrays of any library; they are dropped in the measured time."""
        if self.bench.wants(name):
            self.contenders[name] = run

    def numpy(self, function, *inputs):
        self.add("numpy", lambda: function(*inputs))

    def torch(self, function, *inputs):
        """Eager, and compiled."""
        if lib.torch is None:
            return
        tensors = [to_torch(value) for value in inputs]
        self.add("torch", lambda: function(*tensors))
        compiled = lib.torch.compile(function, dynamic=False)
        self.add("torch compiled", lambda: compiled(*tensors))

    def tensorflow(self, function, *inputs, xla=True):
        """As a `tf.function`, and one compiled by XLA where XLA knows the shapes."""
        if lib.tf is None:
            return
        tensors = [lib.tf.constant(value) for value in inputs]
        graph = lib.tf.function(function)
        self.add("tensorflow", lambda: graph(*tensors))
        if xla:
            compiled = lib.tf.function(function, jit_compile=True)
            self.add("tensorflow xla", lambda: compiled(*tensors))

    def jax(self, function, *inputs, jit=True):
        """Jitted where the shapes are known before the run, and op by op."""
        if lib.jax is None:
            return
        arrays = [lib.jnp.asarray(value) for value in inputs]
        wait = lib.jax.block_until_ready
        if jit:
            jitted = lib.jax.jit(function)
            self.add("jax", lambda: wait(jitted(*arrays)))
        self.add("jax eager", lambda: wait(function(*arrays)))

    def run(self):
        """Checks everybody against the first, then times those who agree."""
        expected, first = None, None
        for name in list(self.contenders):
            try:
                answer = []
                for _ in range(self.checked_runs):
                    answer += flatten(self.contenders[name]())
            except Exception as error:  # whatever a library cannot do is a note
                self.leave_out(name, f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")
                continue
            if expected is None:
                expected, first = answer, name
            elif difference := compare(answer, expected, self.tolerance):
                self.leave_out(name, f"another answer than {first}: {difference}")
                self.bench.failures.append(f"{self.workload} {self.title}: {self.notes[-1]}")
        del expected
        if self.contenders:
            if self.read + self.written:
                self.contenders["floor"] = floor(self.read, self.written, self.bench.threads)
            self.bench.finish(self, measure(self.contenders, self.bench.seconds, self.bench.threads))

    def leave_out(self, name, reason):
        del self.contenders[name]
        self.notes.append(f"{name}: {reason}")


def to_torch(value):
    return lib.torch.from_numpy(value) if isinstance(value, lib.np.ndarray) else value


def flatten(answer):
    """An answer as a list of flat NumPy arrays."""
    if isinstance(answer, (tuple, list)):
        return [array for part in answer for array in flatten(part)]
    if lib.torch is not None and isinstance(answer, lib.torch.Tensor):
        answer = answer.detach()
    return [lib.np.array(answer).reshape(-1)]


def compare(found, expected, tolerance):
    """What differs, in words; None if nothing does. The rule is that of src/answer.rs."""
    np = lib.np
    if len(found) != len(expected):
        return f"{len(found)} arrays instead of {len(expected)}"
    for number, (one, other) in enumerate(zip(found, expected)):
        if one.shape != other.shape:
            return f"array {number}: {one.size} elements instead of {other.size}"
        if other.dtype.kind == "f":
            scale = np.sqrt(np.mean(np.square(other, dtype=np.float64))) if other.size else 0.0
            close = np.abs(one - other) <= tolerance * np.maximum(np.abs(other), scale)
            same = (one == other) | close | (np.isnan(one) & np.isnan(other))
        else:
            same = one == other
        if not same.all():
            place = int(np.argmin(same))
            return f"array {number}: element {place} is {one[place]} instead of {other[place]}"
    return None


def measure(contenders, seconds, threads):
    """Medians of rounds in which each contender runs once, nobody always after the same other."""
    names = list(contenders)
    repetitions = {name: repeat_count(contenders[name]) for name in names}
    samples = {name: [] for name in names}
    start = time.perf_counter()
    for turn in range(MOST_ROUNDS):
        if turn >= FEWEST_ROUNDS and time.perf_counter() - start > seconds:
            break
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            is_slow = samples[name] and samples[name][-1] > seconds / 20
            if turn < FEWEST_ROUNDS or not is_slow:
                if threads > 1:
                    time.sleep(PAUSE)
                samples[name].append(sample(contenders[name], repetitions[name]))
    return {name: summary(times) for name, times in samples.items()}


def sample(run, repetitions):
    start = time.perf_counter()
    for _ in range(repetitions):
        run()
    return (time.perf_counter() - start) / repetitions


def repeat_count(run):
    once = sample(run, 1)
    if once >= SHORTEST:
        return 1
    return max(1, min(2500, int(SHORTEST / max(sample(run, 16), 20e-9))))


def summary(times):
    times = sorted(times)
    at = lambda quarters: times[(len(times) - 1) * quarters // 4]
    return {"median": statistics.median(times), "low": at(1), "high": at(3), "rounds": len(times)}


def floor(read, written, threads):
    """Reads and writes so many bytes and does next to nothing else."""
    copied = min(read, written) // 4
    source = lib.np.ones(max(read // 4, 1), lib.np.float32)
    target = lib.np.ones(max(written // 4, 1), lib.np.float32)
    library, fold = lib.np, lib.np.max  # its sum waits for its own additions
    if threads > 1 and lib.torch is not None:  # NumPy has one thread
        library, fold, source, target = lib.torch, lib.torch.sum, to_torch(source), to_torch(target)

    def run():
        if copied:
            library.multiply(source[:copied], 0.5, out=target[:copied])
        if read // 4 > copied:
            fold(source[copied:])
        if written // 4 > copied:
            target[copied:] = 1.0

    return run
