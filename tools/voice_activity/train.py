"""Train the voice-activity detector that ships, `asr/audio/voice_activity.onnx`, and measure it on what it never heard.

    python tools/voice_activity/train.py --data data [--measure-only]

Speech of six corpora and the sounds of ESC-10 are cut, bent and mixed into chunks of four seconds, whose log-mel frames
are computed once; a convolutional network in PyTorch then learns from them for some epochs. What is kept for
measuring: eight speakers of LibriSpeech dev-clean, AN4's test set, one speaker of FSDD, every sixth of speechocean762,
every fifth recording of Common Voice, every tenth of voice-kathleen, all of LJSpeech, and fold 5 of ESC-10.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import soxr
from onnx import TensorProto, helper, numpy_helper

from asr.audio import load_audio
from asr.audio.voice_activity import (
    _NETWORK,
    DILATIONS,
    FRAME_S,
    N_FFT,
    STEP,
    VoiceActivity,
    _joined,
    _runs,
    speech_spans,
)
from asr.files import write_atomically
from asr.provenance import provenance

RATE, HOP, CHUNK_S = 16_000, 160, 4.0
CHUNK = round(CHUNK_S * RATE)
CHUNK_FRAMES = 1 + CHUNK // HOP
BANDS, CHANNELS = 40, 64
HELD_OUT_LIBRISPEECH = {"84", "1462", "1673", "1919", "174", "251", "422", "652"}
HELD_OUT_FSDD = "theo"
TEST_FOLD = "5"
IGNORED = -1
"""Label of a frame that is neither: the edge of speech, where no threshold is right."""

HARD = ("001", "004", "006", "009")
"""Classes of ESC-10 made by a throat: drawn twice as often."""

FLOOR = 3e-8
"""Power added to each band, about what rounding to 16 bits adds: what is below is silence at any level."""


# --- recordings ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Corpus:
    """Recordings of speech to train on and to measure with; ``trimmed`` ones have no silence around the speech."""

    name: str
    train: list[Path]
    test: list[Path]
    trimmed: bool = False


def corpora(data: Path) -> list[Corpus]:
    """All the speech there is, split."""
    return [
        _split("LibriSpeech", data.glob("LibriSpeech/dev-clean/*/*/*"), lambda p: p.parts[-3] in HELD_OUT_LIBRISPEECH),
        _split("AN4", data.glob("an4/wav/*/*/*"), lambda p: p.parts[-3] == "an4test_clstk"),
        _split("FSDD", _fsdd(data), lambda p: p.stem.split("_")[1] == HELD_OUT_FSDD, trimmed=True),
        _split("speechocean762", data.glob("speechocean762/WAVE/*/*"), lambda p: int(p.parent.name[7:]) % 6 == 0),
        _split("voice-kathleen", data.glob("voice-kathleen/**/*"), lambda p: hash_of(p) % 10 == 0),
        _split("Common Voice", data.glob("cv-corpus-*/en/clips/*"), lambda p: hash_of(p) % 5 == 0),
        _split("LJSpeech", data.glob("LJSpeech-1.1/wavs/*"), lambda p: True),
    ]


def _fsdd(data: Path) -> Iterator[Path]:
    return data.glob("free-spoken-digit-dataset/recordings/*")


def hash_of(path: Path) -> int:
    """A number that is the same on every machine."""
    return sum(path.stem.encode())


def _split(name: str, found: Iterator[Path], held_out: Callable[[Path], bool], trimmed: bool = False) -> Corpus:
    recordings = sorted(p for p in found if p.suffix in {".opus", ".flac", ".wav", ".mp3"})
    if not recordings:
        raise SystemExit(f"no recordings of {name} below --data")
    parts: tuple[list[Path], list[Path]] = ([], [])
    for path in recordings:
        parts[held_out(path)].append(path)
    return Corpus(name, *parts, trimmed=trimmed)


def sounds(data: Path, test: bool) -> dict[str, list[Path]]:
    """Recordings of ESC-10 by class; the first digit of a file's name is its fold."""
    folders = sorted(p for p in (data / "ESC-10").iterdir() if p.is_dir())
    return {f.name: sorted(p for p in f.iterdir() if (p.name[0] == TEST_FOLD) == test) for f in folders}


