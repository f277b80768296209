"""Text → a language model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asr.errors import LanguageModelError
from asr.lm.counts import count_ngrams
from asr.lm.kneser_ney import smooth
from asr.lm.model import NgramModel
from asr.lm.tables import BackoffModel
from asr.lm.tokens import tokenise

HIGHEST_ORDER = 9


def train_ngram(
    texts: Iterable[str],
    order: int = 3,
    *,
    vocabulary_size: int | None = None,
    min_count: int = 1,
    cutoffs: Sequence[int] = (),
) -> NgramModel:
    """Count ``texts`` and smooth the counts by interpolated modified Kneser-Ney.

    Args:
        texts: normalised; each is a sentence, or several, one a line, words parted by spaces.
        order: words of the longest n-gram, 1 to 9.
        vocabulary_size: only so many words, the most frequent; others are counted as <unk>.
        min_count: words that occur less often are counted as <unk>.
        cutoffs: n-grams that occur so often or less are left out, by order: ``(0, 0, 1)`` leaves out 3-grams that
            occur once, and longer ones, for the last figure goes on.

    Raises:
        LanguageModelError: no words, an order or cut-offs that cannot be, or <s> in the text.

    >>> model = train_ngram(["THE CAT SAT", "THE CAT RAN", "A DOG RAN"], order=2)
    >>> log_probs, states = model.score([model.start] * 2, model.word_ids(["THE", "RAN"]))
    >>> bool(log_probs[0] > log_probs[1])
    True
    """
    if not 1 <= order <= HIGHEST_ORDER:
        raise LanguageModelError(f"the order must be 1 to {HIGHEST_ORDER}, got {order}")
    tokens = tokenise(texts, vocabulary_size=vocabulary_size, min_count=min_count)
    ngrams = smooth(count_ngrams(tokens, order), tokens.sentence_start, cutoffs)
    return NgramModel.from_tables(BackoffModel(tokens.words, [one.table() for one in ngrams]))
