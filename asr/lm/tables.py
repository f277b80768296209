"""The n-grams of a back-off model, one table an order.

An n-gram is its context, which is a row of the table one order lower, and its last word; rows are sorted by these
two, so that the rows of a table are in the order of their words from first to last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNKNOWN = 0
"""The word id of <unk>, everywhere in this project."""


@dataclass(frozen=True)
class Table:
    """N-grams of one order; of order 1, a row for each word id, and the context of all is the empty one.

    ``contexts`` (n,) int64 are rows of the table one order lower, ``words`` (n,) int32; ``log_probs`` (n,) and
    ``backoffs`` (n,) are natural logarithms, a back-off weight being 0 where no n-gram continues the row.
    """

    contexts: np.ndarray
    words: np.ndarray
    log_probs: np.ndarray
    backoffs: np.ndarray

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class BackoffModel:
    """A model as ARPA files have it: ``words`` in code point order after <unk>, and tables of orders 1 to N.

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
