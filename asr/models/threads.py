"""The threads that compiled loops run in: one a core, for recurrent layers and for CTC."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from threadpoolctl import threadpool_limits


@cache
def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def threads() -> ThreadPoolExecutor:
    """One thread a core; numpy's BLAS on one from then on, since its own threads would fight for the same cores."""
    threadpool_limits(1, user_api="blas")
    return ThreadPoolExecutor(cores())
