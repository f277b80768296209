"""A bundle with its language model, weighed on some speakers, so that it can be judged by others.

Where no test set is there, the dev speakers judge, and weights tuned on them would flatter. So they are parted in two
halves: a copy of the bundle is tuned on each half and reads the other. The bundle that is kept is tuned on all.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from asr.bundle import load_bundle, read_card, write_decoder
from asr.data import Utterance
from asr.errors import ConfigError
from asr.evaluation import Evaluation
from asr.files import sha256_of
from asr.inference import Decoding, load_model
from asr.inference.tuning import dev_set, tune_bundle


def card_of(bundle: Path) -> dict[str, Any]:
    """The card of the bundle in a folder; empty where there is none."""
    return read_card(bundle) if (bundle / "card.json").is_file() else {}


def tune_stage(
    bundle: Path,
    language_model: Path,
    dev: Sequence[Utterance],
    say: Callable[[str], None],
    *,
    beam_width: int,
    test: Sequence[Utterance] = (),
) -> None:
    """Put the language model into the bundle, weighed on ``dev``, unless it is there with this beam.

    ``test`` is scored for the bundle's card.

    A bundle's folder stays as it was until all is found.
    """
    opened = load_bundle(bundle)
    held = opened.language_model
    if held and sha256_of(held) == sha256_of(language_model) and opened.decoder.beam_width == beam_width:
        say(f"tune: {bundle} has its language model")
        return
    say(f"tune: {bundle} on {len(dev)} utterances of {len({u.speaker for u in dev})} speakers")
    heard = dev_set(load_model(bundle, decoding=Decoding(beam_width=1)), dev)
    tuned = tune_bundle(bundle, heard, language_model, beam_width=beam_width, test=test)
    best = tuned.best.wer if tuned.best else tuned.greedy[0]
    say(f"tune: {bundle}: dev WER {100 * tuned.greedy[0]:.2f} % greedy, {100 * best:.2f} % with the language model")


def copy_to_tune(bundle: Path, folder: Path) -> None:
    """Copy ``bundle`` to ``folder``, without its language model; what is there stays if it is of the same model."""
    if card_of(folder).get("trained") != card_of(bundle)["trained"]:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as work:
            copied = shutil.copytree(bundle, Path(work) / "bundle")
            write_decoder(copied, load_bundle(copied).decoder, None, card_of(copied))
            shutil.rmtree(folder, ignore_errors=True)
            copied.rename(folder)


def halves(speakers: Sequence[str]) -> tuple[list[str], list[str]]:
    """Every other speaker, in the order given.

    Raises:
        ConfigError: fewer than four, and confidence is calibrated on two at least.

    >>> halves(["84", "1462", "174", "251"])
    (['84', '174'], ['1462', '251'])
    """
    if len(speakers) < 4:
        raise ConfigError(
            f"judge: dev needs four dev speakers at least, two to tune for the other two, got {len(speakers)}"
        )
    return list(speakers[::2]), list(speakers[1::2])


def note_test(bundle: Path, evaluation: Evaluation, tuned_on: str) -> None:
    """Put scores into the card of a tuned bundle, and on whom what was judged had been tuned."""
    opened = load_bundle(bundle)
    test = evaluation.normalised.to_json() | {"tuned_on": tuned_on}
    decoder = dict(opened.card.get("decoder", {}))
    if decoder.get("test") != json.loads(json.dumps(test)):
        write_decoder(
            bundle, opened.decoder, opened.language_model, {**opened.card, "decoder": {**decoder, "test": test}}
        )
