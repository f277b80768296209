"""What a transform of features is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Transform = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Normalised features (T, F) and a generator of its draws → (T', F)."""
