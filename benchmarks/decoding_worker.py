"""The peers of decoding.py in their own environment: reads a peer's name, decodes all utterances, answers in JSON.

Peers are given the weights of `asr.decoding.FusionWeights`, in their own units:

* pyctcdecode 0.5 multiplies KenLM's log10 by alpha and ln(10), so alpha and beta are the same. Its offset for unknown
  words is in log10 and is multiplied with alpha, too. Its pruning is its own by default, closer than ours.
* flashlight-text 0.0.7 multiplies KenLM's log10 by the weight as it is, so alpha is multiplied by ln(10) here. Its
  lexicon is all words of the language model, each followed by a space; no other word can be read. Words that have only
  begun are scored by the best unigram they may become. After the last frame comes one of a space alone, for the last
  word to end. Paths of the same words are summed (log_add), as ours are.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

logging.disable(logging.WARNING)
Decode = Callable[[np.ndarray], str]


def main() -> None:
    """Serve until there is nothing more to read."""
    folder = Path(sys.argv[1])
    options = json.loads((folder / "options.json").read_text(encoding="utf-8"))
    arrays = np.load(folder / "log_probs.npz")
    log_probs = [arrays[name] for name in arrays.files]
    decoders: dict[str, Decode] = {}
    for line in sys.stdin:
        peer = line.strip()
        if peer not in decoders:
            decoders[peer] = PEERS[peer](folder / "model.arpa", options)
        wall, processor = time.perf_counter(), time.process_time()
        texts = [decoders[peer](one) for one in log_probs]
        seconds = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
        print(json.dumps(seconds | {"texts": texts}), flush=True)


def words_of(arpa: Path) -> Iterator[str]:
    """The words of a model, without <unk> and the marks of a sentence."""
    with open(arpa, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("\\2-grams:"):
                return
            fields = line.rstrip("\n").split("\t")
            if len(fields) > 1 and not fields[1].startswith("<"):
                yield fields[1]


def pyctcdecode(arpa: Path, options: dict[str, Any], *, model: bool, our_pruning: bool = False) -> Decode:
    """Beam search over characters in Python."""
    from pyctcdecode import build_ctcdecoder

    labels = ["", *options["characters"]]
    fusion = {"alpha": options["alpha"], "beta": options["beta"]}
    pruning = {}
    if our_pruning:
        pruning = {"beam_prune_logp": -options["threshold"], "token_min_logp": options["token_threshold"]}
        fusion["unk_score_offset"] = options["unknown_score"] / (options["alpha"] * math.log(10))
    decoder = build_ctcdecoder(labels, str(arpa), list(words_of(arpa)), **fusion) if model else build_ctcdecoder(labels)
    return lambda log_probs: decoder.decode(log_probs, beam_width=options["width"], **pruning)


def flashlight(arpa: Path, options: dict[str, Any], *, model: bool) -> Decode:
    """Beam search over a lexicon in C++, with the KenLM that the wheel brings; without a model, ZeroLM."""
    from flashlight.lib.text.decoder import CriterionType, LexiconDecoder, LexiconDecoderOptions, ZeroLM
    from flashlight.lib.text.decoder.kenlm import KenLM
    from flashlight.lib.text.dictionary import Dictionary

    words = list(words_of(arpa))
    dictionary = Dictionary([*words, "<unk>"])
    lm = KenLM(str(arpa), dictionary) if model else ZeroLM()
    characters = options["characters"]
    space = characters.index(" ") + 1
    search = LexiconDecoder(
        LexiconDecoderOptions(
            beam_size=options["width"],
            beam_size_token=len(characters) + 1,
            beam_threshold=options["threshold"],
            lm_weight=options["alpha"] * math.log(10),
            word_score=options["beta"] if model else 0.0,
            unk_score=-math.inf,
            sil_score=0.0,
            log_add=True,
            criterion_type=CriterionType.CTC,
        ),
        lexicon(words, characters, lm, dictionary),
        lm,
        space,
        0,
        dictionary.get_index("<unk>"),
        [],
        False,
    )
    last = np.full((1, len(characters) + 1), -1e3, np.float32)
    last[0, space] = 0.0

    def decode(log_probs: np.ndarray) -> str:
        frames = np.ascontiguousarray(np.concatenate([log_probs, last]), np.float32)
        best = search.decode(frames.ctypes.data, *frames.shape)[0]
        return " ".join(dictionary.get_entry(word) for word in best.words if word >= 0)

    return decode


def lexicon(words: list[str], characters: list[str], lm: Any, dictionary: Any) -> Any:
    """A trie of the words, each with its probability after nothing; words that cannot be written are left out."""
    from flashlight.lib.text.decoder import SmearingMode, Trie

    label_of = {character: label for label, character in enumerate(characters, start=1)}
    trie = Trie(len(characters) + 1, label_of[" "])
    start = lm.start(False)
    for word in words:
        if set(word) <= label_of.keys():
            index = dictionary.get_index(word)
            trie.insert([label_of[c] for c in word + " "], index, lm.score(start, index)[1])
    trie.smear(SmearingMode.MAX)
    return trie


PEERS: dict[str, Callable[[Path, dict[str, Any]], Decode]] = {
    "pyctcdecode": lambda arpa, options: pyctcdecode(arpa, options, model=False),
    "pyctcdecode_lm": lambda arpa, options: pyctcdecode(arpa, options, model=True),
    "pyctcdecode_lm_our_pruning": lambda arpa, options: pyctcdecode(arpa, options, model=True, our_pruning=True),
    "flashlight": lambda arpa, options: flashlight(arpa, options, model=False),
    "flashlight_lm": lambda arpa, options: flashlight(arpa, options, model=True),
}

if __name__ == "__main__":
    main()
