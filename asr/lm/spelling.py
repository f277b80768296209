"""The words of a language model as a trie of their characters.

Node 0 is the empty word; the others are numbered breadth first, so that the keys (parent, letter) of nodes 1, 2, … are
sorted: a step down the trie is one binary search, and nothing else has to be stored. Letters are the characters that
occur, numbered in the order of their code points.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

ROOT = 0
NONE = -1


class Spelling:
    """A trie of words 0 to n - 1, which are distinct and sorted by code point.

    Args:
        alphabet: (A,) code points that occur, sorted, uint32.
        keys: (nodes - 1,) ``parent * (A + 1) + letter`` of nodes 1 and on, uint32 or uint64.
        word_of: (nodes + 1,) int32, the word that ends at each node, -1 where none ends; the last entry is -1, so that
            node -1 has no word.

    >>> spelling = Spelling.of_words(["A", "AN", "TO"])
    >>> nodes = spelling.spell(np.array([0, 0]), np.array([ord("A"), ord("B")]))
    >>> nodes.tolist(), spelling.word_at(nodes).tolist()
    ([1, -1], [0, -1])
    >>> spelling.find(["TO", "T"]).tolist(), list(spelling.words())
    ([2, -1], ['A', 'AN', 'TO'])
    """

    def __init__(self, alphabet: np.ndarray, keys: np.ndarray, word_of: np.ndarray) -> None:
        self.alphabet, self.keys, self.word_of = alphabet, keys, word_of
        self._width = len(alphabet) + 1
        self._letter_of = np.full(int(alphabet[-1]) + 2 if len(alphabet) else 1, len(alphabet), np.int64)
        self._letter_of[alphabet] = np.arange(len(alphabet))

    @classmethod
    def of_words(cls, words: Sequence[str]) -> Spelling:
        """Build the trie of ``words``, which must be distinct, not empty and sorted."""
        alphabet, letters = np.unique(_code_points("".join(words)), return_inverse=True)
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        starts = np.cumsum(lengths) - lengths
        levels, word_of = [], [np.array([NONE], np.int32)]
        alive, nodes, made = np.arange(len(words)), np.zeros(len(words), np.int64), 1
        for depth in range(int(lengths.max(initial=0))):
            spelt = lengths[alive] > depth
            alive, nodes = alive[spelt], nodes[spelt]
            wanted = nodes * (len(alphabet) + 1) + letters[starts[alive] + depth]
            first = np.diff(wanted, prepend=-1) > 0
            nodes = made + np.cumsum(first) - 1
            levels.append(wanted[first])
            ending = np.full(len(levels[-1]), NONE, np.int32)
            ends = lengths[alive] == depth + 1
            ending[nodes[ends] - made] = alive[ends]
            word_of.append(ending)
            made += len(ending)
        keys = np.concatenate([np.zeros(0, np.int64), *levels])
        small = made * (len(alphabet) + 1) < np.iinfo(np.uint32).max
        keys = keys.astype(np.uint32 if small else np.uint64)
        return cls(alphabet.astype(np.uint32), keys, np.concatenate([*word_of, np.array([NONE], np.int32)]))

    def spell(self, nodes: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the child (n,) int64 of each node (n,) by a code point (n,); -1 if there is none or the node is -1."""
        wanted = nodes * self._width + self._letter_of.take(characters, mode="clip")
        at = self.keys.searchsorted(wanted.astype(self.keys.dtype))
        found = (self.keys.take(at, mode="clip") == wanted) if len(self.keys) else np.zeros(len(at), bool)
        return np.where(found, at + 1, NONE)

    def following(self, count: int) -> np.ndarray:
        """Return which code points below ``count`` have a child: (nodes, ceil(count / 8)) uint8, by `numpy.packbits`.

        >>> np.unpackbits(Spelling.of_words([chr(1), chr(1) + chr(3)]).following(4), axis=1, count=4).tolist()
        [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
        """
        parents, letters = np.divmod(self.keys, self.keys.dtype.type(self._width))
        leads = np.zeros((len(self.keys) + 1, count), bool)
        leads[parents, self.alphabet.take(letters)] = True
        return np.packbits(leads, axis=1)

    def word_at(self, nodes: np.ndarray) -> np.ndarray:
        """Return the word (n,) int32 that ends at each node (n,), -1 where none ends."""
        words: np.ndarray = self.word_of[nodes]
        return words

    def best_below(self, scores: np.ndarray) -> np.ndarray:
        """Find the best score (nodes + 1,) of the words below each node, given a score (n,) for each word.

        The last entry, at index -1, is the lowest of the scores.

        >>> spelling = Spelling.of_words(["A", "AN", "TO"])
        >>> spelling.best_below(np.array([-3.0, -2.0, -4.0]))[:-1].tolist()
        [-2.0, -2.0, -4.0, -2.0, -4.0]
        """
        best = np.where(self.word_of == NONE, scores.min(), scores.take(self.word_of, mode="clip"))
        parents = (self.keys // self.keys.dtype.type(self._width)).astype(np.int64)
        edges = [0, 1]  # the first nodes of each level of the trie: the parents of one are the level above
        while edges[-1] <= len(parents):
            edges.append(1 + int(parents.searchsorted(edges[-1])))
        for first, last in reversed(list(pairwise(edges))[1:]):
            np.maximum.at(best, parents[first - 1 : last - 1], best[first:last])
        return best

    def find(self, words: Sequence[str]) -> np.ndarray:
        """Look words up: return the number (n,) int32 of each, -1 for words that are not in the trie."""
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        characters, starts = _code_points("".join(words)), np.cumsum(lengths) - lengths
        nodes = np.zeros(len(words), np.int64)
        alive = np.flatnonzero(lengths)
        depth = 0
        while alive.size:
            nodes[alive] = self.spell(nodes[alive], characters[starts[alive] + depth])
            depth += 1
            alive = alive[(lengths[alive] > depth) & (nodes[alive] != NONE)]
        return self.word_at(nodes)

    def words(self) -> Iterator[str]:
        """Return an iterator over the words, in order."""
        parents, letters = np.divmod(self.keys, self.keys.dtype.type(self._width))
        characters = "".join(map(chr, self.alphabet))
        prefixes = [""]
        for parent, letter in zip(parents.tolist(), letters.tolist(), strict=True):
            prefixes.append(prefixes[parent] + characters[letter])
        return (prefixes[node] for node in self._node_of_each_word().tolist())

    def _node_of_each_word(self) -> np.ndarray:
        nodes = np.flatnonzero(self.word_of != NONE)
        return nodes[np.argsort(self.word_of[nodes])]


def spells(alphabet: np.ndarray, keys: np.ndarray, word_of: np.ndarray, num_words: int) -> bool:
    """Tell whether the arrays of a file are the trie of ``num_words`` words, with characters that a text can have."""
    if (alphabet.dtype.kind, keys.dtype.kind, word_of.dtype.kind) != ("u", "u", "i") or len(word_of) != len(keys) + 2:
        return False
    letters = alphabet.astype(np.int64)
    if not (np.diff(letters) > 0).all() or not _are_characters(letters) or (len(keys) > 0) != (len(letters) > 0):
        return False
    parents, last = np.divmod(keys.astype(np.int64), len(letters) + 1)
    nodes = np.flatnonzero(word_of[:-1] != NONE)
    return bool(
        (np.diff(keys.astype(np.int64), prepend=-1) > 0).all()
        and (parents <= np.arange(len(keys))).all()
        and int(last.max(initial=0)) < max(1, len(letters))
        and word_of[-1] == NONE
        and np.array_equal(np.sort(word_of[nodes]), np.arange(num_words))
        and not (len(nodes) and nodes[0] == ROOT)
    )


def _are_characters(code_points: np.ndarray) -> bool:
    """Tell whether sorted code points (n,) are none of control characters, surrogates, or beyond Unicode."""
    if not len(code_points):
        return True
    if code_points[0] < ord(" ") or code_points[-1] > sys.maxunicode:
        return False
    control = (code_points >= 0x7F) & (code_points < 0xA0)
    return not (control | ((code_points >= 0xD800) & (code_points < 0xE000))).any()


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
