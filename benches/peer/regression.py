"""W18: a regression of a few parameters, as it is written for data with gaps and outliers.
JAX is not among them: it computes in f32 unless the whole process is set to f64."""

from peer.case import Case
from peer.data import mask as random_mask
from peer.data import random, signed
from peer.libraries import np, torch

ROWS, PARAMETERS, DELTA, RATE = 2284, 4, 0.5, 0.1


def huber_step(bench):
    generator = random(18)
    x = signed(generator, (ROWS, PARAMETERS)).astype(np.float64)
    valid = random_mask(generator, ROWS, 97)
    y = np.where(valid, signed(generator, ROWS), np.nan)
    case = Case(bench, "W18", "masked Huber step, f64 (2284,4)", x.size)
    case.checked_runs = 4
    case.add("numpy", numpy_step(x, y, valid))
    if torch is not None:
        case.add("torch", torch_step(torch_loss, x, y, valid))
        case.add("torch compiled", torch_step(torch.compile(torch_loss, dynamic=False), x, y, valid))
    case.run()


def numpy_step(x, y, valid):
    """What a user without autodiff writes."""
    w = np.zeros(PARAMETERS)

    def step():
        nonlocal w
        residual = np.where(valid, x @ w - y, 0.0)
        slope = np.where(np.abs(residual) <= DELTA, residual, DELTA * np.sign(residual))
        gradient = x.T @ slope / np.count_nonzero(valid)
        w = w - RATE * gradient
        return gradient, w

    return step


def torch_loss(w, x, y, valid):
    fit = x @ w
    losses = torch.nn.functional.huber_loss(fit, torch.where(valid, y, fit.detach()), reduction="none", delta=DELTA)
    return losses.sum() / valid.sum()


def torch_step(loss_of, *data):
    w = torch.zeros(PARAMETERS, dtype=torch.float64, requires_grad=True)
    data = [torch.from_numpy(value) for value in data]

    def step():
        (gradient,) = torch.autograd.grad(loss_of(w, *data), w)
        with torch.no_grad():
            w.sub_(RATE * gradient)
        return gradient, w.detach().clone()

    return step
