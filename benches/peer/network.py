"""W13: matrix products: one alone, and the training step of a small network
with a mask of valid rows."""

from peer.case import Case
from peer.data import mask as random_mask
from peer.data import random, signed
from peer.libraries import jax, jnp, np, tf, torch

BATCH, PIXELS, HIDDEN, CLASSES, RATE = 512, 784, 256, 10, np.float32(0.01)


def product(bench):
    generator = random(13)
    a, b = signed(generator, (1024, 1024)), signed(generator, (1024, 1024))
    case = Case(bench, "W13", "matmul (1024,1024)", a.size)
    for library in (case.numpy, case.torch, case.tensorflow, case.jax):
        library(lambda a, b: a @ b, a, b)
    case.run()


def training_step(bench):
    generator = random(14)
    x, labels = signed(generator, (BATCH, PIXELS)), generator.integers(0, CLASSES, BATCH)
    valid = random_mask(generator, BATCH, 90)
    first = np.float32(0.05) * signed(generator, (PIXELS, HIDDEN))
    second = np.float32(0.1) * signed(generator, (HIDDEN, CLASSES))
    start = [first, np.zeros(HIDDEN, np.float32), second, np.zeros(CLASSES, np.float32)]
    title = "training step, 512 rows, 784-256-10, mask"
    case = Case(bench, "W13", title, x.size, tolerance=1e-3)
    case.checked_runs = 4  # the updates decide the losses of later runs
    data = (x, labels, valid)
    case.add("numpy", numpy_step(start, *data))
    if torch is not None:
        case.add("torch", torch_step(torch_loss, start, *data))
        case.add("torch compiled", torch_step(torch.compile(torch_loss, dynamic=False), start, *data))
    if tf is not None:
        case.add("tensorflow", tensorflow_step(start, *data, xla=False))
        case.add("tensorflow xla", tensorflow_step(start, *data, xla=True))
    if jax is not None:
        case.add("jax", jax_step(start, *data))
    case.run()


def numpy_step(start, x, labels, valid):
    """What a user without autodiff writes."""
    w1, b1, w2, b2 = (value.copy() for value in start)

    def step():
        count = np.float32(valid.sum())
        hidden = np.maximum(x @ w1 + b1, 0)
        scores = hidden @ w2 + b2
        scores -= scores.max(1, keepdims=True)
        shares = np.exp(scores)
        shares /= shares.sum(1, keepdims=True)
        rows = np.arange(BATCH)
        loss = -np.log(shares[rows, labels])[valid].sum() / count
        shares[rows, labels] -= 1
        shares *= valid[:, None] / count
        dhidden = (shares @ w2.T) * (hidden > 0)
        for parameter, gradient in (
            (w2, hidden.T @ shares),
            (b2, shares.sum(0)),
            (w1, x.T @ dhidden),
            (b1, dhidden.sum(0)),
        ):
            parameter -= RATE * gradient
        return loss

    return step


def torch_loss(w1, b1, w2, b2, x, labels, valid):
    hidden = torch.relu(x @ w1 + b1)
    losses = torch.nn.functional.cross_entropy(hidden @ w2 + b2, labels, reduction="none")
    return torch.where(valid, losses, 0.0).sum() / valid.sum()


def torch_step(loss_of, start, *data):
    parameters = [torch.from_numpy(value.copy()).requires_grad_() for value in start]
    data = [torch.from_numpy(value) for value in data]
    optimizer = torch.optim.SGD(parameters, lr=float(RATE))

    def step():
        optimizer.zero_grad()
        loss = loss_of(*parameters, *data)
        loss.backward()
        optimizer.step()
        return loss

    return step


def tensorflow_step(start, *data, xla):
    parameters = [tf.Variable(value) for value in start]
    x, labels, valid = (tf.constant(value) for value in data)

    @tf.function(jit_compile=xla)
    def step():
        with tf.GradientTape() as tape:
            w1, b1, w2, b2 = parameters
            hidden = tf.nn.relu(x @ w1 + b1)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, hidden @ w2 + b2)
            count = tf.cast(tf.math.count_nonzero(valid), tf.float32)
            loss = tf.reduce_sum(tf.where(valid, losses, 0.0)) / count
        for parameter, gradient in zip(parameters, tape.gradient(loss, parameters)):
            parameter.assign_sub(RATE * gradient)
        return loss

    return step


def jax_step(start, *data):
    parameters = [jnp.array(value) for value in start]
    data = [jnp.asarray(value) for value in data]

    def loss_of(parameters, x, labels, valid):
        w1, b1, w2, b2 = parameters
        hidden = jax.nn.relu(x @ w1 + b1)
        logs = jax.nn.log_softmax(hidden @ w2 + b2)
        losses = -jnp.take_along_axis(logs, labels[:, None], 1)[:, 0]
        return jnp.where(valid, losses, 0.0).sum() / valid.sum()

    @jax.jit
    def update(parameters, *data):
        loss, gradients = jax.value_and_grad(loss_of)(parameters, *data)
        return loss, [p - RATE * g for p, g in zip(parameters, gradients)]

    def step():
        nonlocal parameters
        loss, parameters = jax.block_until_ready(update(parameters, *data))
        return loss

    return step
