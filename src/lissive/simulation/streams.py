"""Random numbers keyed by (seed, subject, purpose).

Each purpose has its own stream, and subject s takes the number at place s. So a subject draws the same
whatever the chunk, the thread or the other subjects, and a new purpose disturbs none of the old ones.

>>> first = uniforms(7, "weight", 3)
>>> bool((uniforms(7, "weight", 10)[:3] == first).all())
True
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from lissive.arrays import FloatArray, IntArray


def uniforms(seed: int, purpose: str, subjects: int, first: int = 0) -> FloatArray:
    """(subject,) numbers over 0 and below 1 for subjects `first`, `first` + 1, ..."""
    stream = _stream(seed, purpose)
    block = first // _BLOCK
    stream.advance(block)
    return _unit(stream.random_raw(subjects + first - _BLOCK * block)[first - _BLOCK * block :])


def stretches_of(seed: int, purpose: str, subjects: IntArray, length: int, most: int) -> FloatArray:
    """(subject, place) the first `length` numbers of each subject's own stretch of `most`, a multiple of 4."""
    stream = _stream(seed, purpose)
    raw = np.empty((len(subjects), length), np.uint64)
    here = 0
    for row, subject in zip(raw, subjects.tolist(), strict=True):
        begin = subject * most // _BLOCK
        stream.advance(begin - here)
        row[:] = stream.random_raw(length)
        here = begin - (-length // _BLOCK)
    return _unit(raw)


_BLOCK = 4
"""Numbers that Philox makes at once."""


def _stream(seed: int, purpose: str) -> np.random.Philox:
    key = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:16]
    return np.random.Philox(key=np.frombuffer(key, dtype=np.uint64))


def _unit(raw: npt.NDArray[np.uint64]) -> FloatArray:
    return ((raw >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52


def normals(seed: int, purpose: str, subjects: int, first: int = 0) -> FloatArray:
    """(subject,) standard normal numbers, by inversion, so that each takes one place of the stream."""
    from scipy.special import ndtri

    drawn: FloatArray = ndtri(uniforms(seed, purpose, subjects, first))
    return drawn


def even(u: FloatArray) -> FloatArray:
    """The same numbers moved to the middles of equal parts of 0 to 1: a Latin hypercube, one variable at a time.

    Means over few subjects then hardly depend on the draw; a subject's number depends on who else is drawn.

    >>> even(np.array([0.9, 0.2, 0.3, 0.1])).tolist()
    [0.875, 0.375, 0.625, 0.125]
    """
    ranks = np.argsort(np.argsort(u, kind="stable"), kind="stable")
    result: FloatArray = (ranks + 0.5) / len(u)
    return result
