"""One product of matrices for compiled loops: BLAS' ``sgemm`` by its Fortran interface, which can add to what is there.

The public way to it from numba is scipy's (``scipy.linalg.cython_blas``), and it is used wherever numpy's library does
not have a name known here. numpy's own is taken first since it is the faster build: SciPy 1.17 brings OpenBLAS 0.3.30,
NumPy 2.4 brings 0.3.31, which has better kernels for the few rows of one time step. One core with AVX-512, GFLOP/s,
out (rows, N) += a (rows, K) b (K, N):

    rows, K, N          numpy's   scipy's   np.dot in numba (scipy's, and a second pass to add)
    4, 256, 1024           39        22        21
    16, 256, 1024          91        56        56
    32, 256, 1024         117        86        81
    16, 96, 384           172       166       155

An LSTM of 256 units does one of 16, 256, 1024 a frame and direction forward, and one as large backward: 0.15 ms by the
public way, 0.09 ms by numpy's. Both gave the same bits; nothing breaks where numpy's has another name.
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


def numpys() -> int | None:
    """Return the address of sgemm in the library that numpy brings, None where it has no name known here."""
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        if "numpy" in library.filepath:
            loaded = ctypes.CDLL(library.filepath)
            for name in _NAMES:
                if hasattr(loaded, name):
                    return ctypes.cast(getattr(loaded, name), ctypes.c_void_p).value
    return None


def scipys() -> int:
    """Return the address of sgemm in scipy's public interface for compiled code."""
    address: int = get_cython_function_address(scipy.linalg.cython_blas.__name__, "sgemm")
    return address


llvmlite.binding.add_symbol("asr_sgemm", numpys() or scipys())
_sgemm: Any = types.ExternalFunction("asr_sgemm", types.void(*[types.uintp] * 13))
_AS_IT_IS, _ONE, _ZERO = np.frombuffer(b"N", np.uint8), np.ones(1, np.float32), np.zeros(1, np.float32)


@njit(nogil=True, cache=True)
def multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray, add: bool) -> None:
    """Make ``out`` (M, N) ``a`` (M, K) times ``b`` (K, N), or plus that with ``add``; all float32, in C's order.

    Fortran reads each of the three transposed, so it is outᵀ = bᵀ aᵀ for it.
    """
    sizes = np.array([b.shape[1], a.shape[0], b.shape[0]], np.int64)
    n, m, k = sizes[0:].ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data
    plain, one = _AS_IT_IS.ctypes.data, _ONE.ctypes.data
    kept = one if add else _ZERO.ctypes.data
    _sgemm(plain, plain, n, m, k, one, b.ctypes.data, n, a.ctypes.data, k, kept, out.ctypes.data, n)
