"""Text → a language model."""

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
    """Count ``texts`` and smooth the counts by interpolated modified Kneser-Ney.

    Args:
        texts: normalised; each is a sentence, or several, one a line, words parted by spaces.
        order: words of the longest n-gram, 1 to 9.
        vocabulary_size: only so many words, the most frequent; others are counted as <unk>.
        min_count: words that occur less often are counted as <unk>.
        cutoffs: n-grams that occur so often or less are left out, by order: ``(0, 0, 1)`` leaves out 3-grams that
            occur once, and longer ones, for the last figure goes on.
        threshold: n-grams whose loss changes the perplexity by a smaller share are left out, such as 1e-8.
        size: bytes that the file of ``save`` may have; the threshold is raised until it fits.

    Raises:
        LanguageModelError: no words, an order or cut-offs that cannot be, <s> in the text, or a size that the words
            alone exceed.

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
            f"{len(words):,} words alone take {least:,} bytes, and {size:,} are allowed; keep fewer"
        )
    return threshold_for(ngrams, lambda counts: file_size(counts, spelling) <= size)
