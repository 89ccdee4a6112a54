"""The libraries that are installed; the others are None. To be imported after
`use_threads`, since thread pools are made on import."""

import importlib
import os
import sys

np = torch = tf = jax = jnp = None


def use_threads(count):
    """Tells every library, and the system, how many cores there are."""
    for name in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = str(count)
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(count)
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    os.environ["NPROC"] = str(count)  # jax
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["JAX_PLATFORMS"] = "cpu"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def load(wanted, threads):
    """Imports what is wanted and installed; returns versions and what is missing."""
    global np, torch, tf, jax, jnp
    np = importlib.import_module("numpy")
    # torch takes triton if it finds it. On a CPU it is not used, and its LLVM and
    # that of TensorFlow cannot be in one process.
    sys.modules["triton"] = None
    versions, missing = {"numpy": np.__version__}, []
    for name in ("torch", "tensorflow", "jax"):
        if wanted and not any(contender.startswith(name) for contender in wanted):
            continue
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            missing.append(f"{name}: {error}")
            continue
        versions[name] = module.__version__
        if name == "torch":
            torch = module
            torch.set_num_threads(threads)
        elif name == "tensorflow":
            tf = module
        else:
            jax, jnp = module, importlib.import_module("jax.numpy")
    return versions, missing
