"""Feed the estimators with sparse arrays and fitted attributes that were tampered with.

    python tests/fuzz/fuzz_structure.py --minutes 10

Each attempt ruins some parts of a sparse array, or some attributes of a fitted scaler, and calls a
method. Right is a result that is that of the dense array, or a ValueError or TypeError. Attempts
run in child processes, so that one that ends the interpreter is seen: its seed is printed, and
``--seed`` runs it again. The exit code is 1 if any attempt went wrong.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import pickle
import time
import warnings

import numpy as np
from scipy import sparse

from sknorm import (
    BatchStatScaler,
    L1Normalizer,
    L2Normalizer,
    LayerScaler,
    MaxNormalizer,
    PowerNormScaler,
    SquashingScaler,
)

MAKERS = [sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix]
CHANNEL = [BatchStatScaler, PowerNormScaler]
ALL = [*CHANNEL, SquashingScaler, LayerScaler, L1Normalizer, L2Normalizer, MaxNormalizer]
CHUNK = 200  # attempts of one child process
REFUSED = (ValueError, TypeError)
NUMBERS = [0, 1, -1, 2, 7, 8, 100, 2**15, 2**31 - 1, -(2**31), 2**40]


def estimator(rng):
    """Return one of the estimators, with some of its parameters."""
    cls = ALL[rng.integers(len(ALL))]
    params = {"copy": bool(rng.integers(2)), "n_jobs": [None, 2][rng.integers(2)]}
    if cls is BatchStatScaler:
        params |= {"with_mean": False, "with_std": bool(rng.integers(4))}
    if cls is LayerScaler:
        params |= {"with_mean": False, "n_groups": int(rng.choice([1, 2, 8]))}
    if cls in CHANNEL or cls is LayerScaler:
        params |= {"gamma": [None, 3.0, np.full(8, 2.0)][rng.integers(3)]}
    return cls(**params)


def matrix(rng, dtype):
    """Return a dense array with many zeros, of one of several sizes."""
    rows = int(rng.choice([1, 3, 40, 500]))
    return (rng.normal(size=(rows, 8)) * (rng.random((rows, 8)) < rng.random())).astype(dtype)


def ruin_part(rng, x):
    """Change one of the parts of a sparse array, in place or by assignment."""
    name = ["data", "indices", "indptr", "_shape"][rng.choice(4, p=[0.2, 0.35, 0.35, 0.1])]
    if name == "_shape":
        x._shape = tuple(int(n + rng.integers(-3, 4)) for n in x.shape)
        return
    part = getattr(x, name)
    if not isinstance(part, np.ndarray) or part.dtype.kind not in "iuf":
        return
    kind = rng.integers(6)
    if kind < 3 and part.size and part.flags.writeable and name != "data":
        near = int(rng.integers(-2, max(0, int(part.max())) + 3))
        value = near if kind else NUMBERS[rng.integers(len(NUMBERS))]
        part[rng.integers(part.size)] = np.array(value).astype(part.dtype)
    elif kind == 3:
        setattr(x, name, part[: rng.integers(part.size + 1)])
    elif kind == 4:
        setattr(x, name, part.astype(rng.choice(["i2", "u4", "i8", ">i4", "f4", ">f8", "O", "U"])))
    else:
        shapes = [part[:, None], np.repeat(part, 2)[::2], np.r_[part, part], part[::-1], list(part)]
        setattr(x, name, shapes[rng.integers(len(shapes))])


def ruin_attribute(rng, scaler):
    """Change one of the learned attributes."""
    names = [name for name in vars(scaler) if name.endswith("_") or name == "_moments"]
    name = names[rng.integers(len(names))]
    length = int(rng.choice([0, 1, 3, 7, 8, 9, 1000]))
    values = [
        np.ones(length),
        np.ones((8, length)),
        np.ones(length, rng.choice(["f4", ">f8", "i8", "O", "?", "c16"])),
        np.ones(2 * length)[::2],
        np.full(length, rng.choice([0.0, -1.0, np.nan, np.inf, 1e308, 5e-324])),
        rng.choice([None, 3, "text", 2.5]),
        [1.0] * length,
    ]
    setattr(scaler, name, values[rng.integers(len(values))])


def dense(z):
    """Return an array as dense."""
    return z.toarray() if sparse.issparse(z) else np.asarray(z)


def is_intact(x):
    """Tell whether the parts describe an array (scipy's own check leaves out some of it)."""
    parts = data, indices, indptr = x.data, x.indices, x.indptr
    if not all(isinstance(part, np.ndarray) and part.ndim == 1 for part in parts):
        return False
    if indices.dtype.kind not in "iu" or indptr.dtype.kind not in "iu":
        return False
    if min(x.shape) < 1 or not indptr.size:
        return False
    major, minor = x.shape if x.format == "csr" else x.shape[::-1]
    pointers = indptr.astype("i8").tolist()
    stored = indices[: pointers[-1] if pointers else 0].astype("i8").tolist()
    return (
        len(pointers) == major + 1
        and pointers[0] == 0
        and pointers == sorted(pointers)
        and pointers[-1] <= min(indices.size, data.size)
        and all(0 <= index < minor for index in stored)
    )


def plain(x):
    """Return the array that the parts of a well-formed one describe."""
    data = x.data.astype("f4" if x.data.dtype.itemsize == 4 else "f8")
    n = int(x.indptr[-1])
    parts = data[:n], x.indices[:n].astype("i8"), x.indptr.astype("i8")
    copy = type(x)(parts, shape=x.shape)
    copy.sum_duplicates()
    return copy


def attempt(seed):
    """Run one attempt, and return how it ended."""
    rng = np.random.default_rng(seed)
    one, dtype = estimator(rng), rng.choice(["f8", "f4"])
    good = matrix(rng, dtype)
    x = MAKERS[rng.integers(4)](good)
    one.fit(MAKERS[rng.integers(4)](matrix(rng, "f8") + 1.0))
    for _ in range(rng.integers(0, 3)):
        ruin_part(rng, x)
    if rng.integers(2) and is_intact(x):
        x = pickle.loads(pickle.dumps(x))
    tampered = isinstance(one, tuple(CHANNEL)) and rng.integers(2)
    if tampered:
        ruin_attribute(rng, one)
    methods = ["transform", "fit", "partial_fit", "inverse_transform"]
    methods = [name for name in methods if hasattr(one, name)]
    name = methods[rng.integers(len(methods))]
    intact = is_intact(x) and x.data.dtype.kind in "iuf" and x.shape[1] == 8
    reference = None
    if intact and not tampered and name == "transform":
        whole = pickle.loads(pickle.dumps(one)).set_params(copy=True)
        reference = whole.transform(plain(x))
    try:
        result = getattr(one, name)(x)
    except REFUSED:
        return "refused"
    if reference is not None and not np.allclose(
        dense(result), dense(reference), rtol=1e-5, atol=1e-30, equal_nan=True
    ):
        return "WRONG"
    return "done" if intact else "harmless"


def run(seeds, results):
    """Run attempts in this process, telling of each before and after."""
    warnings.simplefilter("ignore")
    for seed in seeds:
        results.send((seed, None))
        try:
            with np.errstate(all="ignore"):
                results.send((seed, attempt(seed)))
        except BaseException as error:
            results.send((seed, f"RAISED {type(error).__name__}: {error}"[:200]))


def chunk(seeds):
    """Run attempts in a child process; return how each ended."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=run, args=(seeds, sender))
    child.start()
    sender.close()
    ends, last = {}, seeds[0]
    while True:
        if not receiver.poll(60):
            child.kill()
            ends[last] = "STUCK for a minute"
            break
        try:
            last, how = receiver.recv()
        except EOFError:
            break
        if how is not None:
            ends[last] = how
    child.join()
    if child.exitcode and last not in ends:
        ends[last] = f"SIGNAL {-child.exitcode}"
    elif child.exitcode and last == seeds[-1]:
        ends[last] = f"SIGNAL {-child.exitcode} at the end"
    return ends


def main():
    """Run attempts for some minutes, or one again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--start", type=int, default=0, help="seed of the first attempt")
    parser.add_argument("--seed", type=int, help="run this one attempt only, in this process")
    given = parser.parse_args()
    if given.seed is not None:
        print(attempt(given.seed))
        return 0
    counts, bad = collections.Counter(), {}
    first, end = given.start, time.monotonic() + 60 * given.minutes
    while time.monotonic() < end:
        ends = chunk(range(first, first + CHUNK))
        counts.update(how.split()[0] for how in ends.values())
        bad |= {seed: how for seed, how in ends.items() if how.split()[0].isupper()}
        first += CHUNK
    print(f"{sum(counts.values())} attempts from seed {given.start}: {dict(counts)}")
    for seed, how in list(bad.items())[:50]:
        print(f"--seed {seed}: {how}")
    return int(bool(bad))


if __name__ == "__main__":
    raise SystemExit(main())
