"""Names for the values of TensorFlow and Keras, whose types cannot be checked, because neither package ships any."""

from __future__ import annotations

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A tensor; docstrings give its axes."""

Variable: TypeAlias = Any
"""A variable of Keras or TensorFlow."""
