"""A matrix product for compiled loops: BLAS' ``sgemm`` by its Fortran interface, which can also add to its output.

The public way to call it from numba is scipy's (``scipy.linalg.cython_blas``). It is used where numpy's BLAS library
has none of the names known here. numpy's own library is tried first because it is faster: SciPy 1.17 contains OpenBLAS
0.3.30, and NumPy 2.4 contains 0.3.31, which has better kernels for the few rows of one time step. GFLOP/s on one core
with AVX-512 for out (rows, N) += a (rows, K) b (K, N):

    rows, K, N          numpy's   scipy's   np.dot in numba (scipy's, and a second pass to add)
    4, 256, 1024           39        22        21
    16, 256, 1024          91        56        56
    32, 256, 1024         117        86        81
    16, 96, 384           172       166       155

An LSTM of 256 units computes one product of 16, 256, 1024 for each frame and direction in the forward pass, and one of
the same size in the backward pass: 0.15 ms with scipy's library, 0.09 ms with numpy's. Both gave the same bits. Where
numpy's function has another name, scipy's is used.
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
"""Names of sgemm in builds of numpy. Sizes are passed as 64 bits; a little-endian machine may read 32 of them."""


def numpys() -> int | None:
    """Return the address of sgemm in numpy's own BLAS library; None where it has none of the names known here."""
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
    """Multiply ``a`` (M, K) by ``b`` (K, N) into ``out`` (M, N), or add the product to ``out`` with ``add``.

    All arrays are float32 in C order. Fortran reads each of the three transposed, so it computes outᵀ = bᵀ aᵀ.
    """
    sizes = np.array([b.shape[1], a.shape[0], b.shape[0]], np.int64)
    n, m, k = sizes[0:].ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data
    plain, one = _AS_IT_IS.ctypes.data, _ONE.ctypes.data
    kept = one if add else _ZERO.ctypes.data
    _sgemm(plain, plain, n, m, k, one, b.ctypes.data, n, a.ctypes.data, k, kept, out.ctypes.data, n)
