"""The product of matrices that compiled loops call, by numpy's BLAS and by scipy's."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest

from asr.models import blas

M, N, K = 5, 70, 33


@pytest.mark.parametrize("add", [False, True])
def test_multiply_is_numpys_product(add: bool) -> None:
    rng = np.random.default_rng(0)
    a, b, out = (rng.normal(size=shape).astype(np.float32) for shape in ((M, K), (K, N), (M, N)))
    wanted = a @ b + add * out
    blas.multiply(a, b, out, add)
    np.testing.assert_allclose(out, wanted, atol=1e-5)


@pytest.mark.skipif(sys.platform != "linux", reason="numpy brings OpenBLAS on Linux; elsewhere the system's may do")
def test_numpys_library_has_a_name_known_here() -> None:
    assert blas.numpys()


@pytest.mark.parametrize("find", [blas.numpys, blas.scipys])
def test_both_addresses_are_sgemm(find) -> None:
    """By Fortran's interface: all by address, columns first."""
    rng = np.random.default_rng(0)
    a, b, out = (np.asfortranarray(rng.normal(size=shape), np.float32) for shape in ((M, K), (K, N), (M, N)))
    m, n, k = (np.array([size], np.int64) for size in (M, N, K))
    plain, one, zero = np.frombuffer(b"N", np.uint8), np.ones(1, np.float32), np.zeros(1, np.float32)
    arguments = (plain, plain, m, n, k, one, a, m, b, k, zero, out, m)
    sgemm = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(find())
    sgemm(*(x.ctypes.data for x in arguments))
    np.testing.assert_allclose(out, a @ b, atol=1e-5)