# --- labels -------------------------------------------------------------------------------------------------------


def speech_energy(bands: np.ndarray, trimmed: bool) -> np.ndarray:
    """Frames (T,) whose energy stands out of the recording's background; ``bands`` are natural log-mel (T, F)."""
    decibels = 10 * np.log10(np.exp(bands[:, 2:]).sum(1))
    level, background = np.percentile(decibels, [95, 5])
    threshold = level - 30 if trimmed else max(level - 32, background + 0.35 * (level - background))
    return keep(decibels > threshold, least=5)


def keep(flags: np.ndarray, least: int) -> np.ndarray:
    """``flags`` without runs shorter than ``least`` frames."""
    return paint([(a, b) for a, b in _runs(flags) if b - a >= least], len(flags))


def paint(spans: list[tuple[int, int]], length: int) -> np.ndarray:
    """Flags (length,), true within ``spans``."""
    flags = np.zeros(length, bool)
    for start, stop in spans:
        flags[max(start, 0) : stop] = True
    return flags


def labels_of(bands: np.ndarray, trimmed: bool) -> np.ndarray:
    """1 speech, 0 none, `IGNORED` in 150 ms around speech; gaps within speech below 0.25 s are speech."""
    spans = _joined(_runs(speech_energy(bands, trimmed)), 25)
    labels = np.zeros(len(bands), np.int8)
    labels[paint([(a - 18, b + 18) for a, b in spans], len(bands))] = IGNORED
    labels[paint([(a - 3, b + 3) for a, b in spans], len(bands))] = 1
    return labels


# --- chunks -------------------------------------------------------------------------------------------------------


