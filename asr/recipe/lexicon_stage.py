"""How the words of a recipe are said: those of the transcripts before training, the language model's before tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from asr.data import read_manifest
from asr.recipe.plan import LexiconPlan
from asr.text import Lexicon, normalise, read_lexicon, write_lexicon
from asr.text.pronounce import pronounce


def lexicon_stage(plan: LexiconPlan, manifests: Sequence[Path], normaliser: str, say: Callable[[str], None]) -> None:
    """Write the dictionary of the transcripts' words, unless it is there and has them all.

    What is there stays, so that it can be corrected by hand.

    Args:
        plan: where, and of which language.
        manifests: of the corpora.
        normaliser: of their texts, by name.
        say: told what is done.

    Raises:
        MissingExtraError, VocabularyError: as `asr.text.pronounce.pronounce`.
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
    """How other words are said as well: as the plan's file says, or else looked up like those in it."""
    there = read_lexicon(plan.to).pronunciations
    return Lexicon({**dict(pronounce([word for word in words if word not in there], plan.language)), **there})
