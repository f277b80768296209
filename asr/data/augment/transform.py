"""The type of a transform of features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Transform = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""A function of normalised features (T, F) and a random generator that returns features (T', F)."""
