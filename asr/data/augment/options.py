"""How much of each transform: the group ``augment`` of a configuration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from asr.checks import check_list, check_number
from asr.data.augment.additive_noise import AdditiveNoise
from asr.data.augment.alteration import Alteration, Step
from asr.data.augment.babble import VOICES, Babble
from asr.data.augment.close_cut import CloseCut
from asr.data.augment.equaliser import Equaliser
from asr.data.augment.frequency_warp import FrequencyWarp
from asr.data.augment.gaussian_noise import GaussianNoise
from asr.data.augment.recordings import find_recordings
from asr.data.augment.simulated_room import SimulatedRoom
from asr.data.augment.spec_augment import SpecAugment
from asr.data.augment.speed import SpeedPerturbation
from asr.data.augment.telephone import Telephone
from asr.data.augment.time_stretch import TimeStretch
from asr.data.augment.transform import Transform
from asr.data.augment.volume import Volume
from asr.data.utterance import Utterance
from asr.errors import ConfigError
from asr.features import FrontEnd


def _setting(least: float, most: float = math.inf, *, whole: bool = False, alters: bool = False) -> Any:
    """A number from ``least`` to ``most``, zero unless given; ``alters`` where it is one of what makes the copies."""
    default = 0 if whole else 0.0
    return field(default=default, metadata={"range": (least, most), "whole": whole, "alters": alters})


def _share() -> Any:
    """The share of the copies that a transform alters."""
    return _setting(0, 1, alters=True)


@dataclass(frozen=True)
class AugmentOptions:
    """How much of each transform; zero leaves it out. See ``asr.data.augment`` for the units.

    A new transform is a file beside this one, its settings here, and its step in ``alteration`` or ``transforms``.

    Attributes:
        copies: altered versions of each recording, whose features are computed once; an epoch shows one of them, or
            the recording itself. Made by the settings of samples, down to ``cut_db``.
        noise: folders or manifests of noise.
        voices: manifests or folders of speech for babble; none for the training utterances.
        snr_db: lowest and highest level of the speech above noise and babble.
        cut_db: least and most that what a close cut takes away is below the loudest moment.
    """

    copies: int = _setting(0, whole=True)
    speed: float = _setting(0, 0.9, alters=True)
    room_share: float = _share()
    noise_share: float = _share()
    babble_share: float = _share()
    volume_db: float = _setting(0, alters=True)
    telephone_share: float = _share()
    cut_share: float = _share()
    noise: Sequence[str] = ()
    voices: Sequence[str] = ()
    snr_db: Sequence[float] | None = None
    cut_db: Sequence[float] | None = None

    frequency_warp: float = _setting(0, 0.9)
    time_stretch: float = _setting(0, 0.9)
    equaliser_std: float = _setting(0)
    noise_std: float = _setting(0)
    frequency_masks: int = _setting(0, whole=True)
    frequency_width: int = _setting(0, whole=True)
    time_masks: int = _setting(0, whole=True)
    time_share: float = _setting(0, 1)

    def __post_init__(self) -> None:
        """Refuse numbers out of their range, and what would alter nothing."""
        for setting in fields(self):
            if "range" in setting.metadata:
                least, most = setting.metadata["range"]
                value, whole = getattr(self, setting.name), setting.metadata["whole"]
                check_number(f"augment.{setting.name}", value, least, most, whole=whole)
        check_list("augment.noise", self.noise)
        check_list("augment.voices", self.voices)
        if self.snr_db is not None:
            _check_range("augment.snr_db", self.snr_db)
        elif self.noise_share or self.babble_share:
            raise ConfigError("augment.snr_db must say how far above noise and babble speech is, such as [0, 20]")
        if self.cut_db is not None:
            _check_range("augment.cut_db", self.cut_db, least=1)
        elif self.cut_share:
            raise ConfigError("augment.cut_db must say how far below the loudest moment to cut, such as [12, 40]")
        self._check_copies()

    def _check_copies(self) -> None:
        """Refuse copies that nothing alters, and alterations without copies."""
        names = [setting.name for setting in fields(self) if setting.metadata.get("alters")]
        altering = [name for name in names if getattr(self, name)]
        if self.copies and not altering:
            others = " or ".join(f"augment.{name}" for name in names)
            raise ConfigError(f"augment.copies={self.copies} would be as recorded; set {others}")
        if altering and not self.copies:
            raise ConfigError(
                f"augment.{altering[0]} alters copies, and there are none; set augment.copies, such as 3, or leave out "
                f"{', '.join(f'augment.{name}' for name in altering)}"
            )

    def recordings(self) -> tuple[tuple[Utterance, ...], tuple[Utterance, ...]]:
        """Return the recordings of noise and of voices that the copies need; no voices if the training set gives them.

        Raises:
            ConfigError: a path does not exist, or noise is asked for and none is named.
            ManifestError, AudioError: a manifest or recording cannot be read.
        """
        if self.noise_share and not self.noise:
            raise ConfigError(
                "augment.noise names no recordings of noise; give folders or manifests, such as "
                "augment.noise=[data/ESC-10], or train without: augment.noise_share=0"
            )
        noise = find_recordings("augment.noise", self.noise if self.noise_share else ())
        return noise, find_recordings("augment.voices", self.voices if self.babble_share else ())

    def alteration(self, seed: int, noise: Sequence[Utterance], voices: Sequence[Utterance]) -> Alteration:
        """Return the steps that alter copies, in the order of a recording: from the speed to the cut.

        Args:
            seed: the seed of all draws.
            noise: recordings of noise.
            voices: utterances to mix into babble.

        Raises:
            ConfigError: there are too few voices.
        """
        steps = []
        if self.speed:
            steps.append(Step("speed", SpeedPerturbation(self.speed)))
        if self.room_share:
            steps.append(Step("room", SimulatedRoom(), self.room_share))
        if self.noise_share:
            steps.append(Step("noise", AdditiveNoise(tuple(noise), _both(self.snr_db)), self.noise_share))
        if self.babble_share:
            _check_voices(voices)
            steps.append(Step("babble", Babble(tuple(voices), _both(self.snr_db)), self.babble_share))
        if self.volume_db:
            steps.append(Step("volume", Volume(self.volume_db)))
        if self.telephone_share:
            steps.append(Step("telephone", Telephone(), self.telephone_share))
        if self.cut_share:
            steps.append(Step("cut", CloseCut(_both(self.cut_db)), self.cut_share))
        return Alteration(tuple(steps), seed)

    def transforms(self, front_end: FrontEnd) -> list[Transform]:
        """Return the transforms of features in the order in which they are applied, that which changes lengths first.

        Raises:
            ConfigError: frequencies of cepstra cannot be warped.
        """
        chosen: list[Transform] = []
        if self.time_stretch:
            chosen.append(TimeStretch(self.time_stretch))
        if self.frequency_warp:
            if front_end.centres_hz is None:
                raise ConfigError("augment.frequency_warp needs bands of frequency, and cepstra have none; set it to 0")
            chosen.append(FrequencyWarp(front_end.centres_hz, self.frequency_warp))
        if self.equaliser_std:
            chosen.append(Equaliser(self.equaliser_std))
        if self.noise_std:
            chosen.append(GaussianNoise(self.noise_std))
        if self.frequency_masks or self.time_masks:
            masks = (self.frequency_masks, self.frequency_width, self.time_masks, self.time_share)
            chosen.append(SpecAugment(*masks))
        return chosen


def _both(levels: Sequence[float] | None) -> tuple[float, float]:
    """Lowest and highest; nothing is drawn from what is not given."""
    low, high = levels or (0.0, 0.0)
    return float(low), float(high)


def _check_voices(voices: Sequence[Utterance]) -> None:
    if len(voices) <= VOICES[1]:
        raise ConfigError(
            f"babble needs more than {VOICES[1]} utterances to draw from, got {len(voices)}; name manifests of speech "
            "with augment.voices=[…], or leave it out: augment.babble_share=0"
        )


def _check_range(name: str, value: Any, least: float = -100) -> None:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        raise ConfigError(f"{name} must be a lowest and a highest number, such as [0, 20], got {value!r}")
    check_number(f"{name}[0]", value[0], least, 100)
    check_number(f"{name}[1]", value[1], value[0], 100)
