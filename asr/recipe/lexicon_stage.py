"""The stage that makes the lexicon: for the transcripts before training, for the language model before tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from asr.data import read_manifest
from asr.recipe.plan import LexiconPlan
from asr.text import Lexicon, normalise, read_lexicon, write_lexicon
from asr.text.pronounce import pronounce


def lexicon_stage(plan: LexiconPlan, manifests: Sequence[Path], normaliser: str, say: Callable[[str], None]) -> None:
    """Write the pronouncing dictionary of the transcripts' words, unless it is there and has them all.

    Existing entries are kept, so that they can be corrected by hand.

    Args:
        plan: the language and the file of the dictionary.
        manifests: the manifests of the corpora.
        normaliser: the name of the normaliser for their texts.
        say: a function that takes a line about the stage.

    Raises:
        MissingExtraError, VocabularyError: as `asr.text.pronounce.pronounce` raises them.
    """
    texts = (utterance.text for manifest in manifests for utterance in read_manifest(manifest))
    words = {word for text in texts for word in normalise(text, normaliser).split()}
    there = read_lexicon(plan.to).pronunciations if plan.to.is_file() else {}
    added = dict(pronounce(sorted(words - there.keys()), plan.language)) if words - there.keys() else {}
    if there and not added:
        say(f"lexicon: {plan.to} is there")
        return
    write_lexicon(plan.to, Lexicon({**there, **added}))
    say(f"lexicon: {len(there) + len(added)} words in {plan.to}")


def lexicon_of(plan: LexiconPlan, words: Sequence[str]) -> Lexicon:
    """Return the plan's dictionary, extended by the pronunciations of those of ``words`` that it lacks."""
    there = read_lexicon(plan.to).pronunciations
    return Lexicon({**dict(pronounce([word for word in words if word not in there], plan.language)), **there})
