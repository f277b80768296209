"""The stage that gives a bundle its language model, with weights tuned on some speakers, to be tested on others.

Where there is no test set, the dev speakers are the test, and weights tuned on them would make scores too good. So they
are divided into two halves: a copy of the bundle is tuned on each half and transcribes the other. The final bundle is
tuned on all.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr.bundle import Bundle, load_bundle, write_decoder
from asr.card import FILE as CARD
from asr.card import ScoredTest, read_card
from asr.data import Utterance
from asr.errors import BundleError, ConfigError
from asr.evaluation import Evaluation
from asr.files import sha256_of
from asr.inference import Decoding, load_model
from asr.lm import NgramModel
from asr.recipe.lexicon_stage import lexicon_of
from asr.recipe.plan import LexiconPlan
from asr.staging import replace_folder, temporary_folder
from asr.tuning import CONDITIONS, dev_set, tune_bundle


def trained_sha256(bundle: Path) -> str | None:
    """Return the SHA-256 of the weights that the bundle in a folder was made from; None where there is no bundle."""
    if not (bundle / CARD).is_file():
        return None
    trained = read_card(bundle).trained
    return trained.sha256 if trained else None


@dataclass(frozen=True, eq=False)
class DecodingPlan:
    """The language model, beam width and lexicon that a bundle is to decode with.

    Attributes:
        language_model: the .lm file.
        beam_width: the number of prefixes kept.
        lexicon: the recipe's lexicon, for a network that outputs phones.
    """

    language_model: Path
    beam_width: int
    lexicon: LexiconPlan | None = None

    def is_in(self, bundle: Bundle) -> bool:
        """Tell whether a bundle already decodes with these, or was found to make fewer errors without them."""
        held = bundle.language_model
        left_out = bundle.card.decoder.left_out if bundle.card.decoder else None
        if left_out and left_out.language_model_sha256 == sha256_of(self.language_model):
            return True
        return (
            held is not None
            and sha256_of(held) == sha256_of(self.language_model)
            and bundle.decoder.beam_width == self.beam_width
            and (self.lexicon is None or bundle.pronunciations is not None)
        )


def tune_stage(
    bundle: Path,
    decoding_plan: DecodingPlan,
    dev: Sequence[Utterance],
    say: Callable[[str], None],
    *,
    test: Sequence[Utterance] = (),
) -> None:
    """Put the language model into the bundle, with weights tuned on ``dev``, unless it is there.

    ``test`` is scored for the bundle's card. The bundle's folder is not changed until tuning is done.
    """
    if decoding_plan.is_in(tuned_before := load_bundle(bundle)):
        found = "has its" if tuned_before.language_model else "makes fewer errors without its"
        say(f"tune: {bundle} {found} language model")
        return
    say(f"tune: {bundle} on {len(dev)} utterances of {len({u.speaker for u in dev})} speakers")
    network = load_model(bundle, decoding=Decoding(beam_width=1))
    recorded, altered = dev_set(network, dev), dev_set(network, dev, CONDITIONS)
    words = NgramModel.open(decoding_plan.language_model).words
    lexicon = lexicon_of(decoding_plan.lexicon, words) if decoding_plan.lexicon else None
    tuned = tune_bundle(
        bundle,
        recorded,
        decoding_plan.language_model,
        altered=[altered],
        lexicon=lexicon,
        beam_width=decoding_plan.beam_width,
        test=test,
    )
    rates = ", ".join(f"{100 * wer:.2f} % {way}" for way, wer in tuned.rates.items())
    say(f"tune: {bundle}: dev WER {rates}; kept: {tuned.way}")


def copy_to_tune(bundle: Path, folder: Path) -> None:
    """Copy ``bundle`` to ``folder`` without its language model; a copy of the same model that is there is kept."""
    if trained_sha256(folder) != trained_sha256(bundle):
        with temporary_folder(folder) as work:
            copied = shutil.copytree(bundle, work / "bundle")
            write_decoder(copied, load_bundle(copied).decoder, None, read_card(copied))
            replace_folder(copied, folder)


def halves(speakers: Sequence[str]) -> tuple[list[str], list[str]]:
    """Divide speakers into two halves by taking every other one, in the order given.

    Raises:
        ConfigError: there are fewer than four, and calibrating confidence needs two in each half.

    >>> halves(["84", "1462", "174", "251"])
    (['84', '174'], ['1462', '251'])
    """
    if len(speakers) < 4:
        raise ConfigError(
            f"test_on_dev needs four dev speakers at least, two to tune for the other two, got {len(speakers)}"
        )
    return list(speakers[::2]), list(speakers[1::2])


def note_test(bundle: Path, evaluation: Evaluation, tuned_on: str) -> None:
    """Record test scores in the card of a tuned bundle, and the speakers that the tested bundles were tuned on.

    Raises:
        BundleError: the bundle has not been tuned.
    """
    opened, scores = load_bundle(bundle), evaluation.normalised
    decoder = opened.card.decoder
    if decoder is None:
        raise BundleError(f"{bundle} has not been tuned, so no test of its decoder can be recorded; tune it first")
    test = ScoredTest(scores.normaliser, scores.words.figures(), scores.characters.figures(), tuned_on)
    if decoder.test != test:
        card = replace(opened.card, decoder=replace(decoder, test=test))
        write_decoder(bundle, opened.decoder, opened.language_model, card, opened.pronunciations)