class Mixer:
    """Draws chunks of speech, of sounds, and of both, with their labels."""

    def __init__(self, data: Path, detector: VoiceActivity, rng: np.random.Generator, hours_a_corpus: float) -> None:
        """Read what is mixed: at most ``hours_a_corpus`` of each corpus, chosen by ``rng``."""
        self.rng, self.detector = rng, detector
        self.speech = [self._read(c, hours_a_corpus) for c in corpora(data) if c.train]
        self.sounds = {name: [load_audio(p) for p in paths] for name, paths in sounds(data, test=False).items()}
        self.classes = [name for name in self.sounds for _ in range(2 if name.startswith(HARD) else 1)]

    def _read(self, corpus: Corpus, hours: float) -> list[tuple[np.ndarray, np.ndarray]]:
        """Samples and labels of recordings, until there are enough."""
        read, seconds = [], 0.0
        for i in self.rng.permutation(len(corpus.train)):
            samples = load_audio(corpus.train[i])
            samples = samples / max(np.abs(samples).max(), 1e-4)
            labels = labels_of(self.detector.log_mel(samples), corpus.trimmed)
            read.append((samples.astype(np.float16), labels))
            seconds += len(samples) / RATE
            if seconds > 3600 * hours:
                break
        return read

    def frames(self) -> tuple[np.ndarray, np.ndarray]:
        """Log-mel (CHUNK_FRAMES, F) and labels (CHUNK_FRAMES,); every fifth a short recording, its ends repeated."""
        samples, labels = self.chunk()
        if self.rng.random() < 0.8:
            return self.detector.log_mel(samples), labels
        length = self.rng.integers(15, 120)
        start = self.rng.integers(0, CHUNK_FRAMES - length)
        bands = self.detector.log_mel(samples[start * HOP : (start + length - 1) * HOP])
        beyond = (start, CHUNK_FRAMES - start - length)
        around = np.pad(labels[start : start + length], beyond, constant_values=IGNORED)
        return np.pad(bands, (beyond, (0, 0)), mode="edge"), around

    def chunk(self) -> tuple[np.ndarray, np.ndarray]:
        """Samples (CHUNK,) float32 and labels (CHUNK_FRAMES,)."""
        rng = self.rng
        if rng.random() < 0.55:
            samples, labels = self._speech()
            if rng.random() < 0.7:
                samples = mixed(samples, self._sound(), rng.uniform(0, 30), labels)
        else:
            samples, labels = self._sound(), np.zeros(CHUNK_FRAMES, np.int8)
            if rng.random() < 0.2:
                samples = samples + self._sound() * rng.uniform(0.1, 1)
        return self._recorded(samples), labels

    def _speech(self) -> tuple[np.ndarray, np.ndarray]:
        """Utterances of one corpus one after another, silences between, some faster or slower."""
        corpus = self.speech[self.rng.choice(len(self.speech), p=self._weights())]
        samples, labels = np.zeros(CHUNK, np.float32), np.zeros(CHUNK_FRAMES, np.int8)
        at = round(self.rng.choice([0, self.rng.uniform(0, 2)]) / FRAME_S)
        while at < CHUNK_FRAMES - 20:
            piece, marks = self._utterance(*corpus[self.rng.integers(len(corpus))])
            n = min(len(marks), CHUNK_FRAMES - at)
            labels[at : at + n] = marks[:n]
            cut = piece[: CHUNK - at * HOP]
            samples[at * HOP : at * HOP + len(cut)] = cut
            at += n + round(self.rng.exponential(0.5) / FRAME_S)
        return samples, labels

    def _weights(self) -> np.ndarray:
        hours = np.array([sum(len(samples) for samples, _ in corpus) for corpus in self.speech])
        return np.sqrt(hours) / np.sqrt(hours).sum()

    def _utterance(self, samples: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A stretch of a recording, its speed changed now and then, its labels with it."""
        start = self.rng.integers(0, max(len(labels) - CHUNK_FRAMES // 2, 1)) if self.rng.random() < 0.7 else 0
        samples, labels = samples[start * HOP : start * HOP + CHUNK].astype(np.float32), labels[start:][:CHUNK_FRAMES]
        if len(samples) < 400 or self.rng.random() < 0.6:
            return samples, labels
        speed = self.rng.uniform(0.8, 1.25)
        faster = changed_speed(samples, speed)
        frames = np.minimum((np.arange(1 + len(faster) // HOP) * speed).astype(int), len(labels) - 1)
        return faster, labels[frames]

    def _sound(self) -> np.ndarray:
        """(CHUNK,) of an ESC-10 recording, or of noise, hum, tones or clicks made here; peak 1, or silence."""
        if self.rng.random() < 0.3:
            return made_sound(self.rng)
        pool = self.sounds[self.classes[self.rng.integers(len(self.classes))]]
        samples = pool[self.rng.integers(len(pool))]
        if self.rng.random() < 0.6:
            samples = changed_speed(samples, self.rng.uniform(0.7, 1.4))
        if self.rng.random() < 0.2:
            samples = samples[::-1]
        samples = np.roll(samples, self.rng.integers(len(samples)))
        samples = np.resize(samples, CHUNK)
        return samples / max(np.abs(samples).max(), 1e-4)

    def _recorded(self, samples: np.ndarray) -> np.ndarray:
        """As a microphone, a room and a line might give it, at any level, rounded to 16 bits."""
        rng = self.rng
        if rng.random() < 0.2:
            samples = in_room(samples, rng)
        if rng.random() < 0.4:
            samples = equalised(samples, rng)
        if rng.random() < 0.4:
            samples = band_limited(samples, rng)
        samples = samples[:CHUNK] / max(np.abs(samples).max(), 1e-4) * 10 ** (rng.uniform(-45, 5) / 20)
        if rng.random() < 0.5:
            samples = samples + rng.standard_normal(CHUNK, np.float32) * 10 ** (rng.uniform(-100, -65) / 20)
        return (np.round(np.clip(samples, -1, 1) * 32767) / 32768).astype(np.float32)


def changed_rate(samples: np.ndarray, before: int, after: int) -> np.ndarray:
    """Resampled; as long as it was to within a sample once both ways are gone."""
    return np.asarray(soxr.resample(samples.astype(np.float32), before, after, quality="MQ"))


def changed_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Faster and higher by ``speed``."""
    return changed_rate(samples, round(RATE * speed), RATE)


def mixed(speech: np.ndarray, sound: np.ndarray, snr_db: float, labels: np.ndarray) -> np.ndarray:
    """Speech with a sound ``snr_db`` below it, powers taken over the frames of speech."""
    where = np.repeat(labels[:-1] == 1, HOP)
    if not where.any() or not sound.any():
        return speech
    return speech + sound * np.sqrt((speech[where] ** 2).mean() / (sound**2).mean() / 10 ** (snr_db / 10))


def in_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Convolved with noise that decays by 60 dB in 0.15 to 0.5 s, direct sound first."""
    t = np.arange(round(rng.uniform(0.15, 0.5) * RATE))
    impulse = rng.standard_normal(len(t)) * 10 ** (-3 * t / len(t)) * rng.uniform(0.01, 0.06)
    impulse[0] = 1
    size = 1 << (len(samples) + len(t)).bit_length()
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(impulse, size))[: len(samples)].astype(np.float32)


def equalised(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Through a smooth curve of ±10 dB over the octaves."""
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    curve = np.interp(np.log2(frequencies + 60), np.linspace(6, 13, 6), rng.uniform(-10, 10, 6))
    return np.fft.irfft(np.fft.rfft(samples) * 10 ** (curve / 20), len(samples)).astype(np.float32)


def band_limited(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Through a line: often nothing below 100 to 400 Hz, nothing above 2.8 to 4 or 8 kHz, by walls of any steepness."""
    octaves = np.log2(np.fft.rfftfreq(len(samples), 1 / RATE) + 1)
    low = np.log2(rng.choice([1.0, rng.uniform(100, 400)]))
    high = np.log2(rng.uniform(2800, 4000) if rng.random() < 0.7 else rng.uniform(4000, 8000))
    beyond = np.maximum(low - octaves, 0) + np.maximum(octaves - high, 0)
    gain = 10 ** (-np.exp(rng.uniform(np.log(40), np.log(4000))) * beyond / 20)
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)).astype(np.float32)


def made_sound(rng: np.random.Generator) -> np.ndarray:
    """Noise of a colour, steady or swelling; hum; a tone or a chirp; clicks; a burst; digital silence."""
    t = np.arange(CHUNK) / RATE
    kind = rng.choice(["colour", "colour", "colour", "hum", "tone", "clicks", "burst", "silence"])
    if kind == "silence":
        return np.zeros(CHUNK, np.float32)
    if kind == "hum":
        samples = sum(rng.uniform(0, 1) * np.sin(2 * np.pi * k * rng.choice([50, 60]) * t) for k in range(1, 9))
    elif kind == "tone":
        pitch = rng.uniform(80, 4000) * (1 + rng.choice([0, rng.uniform(-0.5, 0.5)]) * t / CHUNK_S)
        samples = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / RATE) / k for k in range(1, rng.integers(2, 5)))
        samples = samples * (np.sin(2 * np.pi * rng.uniform(0.3, 4) * t) > rng.choice([-2, 0]))
    elif kind == "clicks":
        samples = np.zeros(CHUNK)
        samples[rng.integers(0, CHUNK, rng.integers(1, 40))] = rng.uniform(-1, 1)
        samples = np.convolve(samples, rng.standard_normal(80) * np.exp(-np.arange(80) / rng.uniform(1, 20)))[:CHUNK]
    else:
        samples = coloured(rng, rng.uniform(-0.2, 2.2))
        if kind == "burst":
            start, length = rng.uniform(0, CHUNK_S), rng.uniform(0.05, 1)
            samples = samples * ((t > start) & (t < start + length))
        elif rng.random() < 0.4:
            samples = samples * (1.02 + np.sin(2 * np.pi * rng.uniform(0.1, 5) * t + rng.uniform(0, 6)))
    return (samples / max(np.abs(samples).max(), 1e-4)).astype(np.float32)


def coloured(rng: np.random.Generator, slope: float) -> np.ndarray:
    """Noise whose power falls as frequency to ``slope``: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(CHUNK))
    return np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 100) ** (slope / 2), CHUNK)


