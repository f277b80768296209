"""Shared code of the cells' compiled time loops: the compiler's settings, tanh and the logistic function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a loop over float32 arrays with numba; it is cached on disk and runs without Python's lock (GIL)."""
    return cast(_Function, njit(fastmath=True, nogil=True, cache=True, error_model="numpy")(function))


# tanh is computed as x·P(x²)/Q(x²) with the coefficients of Eigen's float32 approximation. The error is below 3e-7
# everywhere, and unlike a call of the C library it compiles to vector instructions.
_P = tuple(
    np.float32(c)
    for c in (
        4.89352455891786e-03,
        6.37261928875436e-04,
        1.48572235717979e-05,
        5.12229709037114e-08,
        -8.60467152213735e-11,
        2.00018790482477e-13,
        -2.76076847742355e-16,
    )
)
_Q = tuple(
    np.float32(c) for c in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
)
ONE, _HALF, _CLIP = np.float32(1), np.float32(0.5), np.float32(7.9)


@compiled
def tanh(x: Any) -> Any:
    """Return tanh of a float32 with an error below 3e-7."""
    x = min(max(x, -_CLIP), _CLIP)
    q = x * x
    p = _P[0] + q * (_P[1] + q * (_P[2] + q * (_P[3] + q * (_P[4] + q * (_P[5] + q * _P[6])))))
    return x * p / (_Q[0] + q * (_Q[1] + q * (_Q[2] + q * _Q[3])))


@compiled
def sigmoid(x: Any) -> Any:
    """Return the logistic function of a float32."""
    return _HALF + _HALF * tanh(_HALF * x)
