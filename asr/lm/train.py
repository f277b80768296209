"""Training of an n-gram language model on text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asr.errors import LanguageModelError
from asr.lm.counts import count_ngrams
from asr.lm.kneser_ney import Ngrams, smooth
from asr.lm.model import NgramModel, file_size
from asr.lm.prune import prune, threshold_for
from asr.lm.spelling import Spelling
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
    threshold: float = 0.0,
    size: int | None = None,
) -> NgramModel:
    """Train a model on ``texts``: count n-grams and smooth by interpolated modified Kneser-Ney.

    Args:
        texts: normalised sentences, one a line, their words separated by spaces.
        order: words of the longest n-gram, 1 to 9.
        vocabulary_size: so many words, the most frequent, are kept; all others count as <unk>.
        min_count: words that occur less often count as <unk>.
        cutoffs: n-grams that occur at most so often are left out, by order; the last number holds for all higher
            orders. ``(0, 0, 1)`` leaves out 3-grams and longer n-grams that occur once.
        threshold: n-grams are pruned if their loss changes the perplexity by less than this fraction, such as 1e-8.
        size: largest size in bytes of the file that ``save`` writes; the threshold is raised until the model fits.

    Raises:
        LanguageModelError: the text has no words or contains <s>, the order or the cut-offs are not possible, or the
            words alone need more than ``size``.

    >>> model = train_ngram(["THE CAT SAT", "THE CAT RAN", "A DOG RAN"], order=2)
    >>> log_probs, states = model.score([model.start] * 2, model.word_ids(["THE", "RAN"]))
    >>> bool(log_probs[0] > log_probs[1])
    True
    """
    if not 1 <= order <= HIGHEST_ORDER:
        raise LanguageModelError(f"the order must be 1 to {HIGHEST_ORDER}, got {order}")
    tokens = tokenise(texts, vocabulary_size=vocabulary_size, min_count=min_count)
    ngrams = smooth(count_ngrams(tokens, order), tokens.sentence_start, cutoffs)
    if size is not None:
        threshold = max(threshold, _threshold_for(ngrams, tokens.words, size))
    tables = prune(ngrams, threshold) if threshold > 0 else [one.table() for one in ngrams]
    return NgramModel.from_tables(BackoffModel(tokens.words, tables))


def _threshold_for(ngrams: Sequence[Ngrams], words: Sequence[str], size: int) -> float:
    spelling = Spelling.of_words(words)
    least = file_size([len(ngrams[0]), *[0] * (len(ngrams) - 1)], spelling)
    if least > size:
        raise LanguageModelError(
            f"{len(words):,} words alone take {least:,} bytes, but only {size:,} are allowed; keep fewer words"
        )
    return threshold_for(ngrams, lambda counts: file_size(counts, spelling) <= size)
