"""Inputs of the same shapes and distributions as in src/data.rs."""

import numpy as np

LARGEST = 16_000_000


def random(seed):
    return np.random.default_rng(seed)


def signed(generator, shape):
    """float32, uniform in -1..1."""
    return generator.random(shape, dtype=np.float32) * np.float32(2) - np.float32(1)


def mask(generator, shape, density):
    """True with a probability of `density` per cent."""
    return generator.random(shape, dtype=np.float32) < density / 100


def threshold(density):
    """Above which `density` per cent of numbers uniform in -1..1 lie."""
    return np.float32(1 - 2 * density / 100)


def share(full, size):
    """The fraction of `full` that `size` is of the largest size, and at least 1."""
    return max(1, full * min(size, LARGEST) // LARGEST)


def side(full, size):
    return 16 if size < 100_000 else full
