"""Single words out of prepared corpora, before training."""

from __future__ import annotations

from collections.abc import Callable

from asr.data import Utterance, read_manifest, write_manifest
from asr.errors import CorpusError
from asr.inference import load_model
from asr.inference.word_cuts import cut_words
from asr.recipe.plan import WordCuts


def cut_stage(cut: WordCuts, say: Callable[[str], None]) -> None:
    """Make the manifest of single words; utterances that cannot be aligned are counted and left out.

    Raises:
        CorpusError: none of the words is said.
    """
    if cut.to.is_file():
        say(f"cut: {cut.to} is there")
        return
    utterances = [utterance for manifest in cut.of for utterance in read_manifest(manifest)]
    made = list(cut_words(load_model(cut.model), utterances, cut.words))
    words = [one for one in made if isinstance(one, Utterance)]
    if not words:
        raise CorpusError(f"none of {', '.join(cut.words)} was heard in {', '.join(map(str, cut.of))}")
    write_manifest(cut.to, words)
    failed = len(made) - len(words)
    say(f"cut: {len(words)} words in {cut.to}" + (f"; {failed} utterances could not be aligned" if failed else ""))
