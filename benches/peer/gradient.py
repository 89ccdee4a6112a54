"""W9: a masked loss with its gradients."""

from peer.case import Case
from peer.data import mask as random_mask
from peer.data import random, signed
from peer.libraries import jax, jnp, np, tf, torch

A, B = np.float32(1.5), np.float32(-0.25)


def by_hand(x, y, mask):
    """What a user without autodiff writes."""
    count = np.float32(mask.sum())
    residual = np.where(mask, A * x + B - y, np.float32(0))
    slope = 2 * residual / count
    return [np.square(residual).sum() / count, np.vdot(slope, x), slope.sum(), A * slope]


def torch_loss(a, b, x, y, mask):
    return torch.where(mask, (a * x + b - y) ** 2, 0.0).sum() / mask.sum()


def tensorflow_step(a, b, x, y, mask):
    with tf.GradientTape() as tape:
        tape.watch([a, b, x])
        squares = tf.where(mask, (a * x + b - y) ** 2, 0.0)
        loss = tf.reduce_sum(squares) / tf.cast(tf.math.count_nonzero(mask), tf.float32)
    return [loss, *tape.gradient(loss, [a, b, x])]


def jax_loss(a, b, x, y, mask):
    return jnp.where(mask, (a * x + b - y) ** 2, 0.0).sum() / mask.sum()


def masked_loss(bench, size, density):
    generator = random(9)
    x, y = signed(generator, size), signed(generator, size)
    mask = random_mask(generator, size, density)
    title = "loss of where(m, (a x + b - y)^2, 0), da, db, dx"
    case = Case(bench, "W9", title, size, density, read=9 * size, written=4 * size, tolerance=1e-3)
    case.numpy(by_hand, x, y, mask)
    if torch is not None:
        a, b = torch.tensor(A).requires_grad_(), torch.tensor(B).requires_grad_()
        x_torch = torch.from_numpy(x.copy()).requires_grad_()
        rest = [torch.from_numpy(array) for array in (y, mask)]

        def step(loss_of):
            loss = loss_of(a, b, x_torch, *rest)
            return [loss, *torch.autograd.grad(loss, [a, b, x_torch])]

        compiled = torch.compile(torch_loss, dynamic=False)
        case.add("torch", lambda: step(torch_loss))
        case.add("torch compiled", lambda: step(compiled))
    case.tensorflow(tensorflow_step, A, B, x, y, mask)
    if jax is not None:
        case.jax(jax.value_and_grad(jax_loss, argnums=(0, 1, 2)), A, B, x, y, mask)
    case.run()
