"""The threads that run compiled loops, one for each core; recurrent layers and CTC use them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from threadpoolctl import threadpool_limits


@cache
def cores() -> int:
    """Count the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def threads() -> ThreadPoolExecutor:
    """Start one thread for each core, at the first call only.

    From then on numpy's BLAS uses one thread, because its own threads would compete for the same cores.
    """
    threadpool_limits(1, user_api="blas")
    return ThreadPoolExecutor(cores())
