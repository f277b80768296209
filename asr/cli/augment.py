"""Listen to and look at augmented copies of a recording: WAV files and a picture of their features.

asr augment answer.wav                                              to augmented/, as conf/augment/noisy.yaml says
asr augment answer.wav augment.noise=[ESC-10] augment.voices=[manifests/mine/all.jsonl]
asr augment answer.wav -o heard --copies 5 --seed 7 augment=noisy augment.speed=0.2

Settings are those of asr train: augment=OPTION, features=OPTION, recipe=NAME, key=value. Each transform of samples is
applied alone and written under its name; all of them together give copy-1.wav and so on, the copies that training makes
with the same seed of an utterance whose id is the file's name. features.png shows the features of each file, and beside
them the features as an epoch may use them: normalised, warped, stretched, masked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr.cli.numbers import whole_number
from asr.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np

    from asr.data.augment import AugmentOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr augment``."""
    parser.add_argument("recording", metavar="FILE")
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings as for asr train")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", default=Path("augmented"))
    parser.add_argument("--copies", type=whole_number(1), default=3, help="number of augmented copies (default: 3)")
    parser.add_argument("--seed", type=whole_number(0), default=0, help="seed of all random draws (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Write augmented copies of the recording, and draw their features.

    Raises:
        MissingExtraError: Hydra, librosa or Matplotlib is not installed.
        ConfigError: a setting is wrong, or nothing would be altered.
        AudioError: a recording cannot be read.
    """
    groups = _configured(arguments.settings)
    try:
        from asr.cli.augment_plot import Row, draw_features
    except ImportError as missing:
        raise MissingExtraError(f"drawing needs {missing.name}", "train") from missing
    import numpy as np

    from asr.audio import load_audio
    from asr.features import UtteranceCmvn, freeze
    from asr.options import features_from_tree

    options = _with_recordings(groups["augment"], arguments.copies)
    front_end = freeze(features_from_tree(groups["features"]))
    transforms, rate = options.transforms(front_end), front_end.sample_rate
    original = load_audio(arguments.recording, rate)
    rows: list[Row] = []
    for name, samples in _copies(original, rate, options, arguments):
        _write_wav(arguments.output / f"{name}.wav", samples, rate)
        features = front_end(samples)
        shown, rng = UtteranceCmvn()(features), np.random.default_rng((arguments.seed, len(rows)))
        for transform in transforms:
            shown = transform(shown, rng)
        rows.append(Row(name, features, shown))
        print(f"{name}.wav  {len(samples) / rate:.2f} s")
    draw_features(rows, front_end, arguments.output / "features.png")
    print(f"Written to {arguments.output}, with features.png")
    return 0


def _configured(settings: list[str]) -> dict[str, Any]:
    """Return the groups ``augment`` and ``features`` of the composed configuration."""
    from asr.cli.train import import_composing

    composing = import_composing()
    chosen = any(s.startswith(("augment=", "recipe=")) for s in settings)
    config = composing.compose(settings if chosen else ["augment=noisy", *settings])
    from omegaconf import OmegaConf

    groups: dict[str, Any] = {
        name: OmegaConf.to_container(config[name], resolve=True) for name in ("augment", "features")
    }
    return groups


def _with_recordings(group: dict[str, Any], copies: int) -> AugmentOptions:
    """Return the options without noise or babble if no recordings for them are named; say so on stderr."""
    from asr.data.augment import AugmentOptions
    from asr.typed import from_tree

    options = from_tree(AugmentOptions, group | {"copies": copies}, "augment")
    if options.noise_share and not options.noise:
        print("no noise: name folders or manifests with augment.noise=[FOLDER]", file=sys.stderr)
        options = replace(options, noise_share=0.0)
    if options.babble_share and not options.voices:
        print("no babble: name manifests of speech with augment.voices=[MANIFEST]", file=sys.stderr)
        options = replace(options, babble_share=0.0)
    return options


def _copies(
    original: np.ndarray, rate: int, options: AugmentOptions, arguments: argparse.Namespace
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and samples of the original, of each step alone, and of the copies with all steps."""
    from asr.data.augment import Alteration

    alteration = options.alteration(arguments.seed, *options.recordings())
    identity = Path(arguments.recording).stem
    yield "original", original
    for step in alteration.steps:
        alone = Alteration((replace(step, share=1.0),), arguments.seed)
        yield step.name, alone(original, rate, identity, 0)
    for copy in range(1, arguments.copies + 1):
        yield f"copy-{copy}", alteration(original, rate, identity, copy)


def _write_wav(path: Path, samples: np.ndarray, rate: int) -> None:
    """Write 16-bit samples; scale the whole recording down if its peak exceeds 1."""
    import numpy as np
    import soundfile

    from asr.files import write_atomically

    loudest = max(float(np.abs(samples).max()), 1.0)
    with write_atomically(path) as temporary:
        soundfile.write(temporary, samples / loudest, rate, format="WAV", subtype="PCM_16")
