"""Grammars, which restrict decoding to what a list allows, such as commands or digits."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from asr.decoding.acceptor import START, Acceptor, Trie, check_size
from asr.errors import ConfigError
from asr.text import Vocabulary


def phrases(lines: Iterable[str], vocabulary: Vocabulary) -> Acceptor:
    """Build a grammar in which the utterance is exactly one of ``lines``.

    Raises:
        ConfigError: there are no lines.
        VocabularyError: a character has no label.
    """
    trie = _trie(lines, vocabulary, "a grammar")
    next_state, weights = _forbidden(trie, vocabulary)
    return Acceptor(next_state, weights, _final(trie))


def word_sequences(words: Iterable[str], vocabulary: Vocabulary) -> Acceptor:
    """Build a grammar in which the utterance is any sequence of ``words`` with a space between every two.

    If the vocabulary has no space, the utterance is a single word.

    Raises:
        ConfigError: there are no words.
        VocabularyError: a character has no label.
    """
    trie = _trie(words, vocabulary, "a list of words")
    next_state, weights = _forbidden(trie, vocabulary)
    if (space := vocabulary.space) is not None:
        for node in trie.ends:
            next_state[node, space], weights[node, space] = START, 0.0
    return Acceptor(next_state, weights, _final(trie))


def _trie(lines: Iterable[str], vocabulary: Vocabulary, what: str) -> Trie:
    texts = [" ".join(line.split()) for line in lines if line.strip()]
    if not texts:
        raise ConfigError(f"{what} needs at least one line, got none")
    trie = Trie.of(vocabulary.encode(text).tolist() for text in texts)
    check_size(trie, vocabulary)
    return trie


def _forbidden(trie: Trie, vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """Return the next states and weights (S, V) that allow the trie's arcs and nothing else."""
    next_state = np.zeros((len(trie.children), len(vocabulary)), np.int64)
    weights = np.full(next_state.shape, -np.inf)
    for node, arcs in enumerate(trie.children):
        for label, child in arcs.items():
            next_state[node, label], weights[node, label] = child, 0.0
    return next_state, weights


def _final(trie: Trie) -> np.ndarray:
    final = np.full(len(trie.children), -np.inf)
    final[sorted(trie.ends)] = 0.0
    return final
