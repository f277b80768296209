"""The stage that cuts single words out of prepared corpora, before training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from asr.alignment.isolated_words import WordCutter
from asr.data import Utterance, read_manifest, write_manifest
from asr.errors import AlignmentError, AsrError, ManifestError
from asr.inference import Decoding, load_model
from asr.recipe.plan import WordCuts


def cut_stage(cut: WordCuts, say: Callable[[str], None]) -> None:
    """Make the manifest of single words; utterances that cannot be aligned are counted and left out.

    Raises:
        AlignmentError: none of the words was found in the recordings.
        ManifestError: two utterances have the same id.
    """
    if cut.to.is_file():
        say(f"cut: {cut.to} is there; remove it to cut anew")
        return
    utterances = [utterance for manifest in cut.of for utterance in read_manifest(manifest)]
    _refuse_twins(utterances, cut)
    say(f"cut: {', '.join(cut.words)} out of {len(utterances)} utterances")
    cutter = WordCutter(load_model(cut.model, decoding=Decoding(beam_width=1)), cut.words)
    words: list[Utterance] = []
    failed: list[AsrError] = []
    for one in cutter(utterances):
        if isinstance(one, Utterance):
            words.append(one)
        else:
            failed.append(one)
    why = f"; not aligned: {len(failed)}, such as {failed[0]}" if failed else ""
    if not words:
        raise AlignmentError(f"none of {', '.join(cut.words)} was heard in {', '.join(map(str, cut.of))}{why}")
    write_manifest(cut.to, words)
    say(f"cut: {len(words)} words in {cut.to}{why}")


def _refuse_twins(utterances: list[Utterance], cut: WordCuts) -> None:
    (identity, times), *_ = Counter(utterance.id for utterance in utterances).most_common(1)
    if times > 1:
        raise ManifestError(f"{identity!r} is the id of {times} utterances in {', '.join(map(str, cut.of))}")
