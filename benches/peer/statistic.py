"""Reductions under a mask: means, softmax, the accuracy of one class."""

from peer.case import Case
from peer.data import mask as random_mask
from peer.data import random, share, signed
from peer.libraries import jax, jnp, np, tf, torch


def masked_mean(bench, size, density):
    """W6"""
    generator = random(6)
    x, mask = signed(generator, size) + np.float32(0.5), random_mask(generator, size, density)
    title = "sum(where(m, x, 0)) / count(m)"
    case = Case(bench, "W6", title, size, density, read=5 * size, tolerance=1e-3)
    case.numpy(lambda x, mask: np.mean(x, where=mask), x, mask)
    case.add("numpy where", lambda: np.where(mask, x, np.float32(0)).sum() / np.float32(mask.sum()))
    case.torch(lambda x, mask: torch.where(mask, x, 0.0).sum() / mask.sum(), x, mask)

    def with_tensorflow(x, mask):
        return tf.reduce_sum(tf.where(mask, x, 0.0)) / tf.cast(tf.math.count_nonzero(mask), tf.float32)

    case.tensorflow(with_tensorflow, x, mask)
    case.jax(lambda x, mask: jnp.where(mask, x, 0.0).sum() / mask.sum(), x, mask)
    case.run()


def masked_softmax(bench, size, density):
    """W6"""
    shape, generator = (share(4096, size), 1024), random(16)
    x, mask = 4 * signed(generator, shape), random_mask(generator, shape, density)
    mask[:, 0] = True  # of rows without any the others make NaN
    title = "softmax(where(m, x, -inf)), (4096,1024)"
    case = Case(bench, "W6", title, x.size, density, read=5 * x.size, written=4 * x.size)

    def with_numpy(x, mask):
        x = np.where(mask, x, np.float32(-np.inf))
        powers = np.exp(x - x.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    case.numpy(with_numpy, x, mask)
    case.torch(lambda x, mask: x.masked_fill(~mask, -torch.inf).softmax(-1), x, mask)
    case.tensorflow(lambda x, mask: tf.nn.softmax(tf.where(mask, x, -np.inf)), x, mask)
    case.jax(lambda x, mask: jax.nn.softmax(jnp.where(mask, x, -jnp.inf)), x, mask)
    case.run()


def class_accuracy(bench, size):
    """W8"""
    rows, wanted, generator = share(1_000_000, size), 3, random(8)
    scores = signed(generator, (rows, 10))
    labels = generator.integers(0, 10, rows)
    title = "argmax(s)[label == 3] == 3, mean, (1e6,10)"
    case = Case(bench, "W8", title, scores.size, read=scores.nbytes + labels.nbytes)

    def selected(scores, labels):
        return (scores[labels == wanted].argmax(1) == wanted).mean()

    def masked(scores, labels):
        is_class = labels == wanted
        return ((scores.argmax(1) == wanted) & is_class).sum() / is_class.sum()

    def with_tensorflow(scores, labels):
        is_class = labels == wanted
        hits = (tf.argmax(scores, 1) == wanted) & is_class
        count = lambda mask: tf.cast(tf.math.count_nonzero(mask), tf.float32)
        return count(hits) / count(is_class)

    case.numpy(lambda scores, labels: np.float32(selected(scores, labels)), scores, labels)
    case.torch(masked, scores, labels)
    if torch is not None:
        tensors = [torch.from_numpy(array) for array in (scores, labels)]
        rows_first = lambda s, l: (s[l == wanted].argmax(1) == wanted).float().mean()
        case.add("torch rows first", lambda: rows_first(*tensors))
    case.tensorflow(with_tensorflow, scores, labels)
    case.jax(masked, scores, labels)
    case.run()
