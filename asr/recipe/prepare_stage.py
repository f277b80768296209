"""The stage that prepares manifests of the corpora, words cut out of them, and the lexicon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asr.corpora.archives import ARCHIVES, archives_of
from asr.corpora.fetch import fetch
from asr.corpora.prepare import prepare
from asr.errors import CorpusError
from asr.recipe.cut_stage import cut_stage
from asr.recipe.lexicon_stage import lexicon_stage
from asr.recipe.plan import CorpusPlan, Plan


def prepare_stage(
    plan: Plan, data: Path | None, normaliser: str, *, download: bool, say: Callable[[str], None]
) -> None:
    """Make the manifests of each corpus, the manifest of words cut out, and the lexicon.

    Args:
        plan: the plan that names them.
        data: the folder of the corpora, as in ``Plan.place``.
        normaliser: the name of the normaliser for the transcripts.
        download: whether to download the corpora first.
        say: a function that takes a line about each.

    Raises:
        CorpusError: a corpus lacks a part that the recipe needs.
    """
    for corpus in plan.prepare:
        if not lacking(corpus):
            say(f"prepare: {corpus.manifests} is there")
            continue
        folder = plan.place(corpus, data)
        if download and (corpus.corpus in ARCHIVES or not folder.is_dir()):
            archives = archives_of(corpus.corpus, tuple(corpus.parts))
            fetch(archives, folder.parent)
            folder = folder.parent / archives[0].root
        summary = prepare(corpus.corpus, folder, corpus.manifests)
        say(f"prepare: {summary.utterances} utterances in {corpus.manifests}")
        if missing := lacking(corpus):
            raise CorpusError(
                f"{folder} has no {', '.join(missing)}, which {plan.name} needs; --download fetches parts"
            )
    if plan.cut:
        cut_stage(plan.cut, say)
    if plan.lexicon:
        manifests = [path for corpus in plan.prepare for path in sorted(corpus.manifests.glob("*.jsonl"))]
        lexicon_stage(plan.lexicon, manifests, normaliser, say)


def lacking(corpus: CorpusPlan) -> list[str]:
    """Return the names of a corpus's manifests and summary that are not there yet."""
    if not (corpus.manifests / "summary.json").is_file():
        return ["summary.json"]
    return [part for part in corpus.parts if not (corpus.manifests / f"{part}.jsonl").is_file()]
