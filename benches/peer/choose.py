"""Choices, whose shape stays: `where(mask, a, b)` and masked assignment."""

from peer.case import Case
from peer.data import mask as random_mask
from peer.data import random, share, side, signed, threshold
from peer.libraries import jnp, np, tf, torch


def branches(bench, size, density):
    """W3"""
    x, low = signed(random(3), size), float(threshold(density))
    case = Case(bench, "W3", "where(x > t, 2x, x/2 - 1)", size, density, read=4 * size, written=4 * size)
    case.numpy(lambda x: np.where(x > low, 2 * x, x / 2 - 1), x)
    case.torch(lambda x: torch.where(x > low, 2 * x, x / 2 - 1), x)
    case.tensorflow(lambda x: tf.where(x > low, 2 * x, x / 2 - 1), x)
    case.jax(lambda x: jnp.where(x > low, 2 * x, x / 2 - 1), x)
    case.run()


def pictures_and_mask(size, density):
    count, width, generator = share(64, size), side(512, size), random(4)
    pictures = signed(generator, (count, 3, width, width))
    return pictures, random_mask(generator, (count, 1, width, width), density)


def masked_pictures(bench, size, density):
    """W4"""
    image, mask = pictures_and_mask(size, density)
    title, read = "image (64,3,512,512) * mask (64,1,512,512)", image.nbytes + mask.nbytes
    case = Case(bench, "W4", title, image.size, density, read=read, written=image.nbytes)
    case.numpy(lambda image, mask: image * mask, image, mask)
    case.torch(lambda image, mask: image * mask, image, mask)
    case.tensorflow(lambda image, mask: image * tf.cast(mask, tf.float32), image, mask)
    case.jax(lambda image, mask: image * mask, image, mask)
    case.run()


def filled_pictures(bench, size, density):
    """W4"""
    image, mask = pictures_and_mask(size, density)
    title, read = "where(mask (64,1,512,512), image, 0.5)", image.nbytes + mask.nbytes
    case = Case(bench, "W4", title, image.size, density, read=read, written=image.nbytes)
    case.numpy(lambda image, mask: np.where(mask, image, np.float32(0.5)), image, mask)
    case.torch(lambda image, mask: torch.where(mask, image, 0.5), image, mask)
    case.tensorflow(lambda image, mask: tf.where(mask, image, 0.5), image, mask)
    case.jax(lambda image, mask: jnp.where(mask, image, 0.5), image, mask)
    case.run()


def assigned(bench, size, density):
    """W10: in place where that is the idiom, a new array where arrays do not change."""
    generator = random(10)
    dest, src = signed(generator, size), signed(generator, size)
    mask = random_mask(generator, size, density)
    case = Case(bench, "W10", "dest[c] = src[c]", size, density, read=9 * size, written=4 * size)

    def in_place(dest, src, mask):
        dest[mask] = src[mask]
        return dest

    def copied(dest, src, mask):
        np.copyto(dest, src, where=mask)
        return dest

    changed, changed_too = dest.copy(), dest.copy()
    case.add("numpy in place", lambda: in_place(changed, src, mask))
    case.add("numpy copyto", lambda: copied(changed_too, src, mask))
    case.numpy(lambda dest, src, mask: np.where(mask, src, dest), dest, src, mask)
    if torch is not None:
        tensors = [torch.from_numpy(array) for array in (dest.copy(), src, mask)]
        case.add("torch in place", lambda: in_place(*tensors))
    case.torch(lambda dest, src, mask: torch.where(mask, src, dest), dest, src, mask)
    case.tensorflow(lambda dest, src, mask: tf.where(mask, src, dest), dest, src, mask)
    case.jax(lambda dest, src, mask: jnp.where(mask, src, dest), dest, src, mask)
    case.run()


def functions(bench, size, density):
    """W11"""
    x = np.float32(3) * (signed(random(11), size) - threshold(density))
    title = "where(x>0, exp(-x)*tanh(x)+ln_1p(x), sigmoid(x))"
    case = Case(bench, "W11", title, size, density, read=4 * size, written=4 * size)

    def with_numpy(x):
        with np.errstate(all="ignore"):  # the branch that is not taken
            return np.where(x > 0, np.exp(-x) * np.tanh(x) + np.log1p(x), 1 / (1 + np.exp(-x)))

    def with_jax(x):
        from jax.nn import sigmoid

        return jnp.where(x > 0, jnp.exp(-x) * jnp.tanh(x) + jnp.log1p(x), sigmoid(x))

    case.numpy(with_numpy, x)
    case.torch(
        lambda x: torch.where(x > 0, torch.exp(-x) * torch.tanh(x) + torch.log1p(x), torch.sigmoid(x)), x
    )
    case.tensorflow(lambda x: tf.where(x > 0, tf.exp(-x) * tf.tanh(x) + tf.math.log1p(x), tf.sigmoid(x)), x)
    case.jax(with_jax, x)
    case.run()
