"""Rows by index, and the gradient of that."""

from peer.case import Case
from peer.data import random, share, signed
from peer.libraries import jnp, np, tf, torch

WIDTH = 64


def gathered_rows(bench, size):
    """W7"""
    rows, picked, generator = share(1_000_000, size), share(200_000, size), random(7)
    table, indices = signed(generator, (rows, WIDTH)), generator.integers(0, rows, picked)
    out = 4 * picked * WIDTH
    title = "x[i], 2e5 rows of (1e6,64)"
    case = Case(bench, "W7", title, table.size, read=out + indices.nbytes, written=out)
    case.numpy(lambda table, indices: table[indices], table, indices)
    case.add("numpy take", lambda: table.take(indices, axis=0))
    case.torch(lambda table, indices: table[indices], table, indices)
    if torch is not None:
        tensors = [torch.from_numpy(array) for array in (table, indices)]
        case.add("torch index_select", lambda: tensors[0].index_select(0, tensors[1]))
    case.tensorflow(lambda table, indices: tf.gather(table, indices), table, indices)
    case.jax(lambda table, indices: table[indices], table, indices)
    case.run()


def scattered_rows(bench, size):
    """W7: the scatter that the gradient consists of, which spares everybody the rest."""
    rows, picked, generator = share(1_000_000, size), share(200_000, size), random(17)
    indices, weights = generator.integers(0, rows, picked), signed(generator, (picked, WIDTH))
    title, written = "gradient of x[i]: scatter_add", 4 * rows * WIDTH
    read = weights.nbytes + indices.nbytes
    case = Case(bench, "W7", title, rows * WIDTH, read=read, written=written)

    def with_numpy(weights, indices):
        gradient = np.zeros((rows, WIDTH), np.float32)
        np.add.at(gradient, indices, weights)
        return gradient

    case.numpy(with_numpy, weights, indices)
    case.torch(
        lambda weights, indices: torch.zeros(rows, WIDTH).index_add(0, indices, weights), weights, indices
    )
    case.tensorflow(
        lambda weights, indices: tf.math.unsorted_segment_sum(weights, indices, rows), weights, indices
    )
    case.jax(lambda weights, indices: jnp.zeros((rows, WIDTH)).at[indices].add(weights), weights, indices)
    case.run()
