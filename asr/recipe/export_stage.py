"""The stage that exports the trained model as a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asr.export import export_bundle
from asr.recipe.plan import Plan
from asr.recipe.train_stage import TrainedRun
from asr.recipe.tune_stage import trained_sha256
from asr.typed import to_tree

PRECISIONS = ("float32", "int8")


def export_stage(plan: Plan, trained: TrainedRun, manifest: Path, say: Callable[[str], None]) -> Path:
    """Export a run to ``bundle`` in its folder, unless it is there, and score it on ``manifest``; return the bundle."""
    run = trained.folder
    bundle = run / "bundle"
    if trained_sha256(bundle) == trained.weights:
        say(f"export: {bundle} is there")
        return bundle
    card = to_tree(plan.card) if plan.card else None
    export_bundle(run, bundle, name=plan.name, card=card, evaluate_on=manifest, precisions=PRECISIONS)
    say(f"export: {bundle}")
    return bundle
