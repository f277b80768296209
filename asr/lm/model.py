"""An n-gram model in a form for queries: it scores many (state, word) pairs at once.

Every n-gram of every order is a node: 0 is the empty context, then come the words in the order of their ids, then the
2-grams, and so on, each order sorted by (node of the context, last word). So the keys ``context * width + word`` of
all nodes above order 1 are one sorted array, and an n-gram is found by one binary search; words need no search.

An n-gram is *continued* if a longer n-gram begins with it. A state is the node of the longest known context that is
continued: a longer context would not change any probability. ``links`` leads from each node below the highest order to
its state without the first word. From a node that is continued, that is where to back off to; for any other node, it
is the node's own state, stored as ``~link`` to tell the two cases apart.

A file holds only what the rest can be computed from: of each node its last word and the number of n-grams that continue
it, and the links of orders 3 to N - 1. With at most 65,535 words (<unk>, <s> and </s> included), an n-gram of the
highest order takes 4 bytes, a 2-gram 8 and any other 12. Probabilities are mapped; keys are computed on opening.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from asr.errors import LanguageModelError
from asr.lm.mapped_file import map_arrays, write_arrays
from asr.lm.spelling import ROOT, Spelling, spells
from asr.lm.tables import BackoffModel, Table

_ARRAYS = ("words", "children", "links", "log_probs", "backoffs", "alphabet", "spelling", "word_of")
_HEADER = 4096
_NOT_SPELLED = 3
"""The words <unk>, <s> and </s>, which are not in the trie."""

_LAST_KEY = np.iinfo(np.int64).max


class NgramModel:
    """An n-gram language model; word ids come from ``word_ids``, and id 0 is <unk>.

    Args:
        counts: numbers of n-grams by order, order 1 first, with <unk>, <s> and </s>.
        keys: (nodes above order 1, plus a last key that none exceeds) int64.
        links: (nodes below the highest order,) int32.
        log_probs: (nodes,) natural logarithms, float16 or float32.
        backoffs: (nodes below the highest order,) natural logarithms of the back-off weights, float16 or float32.
        spelling: the words with ids from 1 on.
    """

    ROOT = ROOT

    def __init__(
        self,
        counts: Sequence[int],
        keys: np.ndarray,
        links: np.ndarray,
        log_probs: np.ndarray,
        backoffs: np.ndarray,
        spelling: Spelling,
    ) -> None:
        self.counts = tuple(counts)
        self.order = len(counts)
        self._keys, self._links, self._log_probs, self._backoffs = keys, links, log_probs, backoffs
        self._spelling = spelling
        self._width = self.counts[0]
        self._first = self._width + 1

    @classmethod
    def open(cls, path: str | Path) -> NgramModel:
        """Open a file that ``save`` wrote: map its probabilities and compute the keys.

        Raises:
            LanguageModelError: the file does not exist, has another format or version, or is cut short or damaged.
        """
        about, arrays = map_arrays(path)
        try:
            counts = [int(count) for count in about["counts"]]
            *columns, alphabet, spelling, word_of = (arrays[name] for name in _ARRAYS)
            whole = _agree(counts, *columns) and spells(alphabet, spelling, word_of, counts[0] - _NOT_SPELLED)
            letters = Spelling(alphabet, spelling, word_of) if whole else None
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as fault:
            raise LanguageModelError(f"{path}: the header is damaged: {fault!r}; make the model again") from fault
        if letters is None:
            raise LanguageModelError(f"{path}: its parts contradict each other; make the model again")
        words, children, links, log_probs, backoffs = columns
        keys = np.full(len(words) + 1, _LAST_KEY)
        keys[:-1] = np.arange(0, len(children) * counts[0], counts[0]).repeat(children)
        keys[:-1] += words
        if not (np.diff(keys) > 0).all():
            raise LanguageModelError(f"{path}: its n-grams are not in order; make the model again")
        lowest = _lowest_links(counts, words, (children > 0) | (backoffs != 0))
        return cls(counts, keys, np.concatenate([lowest, links]), log_probs, backoffs, letters)

    def save(self, path: str | Path) -> None:
        """Write the model to one file, atomically; log-probabilities in half precision, about 3 digits."""
        contexts, words = np.divmod(self._keys[:-1], self._width)
        children = np.bincount(contexts, minlength=len(self._backoffs))
        small = (array.astype(_word_type(self._width)) for array in (words, children))
        links = self._links[1 + sum(self.counts[:2]) :]
        halves = (array.astype(np.float16) for array in (self._log_probs, self._backoffs))
        letters = (self._spelling.alphabet, self._spelling.keys, self._spelling.word_of)
        arrays = dict(zip(_ARRAYS, (*small, links, *halves, *letters), strict=True))
        write_arrays(path, {"counts": self.counts}, arrays)

    def __len__(self) -> int:
        """Return the number of words in the vocabulary, with <unk> but without <s> and </s>."""
        return self._width - 2

    @property
    def sentence_end(self) -> int:
        """The word id of </s>, which ``word_ids`` never returns."""
        return self._width - 1

    @cached_property
    def words(self) -> list[str]:
        """The words with ids from 1 on, in order."""
        return list(self._spelling.words())

    @cached_property
    def start(self) -> int:
        """The state at the start of a sentence, after <s>."""
        return int(self._states_after(np.array([self._width - 1]), np.array([self._width - 2]))[0])

    def word_ids(self, words: Sequence[str]) -> np.ndarray:
        """Return the ids (n,) int32 of ``words``; words outside the vocabulary have id 0."""
        return self._spelling.find(words) + np.int32(1)

    def score(self, states: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return natural log p(word | state) (n,) float32, and the states (n,) int64 after the words.

        Args:
            states: (n,) int64, from ``start`` or an earlier ``score``.
            words: (n,) int32 ids.
        """
        nodes, total = self._find(np.asarray(states, np.int64), words)
        total += self._log_probs.take(nodes)
        return total, self._states_after(nodes, words)

    def _states_after(self, nodes: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Return the states (n,) int64 after the n-grams ``nodes``, which end in ``words``.

        A node that is continued is its own state. N-grams of the highest order never are: their first word is dropped.
        """
        longest = (nodes >= len(self._links)).nonzero()[0]
        if longest.size:
            contexts = self._keys.take(nodes[longest] - self._first) // self._width
            nodes = nodes.copy()
            nodes[longest] = self._find(self._links.take(contexts).astype(np.int64), words[longest])[0]
        return _as_states(self._links, nodes)

    def _find(self, states: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the node (n,) of the longest known n-gram that ends in each word, and the back-off weights (n,)."""
        nodes = words + np.int64(1)
        total = np.zeros(len(nodes), np.float32)
        rows = states.nonzero()[0]
        states = states[rows]
        wanted_words = words[rows]
        # A state of another model could loop for ever; a state of this one backs off at most order - 1 times.
        for _ in range(self.order - 1):
            if not rows.size:
                break
            wanted = states * self._width + wanted_words
            at = self._keys.searchsorted(wanted)
            missing = self._keys.take(at) != wanted
            nodes[rows] = np.where(missing, nodes[rows], at + self._first)
            rows, states = rows[missing], states[missing]
            total[rows] += self._backoffs.take(states)
            states = self._links.take(states)
            longer = states != ROOT
            rows, wanted_words, states = rows[longer], wanted_words[missing][longer], states[longer].astype(np.int64)
        return nodes, total

    def score_end(self, states: np.ndarray) -> np.ndarray:
        """Return natural log p(</s> | state) (n,) float32 of the states (n,) int64."""
        return self.score(states, np.full(len(states), self.sentence_end, np.int32))[0]

    def spell(self, nodes: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Take a step in the trie of the words: return the child (n,) int64 of each node (n,) by a code point (n,).

        A word begins at ``ROOT``. The child is -1 where no word continues so; the child of -1 is -1.
        """
        return self._spelling.spell(nodes, characters)

    def word_at(self, nodes: np.ndarray) -> np.ndarray:
        """Return the id (n,) int32 of the word that ends at each node (n,) of the trie, -1 where none ends."""
        found = self._spelling.word_at(nodes)
        return found + (found >= 0)

    def sentence_log_prob(self, words: Sequence[str]) -> float:
        """Return the natural log-probability of the sentence ``words``, between <s> and </s>."""
        states, total = np.array([self.start]), 0.0
        for word in [*self.word_ids(words), self.sentence_end]:
            log_probs, states = self.score(states, np.array([word], np.int32))
            total += float(log_probs[0])
        return total

    @classmethod
    def from_tables(cls, model: BackoffModel) -> NgramModel:
        """Convert a back-off model into the form for queries, in single precision.

        Raises:
            LanguageModelError: there are too many n-grams for int32 nodes, or too many words for 63-bit keys.
        """
        counts = [len(table) for table in model.tables]
        nodes = 1 + sum(counts)
        if nodes > np.iinfo(np.int32).max or nodes * counts[0] > _LAST_KEY:
            raise LanguageModelError(f"{nodes:,} n-grams of {counts[0]:,} words are too many; prune the model")
        log_probs = np.concatenate([[0.0], *(table.log_probs for table in model.tables)]).astype(np.float32)
        lower = model.tables[: max(1, len(counts) - 1)]
        backoffs = np.concatenate([[0.0], *(table.backoffs for table in lower)]).astype(np.float32)
        keys, links = _keys(model.tables), np.zeros(len(backoffs), np.int32)
        made = cls(counts, keys, links, log_probs, backoffs, Spelling.of_words(model.words))
        made._set_links(lower)
        return made

    def tables(self) -> BackoffModel:
        """Return the back-off model that ``from_tables`` was given, in the precision of this model."""
        contexts, words = np.divmod(self._keys[:-1], self._width)
        backoffs = np.zeros(len(self._log_probs), np.float32)
        backoffs[: len(self._backoffs)] = self._backoffs
        contexts = np.concatenate([np.zeros(self._first, np.int64), contexts])
        words = np.concatenate([[0], np.arange(self._width), words]).astype(np.int32)
        tables, begin, below = [], 1, 0
        for count in self.counts:
            rows = slice(begin, begin + count)
            log_probs = self._log_probs[rows].astype(np.float32)
            tables.append(Table(contexts[rows] - below, words[rows], log_probs, backoffs[rows]))
            begin, below = begin + count, begin
        return BackoffModel(self.words, tables)

    def _set_links(self, tables: Sequence[Table]) -> None:
        """Compute the links of each order from the lower orders, as Aho and Corasick (1975) do their failure function.

        Args:
            tables: all but that of the highest order.
        """
        # Some toolkits give weights to n-grams that nothing continues; they count too if they survive half precision.
        continued = self._backoffs.astype(np.float16) != 0
        continued[self._keys[:-1] // self._width] = True
        lowest = _lowest_links(self.counts, self._keys[: sum(self.counts[1:2])] % self._width, continued)
        self._links[: len(lowest)] = lowest
        begin, below = len(lowest), 1 + self.counts[0]
        for table in tables[2:]:
            found, _ = self._find(self._links[below + table.contexts].astype(np.int64), table.words)
            links, nodes = _as_states(self._links, found), slice(begin, begin + len(table))
            self._links[nodes] = np.where(continued[nodes], links, ~links)
            begin, below = nodes.stop, begin


def _agree(
    counts: Sequence[int],
    words: np.ndarray,
    children: np.ndarray,
    links: np.ndarray,
    log_probs: np.ndarray,
    backoffs: np.ndarray,
) -> bool:
    """Return whether a file's arrays have the lengths that its counts demand, and hold only valid indices."""
    arrays = (words, children, links, log_probs, backoffs)
    return (
        tuple(map(len, arrays)) == _sizes(counts)
        and "".join(array.dtype.kind for array in arrays) == "uuiff"
        and int(children.sum(dtype=np.int64)) == len(words)
        and int(words.max(initial=0)) < counts[0]
        and int(np.maximum(links, ~links).max(initial=0)) < len(children)
    )


def _sizes(counts: Sequence[int]) -> tuple[int, int, int, int, int]:
    """Return the lengths of a file's words, children, links, log_probs and backoffs."""
    nodes, lower = 1 + sum(counts), 1 + sum(counts[: max(1, len(counts) - 1)])
    return nodes - 1 - counts[0], lower, max(0, lower - 1 - sum(counts[:2])), nodes, lower


def _lowest_links(counts: Sequence[int], words: np.ndarray, continued: np.ndarray) -> np.ndarray:
    """Return the links int32 of the empty context, of words, and of 2-grams unless they are the highest order.

    Args:
        counts: numbers of n-grams by order.
        words: (number of 2-grams or more,) last words of the nodes above order 1.
        continued: (nodes below the highest order,) whether a node is a state.
    """
    pairs = counts[1] if len(counts) > 2 else 0
    links = np.zeros(1 + counts[0] + pairs, np.int32)
    if len(counts) == 1:  # No word is a state, whatever back-off weights the file gives.
        return ~links
    last = words[:pairs] + np.int32(1)
    links[1 + counts[0] :] = np.where(continued[last], last, ROOT)
    continued = continued[: len(links)]
    links[1:] = np.where(continued[1:], links[1:], ~links[1:])
    return links


def _keys(tables: Sequence[Table]) -> np.ndarray:
    parts, below = [], 1
    for lower, table in zip(tables, tables[1:], strict=False):
        parts.append((table.contexts + below) * np.int64(len(tables[0])) + table.words)
        below += len(lower)
    return np.concatenate([*parts, np.array([_LAST_KEY])])


def _as_states(links: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Return the states (n,) int64 after the n-grams ``nodes`` below the highest order: themselves if continued."""
    found = links.take(nodes)
    return np.where(found < 0, ~found, nodes)


def _word_type(words: int) -> type[np.unsignedinteger]:
    """Return the type for word ids and for numbers of continuations, given the number of words."""
    return np.uint16 if words <= np.iinfo(np.uint16).max else np.uint32


def file_size(counts: Sequence[int], spelling: Spelling) -> int:
    """Estimate the file size in bytes of a model with ``counts`` n-grams by order, to some hundreds (the header)."""
    words, children, links, log_probs, backoffs = _sizes(counts)
    letters = spelling.alphabet.nbytes + spelling.keys.nbytes + spelling.word_of.nbytes
    word_bytes = np.dtype(_word_type(counts[0])).itemsize
    return _HEADER + word_bytes * (words + children) + 4 * links + 2 * (log_probs + backoffs) + letters
