"""The dry run of a recipe, which says what each stage would do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asr.options import TrainingOptions
from asr.recipe.plan import Plan
from asr.recipe.prepare_stage import lacking
from asr.recipe.train_stage import round_folders


def planned(
    plan: Plan, rounds: list[TrainingOptions], run: Path, data: Path | None, *, download: bool
) -> Iterator[str]:
    """Yield a line for each file or folder that is there or would be made.

    Args:
        plan: the stages of the recipe.
        rounds: the options of each round of training.
        run: the folder of the runs.
        data: the folder of the corpora, as in ``Plan.place``.
        download: whether corpora would be downloaded.
    """
    yield from _prepared(plan, data, download)
    yield from _trained(plan, rounds, run)
    if plan.leave_one_speaker_out:
        yield f"evaluate: each speaker of {plan.leave_one_speaker_out} with the model that has not heard that one"
    else:
        yield from _exported(plan, run, data)
    yield f"results would be written to {run / 'results.json'}"


def _prepared(plan: Plan, data: Path | None, download: bool) -> Iterator[str]:
    for corpus in plan.prepare:
        folder = plan.place(corpus, data)
        if not lacking(corpus):
            yield f"prepare: {corpus.manifests} is there"
        elif folder.is_dir() or not download:
            there = "" if folder.is_dir() else ", which is not there; --data says where it is, --download fetches it"
            yield f"prepare: {corpus.manifests} would be made of {folder}{there}"
        else:
            yield f"prepare: {corpus.corpus} would be fetched to {folder}, and {corpus.manifests} made of it"
    if plan.cut:
        words = f"{', '.join(plan.cut.words)} would be cut out into {plan.cut.to}"
        yield f"cut: {plan.cut.to} is there" if plan.cut.to.is_file() else f"cut: {words}"
    if plan.lexicon:
        made = "is there; words it lacks would be added" if plan.lexicon.to.is_file() else "would be made"
        yield f"lexicon: {plan.lexicon.to} {made}"


def _trained(plan: Plan, rounds: list[TrainingOptions], run: Path) -> Iterator[str]:
    if plan.leave_one_speaker_out:
        epochs = rounds[0].trainer.epochs
        yield f"train: a model for each speaker of {plan.leave_one_speaker_out}, {epochs} epochs each, in {run}/SPEAKER"
        return
    for options, folder in zip(rounds, round_folders(plan, run), strict=True):
        if (folder / "final.json").is_file():
            yield f"train: {folder} is trained"
        else:
            begun = any((folder / "checkpoints").glob("[0-9]*.json"))
            yield f"train: {folder} would {'go on' if begun else 'be trained'}, {options.trainer.epochs} epochs"


def _exported(plan: Plan, run: Path, data: Path | None) -> Iterator[str]:
    yield f"export: {run / 'bundle'} of the trained weights"
    if plan.language_model:
        text = plan.text(data)
        of = text if text and text.is_file() else "the training transcripts"
        yield f"language model: {run / 'language_model.lm'}, {plan.language_model.order}-gram of {of}"
        yield "tune: the decoder's weights on the dev set"
    first = plan.test or "the dev set, each half of its speakers with weights tuned on the other"
    yield f"evaluate: {first}"
    for path in plan.further_tests:
        yield f"evaluate: {path}" if path.is_file() else f"evaluate: {path} is not there and would be left out"
    for condition in plan.conditions:
        yield f"evaluate: {first}, {condition.name}"
