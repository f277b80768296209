"""A recording that is open: its parts are decoded in order, and held against what its container says that it holds."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO

import numpy as np
import soundfile

from asr.audio.channels import Mixer, cancelled
from asr.audio.containers import Contents, Part
from asr.audio.resampling import Resampler, check_rate
from asr.audio.spliced import Spliced
from asr.errors import AudioEmptyError, AudioError, AudioFormatError, AudioTruncatedError, AudioWarning

UNKNOWN_FRAMES = 1 << 62
"""libsndfile's frame count is above this if the header does not state the length."""

SLACK_S = 0.1
"""Seconds that a recording may be shorter than stated, since manifests and MP3 headers round durations."""

MAX_SILENCE_S = 3600.0
"""Seconds of silence that may stand for what is lost; containers can claim years."""

KEEP = "copy or download it again, or keep what is good with --salvage (salvage=True in Python)"
"""What to do about a recording that is not whole."""


class Decoder(soundfile.SoundFile):  # type: ignore[misc]
    """libsndfile over one part, read forwards only: soundfile would seek after each read, which fails in some FLACs."""

    def seekable(self) -> bool:
        """Return False, so that soundfile does not seek by itself; ``seek`` still works."""
        return False

    @property
    def states_frames(self) -> bool:
        """Whether ``frames`` is a count of samples and not "unknown"."""
        return bool(self.frames < UNKNOWN_FRAMES)

    def blocks_of(self, most: int) -> Iterator[np.ndarray]:
        """Decode to the end: yield blocks (n, C) float32 of at most ``most`` values, also those just before an error.

        ``SoundFile.blocks`` would repeat stale samples after a short read.

        Raises:
            soundfile.LibsndfileError: something cannot be decoded.
        """
        count, at = max(most // self.channels, 1), self.seek(0, os.SEEK_CUR)
        while True:
            block = np.empty((count, self.channels), np.float32)
            try:
                got = len(self.read(out=block))
            except soundfile.LibsndfileError:
                if 0 < (got := self.seek(0, os.SEEK_CUR) - at) <= count:
                    yield block[:got]
                raise
            if not got:
                return
            at += got
            yield block[:got]


class Recording:
    """The samples of a recording as one channel, whatever its container and its damage.

    Attributes:
        name: its name for messages.
        sample_rate: Hz, that of its first part.
        channels: those of its first part.
    """

    def __init__(self, file: BinaryIO, name: str, contents: Contents, salvage: bool) -> None:
        """Open the first part.

        Args:
            file: what ``contents`` were read from.
            name: for messages.
            contents: what the container says.
            salvage: keep what is good of a recording that is not whole, with a warning that says how much is missing.

        Raises:
            AudioTruncatedError: the recording is not whole, or ``salvage`` and nothing of it is good.
            AudioFormatError: it cannot be decoded.
            AudioEmptyError: it has no samples.
            SampleRateError: its rate is outside 4 kHz to 384 kHz.
        """
        self.name = name
        self._file, self._contents, self._salvage = file, contents, salvage
        if contents.refusal:
            raise AudioFormatError(f"{name}: {contents.refusal}")
        if contents.faults and not salvage:
            raise AudioTruncatedError(self._damage())
        self._first, self._parts = self._open_first()
        self.sample_rate: int = self._first.samplerate
        self.channels: int = self._first.channels
        check_rate(self.sample_rate, name)
        if self._first.frames == 0 and len(self._parts) == 1:
            raise AudioEmptyError(f"{name}: the file has a header but no samples")

    def close(self) -> None:
        """Close the decoder; the file stays open."""
        self._first.close()

    @property
    def frames(self) -> int | None:
        """Samples a channel, as the container states or libsndfile estimates them; None where neither can tell."""
        if len(self._contents.parts) == 1 and not self._contents.faults:
            return self._first.frames if self._first.states_frames else None
        length = self._contents.length_s
        if length is not None and self._contents.states_length:
            return round(length * self.sample_rate)
        return sum(self._length(part) for part in self._parts)

    @property
    def stated_frames(self) -> int | None:
        """Samples a channel that the container states, without estimates; None where it does not."""
        return self.frames if self._contents.states_length else None

    def read(self, start: int, wanted: int | None, most: int) -> Iterator[np.ndarray]:
        """Yield the samples from ``start`` on as blocks (n,) float32 with one channel.

        Args:
            start: the first sample.
            wanted: how many samples; None reads to the end.
            most: values that are decoded at a time, over all channels.

        Raises:
            AudioTruncatedError: the recording ends, or cannot be decoded further, before the end that it states or that
                is wanted; what is good before that was yielded.
        """
        good = got = 0
        for block, is_sound in self._range(start, wanted, most):
            got += len(block)
            good += len(block) * is_sound
            yield block
        self._hold(start, wanted, good, got)
        for note in self._contents.notes:
            warn(self.name, note)

    # Held against the container

    def _hold(self, start: int, wanted: int | None, good: int, got: int) -> None:
        """Compare what was decoded with what the container says, or with what is wanted."""
        rate = self.sample_rate
        needed = wanted
        if needed is None and (frames := self.stated_frames) is not None:
            needed = max(frames - start, 0)
        if needed is not None and good < needed - SLACK_S * rate:
            if not self._salvage:
                raise AudioTruncatedError(
                    f"{self.name}: {needed / rate:.2f} s needed from {start / rate:.2f} s on, "
                    f"only {got / rate:.2f} s are there"
                )
            reasons = f" ({', '.join(self._contents.faults)})" * bool(self._contents.faults)
            filled = "; silence stands for what is lost between" * (got > good)
            warn(self.name, f"{(needed - good) / rate:.2f} of {needed / rate:.2f} s are missing{reasons}{filled}")
        elif self._contents.faults:
            warn(self.name, f"{', '.join(self._contents.faults)}; {good / rate:.2f} s were read")

    def _damage(self) -> str:
        """Return the message for a recording that is not whole."""
        what, length = ", ".join(self._contents.faults), self._contents.length_s
        if length is None:
            return f"{self.name}: cut or damaged ({what}); {KEEP}"
        seconds = f"{max(length - self._contents.lost_s, 0):.2f} of {length:.2f} s can be read"
        return f"{self.name}: cut or damaged: {seconds} ({what}); {KEEP}"

    # Parts

    def _open_first(self) -> tuple[Decoder, list[Part]]:
        """Open the first part that can be decoded; return it with all parts from it on, the seconds before it added."""
        parts = list(self._contents.parts)
        skipped = 0.0
        while parts:
            try:
                decoder = self._open(parts[0])
            except AudioFormatError as fault:
                if not self._salvage or not self._contents.faults:
                    raise
                if len(parts) == 1:
                    raise AudioTruncatedError(f"{self.name}: nothing of it can be decoded ({fault})") from fault
                skipped += parts.pop(0).span_s or 0.0
                continue
            if skipped:
                parts[0] = Part(parts[0].pieces, skipped + (parts[0].span_s or decoder.frames / decoder.samplerate))
            return decoder, parts
        raise AudioTruncatedError(f"{self.name}: nothing of it can be decoded ({', '.join(self._contents.faults)})")

    def _open(self, part: Part) -> Decoder:
        # A file object, never a path: by path libsndfile guesses raw formats from the suffix.
        # TypeError: soundfile itself does so for `.raw`, by the object's name.
        file = io.BufferedReader(Spliced(self._file, part.pieces)) if part.pieces else self._file
        file.seek(0)
        try:
            return Decoder(file)
        except (soundfile.LibsndfileError, TypeError) as fault:
            reason = getattr(fault, "error_string", str(fault)).rstrip(".")
            check_rate(_wav_rate(file), self.name)
            raise AudioFormatError(
                f"{self.name}: cannot be decoded as a recording ({reason}); convert it to WAV or FLAC"
            ) from fault

    def _length(self, part: Part) -> int:
        """Return the samples of a part at the recording's rate, and of what was lost before it; 0 where it fails."""
        try:
            with closing(self._open(part)) as decoder:
                seconds = decoder.frames / decoder.samplerate if decoder.states_frames else 0.0
        except AudioError:
            seconds = 0.0
        return round(max(part.span_s or 0.0, seconds) * self.sample_rate)

    def _range(self, start: int, wanted: int | None, most: int) -> Iterator[tuple[np.ndarray, bool]]:
        """Yield the blocks of a range, and whether each is sound, and not the silence for what is lost."""
        skip, left = start, UNKNOWN_FRAMES if wanted is None else wanted
        if start and len(self._parts) == 1 and self._parts[0].span_s is None:
            self._first.seek(min(start, self._first.frames))
            skip = 0
        for block, is_sound in self._timeline(most):
            if skip >= len(block):
                skip -= len(block)
                continue
            block, skip = block[skip : skip + left], 0
            left -= len(block)
            yield block, is_sound
            if left <= 0:
                return

    def _timeline(self, most: int) -> Iterator[tuple[np.ndarray, bool]]:
        """Yield all blocks from the first part on, silence for what is lost between parts."""
        budget = round(MAX_SILENCE_S * self.sample_rate)
        for decoder, lost_s, is_last in self._decoders():
            with closing(decoder):
                lost = min(round(lost_s * self.sample_rate), budget)
                yield from _silence(lost, most)
                got = 0
                for block in self._sound(decoder, most):
                    got += len(block)
                    yield block, True
                short = 0 if is_last else self._short(decoder, got)
                short = min(short, budget - lost)
                yield from _silence(short, most)
                budget -= lost + short

    def _decoders(self) -> Iterator[tuple[Decoder, float, bool]]:
        """Yield each part's decoder, the seconds that are lost before it, and whether it is the last one."""
        skipped = 0.0
        for i, part in enumerate(self._parts):
            try:
                decoder = self._first if i == 0 else self._open(part)
            except AudioError:
                if not self._salvage:
                    raise
                skipped += part.span_s or 0.0
                continue
            own = decoder.frames / decoder.samplerate if decoder.states_frames else 0.0
            lost = skipped if part.span_s is None else skipped + part.span_s - own
            yield decoder, max(lost, 0.0), i + 1 == len(self._parts)
            skipped = 0.0

    def _short(self, decoder: Decoder, got: int) -> int:
        """Return how many samples a part has fewer than its container says; refuse many of them."""
        if not decoder.states_frames:
            return 0
        seconds = decoder.frames / decoder.samplerate
        short = round(seconds * self.sample_rate) - got
        if short > SLACK_S * self.sample_rate and not self._salvage:
            there = f"a part of {seconds:.2f} s has only {got / self.sample_rate:.2f} s"
            raise AudioTruncatedError(f"{self.name}: cut or damaged: {there}; {KEEP}")
        return int(max(short, 0))

    def _sound(self, decoder: Decoder, most: int) -> Iterator[np.ndarray]:
        """Yield what libsndfile decodes of a part, as one channel at the recording's rate."""
        mixer = Mixer(decoder.samplerate, decoder.channels)
        resampler = Resampler(decoder.samplerate, self.sample_rate)
        yield from resampler.over(mixer.over(self._decoded(decoder, most)))
        if mixer.cancelled:
            warn(self.name, cancelled(mixer.cancelled / decoder.samplerate))

    def _decoded(self, decoder: Decoder, most: int) -> Iterator[np.ndarray]:
        at = decoder.tell()
        try:
            for block in decoder.blocks_of(most):
                at += len(block)
                yield block
        except soundfile.LibsndfileError as fault:
            if self._salvage or (decoder.states_frames and at >= decoder.frames):  # what follows is no sound
                return
            reason, rate = fault.error_string.strip(" .") or "libsndfile gives no reason", decoder.samplerate
            of = f" of {decoder.frames / rate:.1f} s" * decoder.states_frames
            raise AudioTruncatedError(
                f"{self.name}: cut or damaged, cannot be decoded after {at / rate:.1f} s{of} ({reason}); {KEEP}"
            ) from fault


def warn(name: str, what: str) -> None:
    """Warn of something about the recording ``name``."""
    warnings.warn(AudioWarning(f"{name}: {what}"), stacklevel=2)


def _silence(count: int, most: int) -> Iterator[tuple[np.ndarray, bool]]:
    """Yield so many zeros in blocks, and each time that they are no sound."""
    while count > 0:
        yield np.zeros(min(count, most), np.float32), False
        count -= most


def _wav_rate(file: BinaryIO) -> int | None:
    """Return the sample rate of a WAV whose fmt chunk comes first, as it nearly always does."""
    file.seek(0)
    head = file.read(28)
    return int.from_bytes(head[24:28], "little") if head[8:16] == b"WAVEfmt " else None
