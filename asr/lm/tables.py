"""The n-grams of a back-off model, with one table for each order.

An n-gram is stored as its context, a row of the table one order lower, and its last word. Rows are sorted by these two,
so that n-grams stand in the order of their words, the first word first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNKNOWN = 0
"""The word id of <unk>, everywhere in this project."""


@dataclass(frozen=True)
class Table:
    """The n-grams of one order; order 1 has a row for each word id, all with the empty context.

    ``contexts`` (n,) int64 are rows of the table one order lower, ``words`` (n,) int32; ``log_probs`` (n,) and
    ``backoffs`` (n,) are natural logarithms; a back-off weight is 0 where no longer n-gram begins with the row.
    """

    contexts: np.ndarray
    words: np.ndarray
    log_probs: np.ndarray
    backoffs: np.ndarray

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class BackoffModel:
    """A back-off model, as in ARPA files: ``words`` in the order of their code points, and tables of orders 1 to N.

    Word id 0 is <unk>, 1 to n are ``words``, n + 1 is <s> and n + 2 is </s>.
    """

    words: Sequence[str]
    tables: Sequence[Table]

    @property
    def sentence_start(self) -> int:
        """The word id of <s>."""
        return len(self.words) + 1

    @property
    def sentence_end(self) -> int:
        """The word id of </s>."""
        return len(self.words) + 2
