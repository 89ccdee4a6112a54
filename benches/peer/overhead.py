"""W12: what remains when there is next to nothing to compute."""

from peer.case import Case
from peer.data import random, signed
from peer.libraries import jnp, np, tf, torch


def ten_operations(bench):
    x = signed(random(12), 8)
    case = Case(bench, "W12", "10 operations on 8 elements", 8)

    def ten(where, square, absolute):
        def run(x):
            h = x * 2 + 1
            return absolute(square(where(h > 0.5, h, -h)) * x - 0.5 + x)

        return run

    case.numpy(ten(np.where, np.square, np.abs), x)
    if torch is not None:
        case.torch(ten(torch.where, torch.square, torch.abs), x)
    if tf is not None:
        case.tensorflow(ten(tf.where, tf.square, tf.abs), x)
    if jnp is not None:
        case.jax(ten(jnp.where, jnp.square, jnp.abs), x)
    case.run()
