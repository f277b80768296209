"""One product of matrices for compiled loops, by the BLAS that numpy brings.

numba's ``np.dot`` calls scipy's BLAS, which for the few rows of one time step was half as fast as numpy's (16 rows,
256 units: 34 GFLOP/s against 60 on an AVX2 core), and cannot add to what is there. So the loops call ``sgemm``
themselves, by its Fortran interface: numpy's where its name is known, scipy's otherwise.
"""

from __future__ import annotations

import ctypes
from typing import Any

import llvmlite.binding
import numpy as np
import scipy.linalg.cython_blas
from numba import njit, types
from numba.extending import get_cython_function_address
from threadpoolctl import ThreadpoolController

_NAMES = ("scipy_sgemm_64_", "sgemm_64_", "scipy_sgemm_", "sgemm_")
"""What builds of numpy call it. Sizes are passed as 64 bits: in a little-endian machine 32 of them read the same."""


def _address() -> int:
    """Where sgemm is."""
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        if "numpy" in library.filepath:
            loaded = ctypes.CDLL(library.filepath)
            for name in _NAMES:
                if hasattr(loaded, name):
                    return ctypes.cast(getattr(loaded, name), ctypes.c_void_p).value or 0
    return get_cython_function_address(scipy.linalg.cython_blas.__name__, "sgemm")


llvmlite.binding.add_symbol("asr_sgemm", _address())
_sgemm: Any = types.ExternalFunction("asr_sgemm", types.void(*[types.uintp] * 13))
_AS_IT_IS, _ONE, _ZERO = np.frombuffer(b"N", np.uint8), np.ones(1, np.float32), np.zeros(1, np.float32)


@njit(nogil=True, cache=True)
def multiply(a, b, out, add):
    """``out`` (M, N) = ``a`` (M, K) times ``b`` (K, N), or plus that with ``add``; all float32, in C's order.

    Fortran reads each of the three transposed, so it is outᵀ = bᵀ aᵀ for it.
    """
    sizes = np.array([b.shape[1], a.shape[0], b.shape[0]], np.int64)
    n, m, k = sizes[0:].ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data
    plain, one = _AS_IT_IS.ctypes.data, _ONE.ctypes.data
    kept = one if add else _ZERO.ctypes.data
    _sgemm(plain, plain, n, m, k, one, b.ctypes.data, n, a.ctypes.data, k, kept, out.ctypes.data, n)