# --- training -----------------------------------------------------------------------------------------------------


def front_end() -> VoiceActivity:
    """A detector with librosa's filters and weights of zero."""
    layers = len(DILATIONS)
    return VoiceActivity(
        as_network(
            first=np.zeros((5, BANDS, 1)),
            first_bias=np.zeros(1),
            deep=np.zeros((layers, 3, 1, 1)),
            deep_bias=np.zeros((layers, 1)),
            out=np.zeros(1),
            out_bias=np.zeros(()),
        )
    )


def as_network(
    *,
    first: np.ndarray,
    first_bias: np.ndarray,
    deep: np.ndarray,
    deep_bias: np.ndarray,
    out: np.ndarray,
    out_bias: np.ndarray,
) -> bytes:
    """An ONNX graph ``power`` (T, 257) → ``log_mel`` (T, F), ``speech`` of every other frame that all layers reach.

    The second layer computes every other frame; the dilations of those after it are even, and need no others. Weights
    are kept in 16 bits, and made 32 when the graph is loaded.

    Args:
        first: (5, F, C) taps of the first layer.
        first_bias: (C,).
        deep: (L, 3, C, C) taps of one dilated layer for each of `DILATIONS`, added to its input.
        deep_bias: (L, C).
        out: (C,) weights of the logit.
        out_bias: ().
    """
    graph = _Graph()
    bands = graph.log_mel()
    x = graph.add("Unsqueeze", graph.add("Transpose", bands, perm=[1, 0]), graph.array([0], np.int64))
    x = graph.add("Relu", graph.convolution(x, first, first_bias))
    steps = (1, *[STEP] * len(DILATIONS))
    for taps, bias, dilation, step in zip(deep, deep_bias, DILATIONS, steps, strict=False):
        every = STEP if step == 1 else 1
        heard = graph.convolution(x, taps, bias, dilations=[dilation // step], strides=[every])
        x = graph.add("Add", graph.middle(x, dilation // step, every), graph.add("Relu", heard))
    x = graph.add("Sigmoid", graph.convolution(x, out[None, :, None], out_bias.reshape(1)))
    graph.add("Squeeze", x, graph.array([0, 1], np.int64), output="speech")
    return graph.serialised()


class _Graph:
    """Nodes and arrays so far; names count up, so that the same network gives the same bytes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        """Append a node; the name of its output."""
        output = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def array(self, values: object, dtype: type) -> str:
        """Keep an array; its name."""
        self.arrays.append(numpy_helper.from_array(np.asarray(values, dtype, order="C"), f"array_{len(self.arrays)}"))
        return self.arrays[-1].name

    def log_mel(self) -> str:
        """Bands (T, F) by librosa's filters."""
        import librosa

        filters = librosa.filters.mel(sr=RATE, n_fft=N_FFT, n_mels=BANDS, fmin=60, fmax=7800, norm=None)
        mel = self.add("MatMul", "power", self.array(filters.T, np.float32))
        return self.add("Log", self.add("Add", mel, self.array(FLOOR, np.float32)), output="log_mel")

    def convolution(self, x: str, taps: np.ndarray, bias: np.ndarray, **attributes: object) -> str:
        """Of ``x`` (1, C, T) with taps (K, C, C')."""
        weights = (self.array(values, np.float16) for values in (taps.transpose(2, 1, 0), bias))
        return self.add("Conv", x, *(self.add("Cast", name, to=TensorProto.FLOAT) for name in weights), **attributes)

    def middle(self, x: str, margin: int, step: int) -> str:
        """Every ``step``-th frame of ``x`` (1, C, T), without ``margin`` at either end."""
        return self.add("Slice", x, *(self.array([k], np.int64) for k in (margin, -margin, 2, step)))

    def serialised(self) -> bytes:
        """The model's bytes, checked by ONNX' own checker."""
        value = helper.make_tensor_value_info
        power = value("power", TensorProto.FLOAT, ["T", 1 + N_FFT // 2])
        outputs = [value("log_mel", TensorProto.FLOAT, ["T", BANDS]), value("speech", TensorProto.FLOAT, ["S"])]
        graph = helper.make_graph(self.nodes, "voice_activity", [power], outputs, self.arrays)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="asr")
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()


def train(chunks: np.ndarray, labels: np.ndarray, epochs: int, seed: int) -> dict[str, np.ndarray]:
    """Weights from log-mel chunks (B, T, F) float16 and labels (B, T): Adam, one cosine of learning rate."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    first = torch.nn.Conv1d(BANDS, CHANNELS, 5)
    deep = torch.nn.ModuleList(torch.nn.Conv1d(CHANNELS, CHANNELS, 3, dilation=d) for d in DILATIONS)
    out = torch.nn.Conv1d(CHANNELS, 1, 1)
    reach = 2 + sum(DILATIONS)

    def zero_sum() -> torch.Tensor:
        return first.weight - first.weight.mean((1, 2), keepdim=True)

    def logits(x: torch.Tensor) -> torch.Tensor:
        x = torch.nn.functional.pad(x.transpose(1, 2), (reach, reach), mode="replicate")
        x = torch.nn.functional.conv1d(x, zero_sum(), first.bias).relu()
        for layer, d in zip(deep, DILATIONS, strict=True):
            x = x[:, :, d:-d] + layer(x).relu()
        return out(x)[:, 0]

    parameters = [*first.parameters(), *deep.parameters(), *out.parameters()]
    batch, order = 32, np.random.default_rng(seed)
    steps = epochs * (len(chunks) // batch)
    adam = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 3e-3, total_steps=steps, pct_start=0.1)
    for epoch in range(epochs):
        losses, began = [], time.time()
        rows = order.permutation(len(chunks))[: len(chunks) // batch * batch].reshape(-1, batch)
        for row in rows:
            x, y = torch.from_numpy(chunks[row].astype(np.float32)), torch.from_numpy(labels[row].astype(np.float32))
            each = torch.nn.functional.binary_cross_entropy_with_logits(
                logits(x), y.clamp(min=0), reduction="none", weight=(y >= 0).float() * (1 + (y > 0).float())
            )
            loss = each.sum() / (y >= 0).sum()
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            adam.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, {time.time() - began:.0f} s", flush=True)
    return {
        "first": zero_sum().detach().permute(2, 1, 0).numpy(),
        "first_bias": first.bias.detach().numpy(),
        "deep": np.stack([layer.weight.detach().permute(2, 1, 0).numpy() for layer in deep]),
        "deep_bias": np.stack([layer.bias.detach().numpy() for layer in deep]),
        "out": out.weight.detach()[0, :, 0].numpy(),
        "out_bias": out.bias.detach()[0].numpy(),
    }


# --- measuring ----------------------------------------------------------------------------------------------------


Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def in_white_noise(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At 10 dB below the whole recording's power."""
    return samples + rng.standard_normal(len(samples), np.float32) * np.sqrt((samples**2).mean() / 10)


def by_telephone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Nothing below 300 or above 3400 Hz."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def faint(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The loudest sample at -46 dB of full scale, then rounded to 16 bits."""
    return (np.round(samples / np.abs(samples).max() * 0.005 * 32768) / 32768).astype(np.float32)


def as_recorded(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Unchanged."""
    return samples


CONDITIONS: dict[str, Change] = {
    "as recorded": as_recorded,
    "telephone band": by_telephone,
    "white noise at 10 dB": in_white_noise,
    "peak at -46 dB": faint,
}


def measure_speech(detector: VoiceActivity, corpus: Corpus, change: Change, limit: int) -> dict[str, float | int]:
    """How much of the speech is within spans; an utterance is missed where more than 0.2 s of it is not."""
    inside = total = spanned = frames = 0
    missed, rng = [], np.random.default_rng(0)
    for path in islice(corpus.test, 0, None, -(-len(corpus.test) // limit)):
        samples = load_audio(path)
        speech = speech_energy(detector.log_mel(samples), corpus.trimmed)
        found = paint(speech_spans(detector(change(samples, rng))), len(speech))
        inside, total = inside + int((speech & found).sum()), total + int(speech.sum())
        spanned, frames = spanned + int(found.sum()), frames + len(speech)
        missed.append(int((speech & ~found).sum()) > 0.2 / FRAME_S)
    return {
        "utterances": len(missed),
        "recall": round(inside / total, 4),
        "missed_utterances": sum(missed),
        "within_spans": round(spanned / frames, 3),
    }


def measure_sounds(detector: VoiceActivity, data: Path) -> dict[str, float]:
    """Seconds a minute within spans, of each class of the fold never heard."""
    seconds = {}
    for name, paths in sounds(data, test=True).items():
        found = [detector(load_audio(p)) for p in paths]
        spans = sum(b - a for p in found for a, b in speech_spans(p))
        seconds[name] = round(60 * spans / sum(map(len, found)), 1)
    return seconds


def main() -> None:
    """Train, write the network, measure, write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the corpora")
    parser.add_argument("--chunks", type=int, default=5000, help="of four seconds, to learn from")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--measure-only", action="store_true", help="measure the network that is there")
    parser.add_argument("--limit", type=int, default=100, help="utterances of a corpus to measure with")
    arguments = parser.parse_args()
    if not arguments.measure_only:
        learn(arguments)
    detector = VoiceActivity.load()
    results = {
        "command": "python tools/voice_activity/train.py --data data",
        **provenance(arguments.seed),
        "speech": {
            c.name: {name: measure_speech(detector, c, change, arguments.limit) for name, change in CONDITIONS.items()}
            for c in corpora(arguments.data)
        },
        "sounds_s_a_minute": measure_sounds(detector, arguments.data),
    }
    print(json.dumps(results, indent=2))
    with write_atomically(Path(__file__).with_name("results.json")) as temporary:
        temporary.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def learn(arguments: argparse.Namespace) -> None:
    """Mix, train and write the network."""
    began = time.time()
    empty = front_end()
    mixer = Mixer(arguments.data, empty, np.random.default_rng(arguments.seed), hours_a_corpus=0.7)
    print(f"read after {time.time() - began:.0f} s", flush=True)
    chunks = np.empty((arguments.chunks, CHUNK_FRAMES, BANDS), np.float16)
    labels = np.empty((arguments.chunks, CHUNK_FRAMES), np.int8)
    for i in range(len(chunks)):
        chunks[i], labels[i] = mixer.frames()
    print(f"mixed after {time.time() - began:.0f} s", flush=True)
    network = as_network(**train(chunks, labels, arguments.epochs, arguments.seed))
    with write_atomically(_NETWORK) as temporary:
        temporary.write_bytes(network)


if __name__ == "__main__":
    main()
