"""Selections, whose length is known in the run only: `x[x > t]` and the like.

XLA and jit need lengths before the run, so they are left out, except where the
idiom of their users (`size=`) would be another computation."""

from peer.case import Case
from peer.data import mask as random_mask
from peer.data import random, share, side, signed, threshold
from peer.libraries import jnp, np, tf, torch


def above(bench, size, density):
    """W1"""
    x, low = signed(random(1), size), float(threshold(density))
    kept = int((x > low).sum())
    case = Case(bench, "W1", "x[x > t]", size, density, read=4 * size, written=4 * kept)
    case.numpy(lambda x: x[x > low], x)
    case.torch(lambda x: x[x > low], x)
    case.tensorflow(lambda x: tf.boolean_mask(x, x > low), x, xla=False)
    case.jax(lambda x: x[x > low], x, jit=False)
    case.run()


def between(bench, size, density):
    """W2"""
    x, (low, high) = signed(random(2), size), (-density / 100, density / 100)
    kept = int(((x > low) & (x < high)).sum())
    case = Case(bench, "W2", "(2x + 1)[(x > t) & (x < u)]", size, density, read=4 * size, written=4 * kept)
    idiom = lambda x: (2 * x + 1)[(x > low) & (x < high)]
    case.numpy(idiom, x)
    case.torch(idiom, x)
    case.tensorflow(lambda x: tf.boolean_mask(2 * x + 1, (x > low) & (x < high)), x, xla=False)
    case.jax(idiom, x, jit=False)
    case.run()


def places(bench, size, density):
    """W5"""
    mask = random_mask(random(5), (share(64, size), side(256, size), side(256, size)), density)
    count = int(mask.sum())
    title = "argwhere(m), m of (64, 256, 256)"
    case = Case(bench, "W5", title, mask.size, density, read=mask.size, written=24 * count)
    case.numpy(np.argwhere, mask)
    case.torch(lambda mask: torch.argwhere(mask), mask)
    case.tensorflow(lambda mask: tf.where(mask), mask, xla=False)
    case.jax(lambda mask: jnp.argwhere(mask), mask, jit=False)
    case.run()


def boxes(bench, size, density):
    """W5"""
    grid = (share(64, size), side(128, size), side(128, size))
    boxes = signed(random(6), (*grid, 4))
    scores = signed(random(7), (*grid, 3)) + np.float32(0.8) - threshold(density)
    cells = scores.size // 3
    count = int((scores[..., 0] > 0.8).sum())
    read, written = 12 * cells + 16 * count, 16 * count
    case = Case(bench, "W5", "boxes[scores[..., 0] > 0.8]", cells, density, read=read, written=written)
    idiom = lambda boxes, scores: boxes[scores[..., 0] > 0.8]
    case.numpy(idiom, boxes, scores)
    case.torch(idiom, boxes, scores)
    case.tensorflow(
        lambda boxes, scores: tf.boolean_mask(boxes, scores[..., 0] > 0.8), boxes, scores, xla=False
    )
    case.jax(idiom, boxes, scores, jit=False)
    case.run()
