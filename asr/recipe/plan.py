"""The plan of a recipe: the stages around training, as ``stages`` in its recipe.yaml states them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import yaml

from asr.card import CardText
from asr.decoding import DecoderSettings
from asr.errors import ConfigError
from asr.recipe.find import FILE, find_recipe
from asr.typed import from_tree

DATA = Path("data")
"""The folder of the corpora, unless the command names another."""


@dataclass(frozen=True)
class CorpusPlan:
    """A corpus to prepare.

    Attributes:
        corpus: the name of its importer in `asr prepare`.
        folder: the folder of the corpus, below ``DATA``.
        manifests: the folder that its manifests are written to; ``manifests/`` and the importer's name unless given.
        parts: the subsets that are needed, each a manifest and, at the corpus's home, an archive; all subsets when ().
    """

    corpus: str
    folder: Path
    manifests: Path = Path()
    parts: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Name the folder of manifests after the importer."""
        if self.manifests == Path():
            object.__setattr__(self, "manifests", Path("manifests") / self.corpus)


@dataclass(frozen=True)
class WordCuts:
    """Single words that are cut out of the corpora's utterances, to train on.

    Attributes:
        words: the words to cut out.
        of: the manifests of the corpora.
        model: the bundle whose model finds the times of a word.
        to: the manifest of the cut words.
    """

    words: Sequence[str]
    of: Sequence[Path]
    model: str
    to: Path


@dataclass(frozen=True)
class LexiconPlan:
    """The pronouncing dictionary, for a network that also outputs phones.

    Attributes:
        language: the language, as gruut names it.
        to: the file of the dictionary, which holds the transcripts' words.
    """

    language: str
    to: Path


@dataclass(frozen=True)
class LanguageModelPlan:
    """The language model: its text, its order and its size.

    Attributes:
        order: the number of words in its longest n-gram.
        text: a file of prose below ``DATA``; the training transcripts where it is None or not there.
        of: the description of ``text`` in the table.
        beside: manifests of transcripts that are counted beside ``text``, for what books do not have, such as spelling.
        beside_times: the number of times that each of these transcripts counts.
        vocabulary_size: the largest number of different words that the model knows; None for no limit.
        size_mb: the largest size of the file, in million bytes; None for no limit.
    """

    order: int
    text: Path | None = None
    of: str = "the training transcripts"
    beside: Sequence[Path] = ()
    beside_times: int = 1
    vocabulary_size: int | None = None
    size_mb: float | None = None


@dataclass(frozen=True)
class Peer:
    """Another system, a row in the table.

    Attributes:
        system: the name of the system.
        source: the publication of its figures, or how they were measured.
        wer: the published word error rate, a fraction; None where none is published.
        cer: the published character error rate, a fraction; None where none is published.
        hypotheses: a file with its output on our own test set, as `asr evaluate -o` writes it, which is scored in place
            of wer and cer.
        rtf: its real-time factor, where we measured it.
        test_set: the name of the recipe's test set, such as test-clean; the main one when None.
    """

    system: str
    source: str
    wer: float | None = None
    cer: float | None = None
    hypotheses: str | None = None
    rtf: float | None = None
    test_set: str | None = None


@dataclass(frozen=True)
class Condition:
    """A condition in which the main test set is evaluated once more, altered as `asr.data.augment` does it.

    Attributes:
        name: the name of the condition, such as telephone.
        rt60_s: the seconds in which sound decays by 60 dB in a simulated room; None for no room.
        snr_db: the level of the speech above recordings of noise; None for no noise.
        noise: the folders or patterns of recordings of noise, below ``DATA``.
        telephone: whether the speech comes by a telephone line.
    """

    name: str
    rt60_s: float | None = None
    snr_db: float | None = None
    noise: Sequence[Path] = ()
    telephone: bool = False

    def __post_init__(self) -> None:
        """Refuse a condition that alters nothing, and noise without its level or its recordings."""
        if self.rt60_s is None and self.snr_db is None and not self.telephone:
            raise ConfigError(f"conditions: {self.name} alters nothing; give rt60_s, snr_db or telephone: true")
        if (self.snr_db is None) != (not self.noise):
            raise ConfigError(f"conditions: {self.name} needs both snr_db and noise, or neither")


@dataclass(frozen=True, kw_only=True)
class Stages:
    """The stages of one recipe, as its file states them; just one of the three kinds of test is given.

    Attributes:
        title: the heading of the recipe's table.
        prepare: the corpora to prepare.
        cut: the words to cut out of the corpora; None for none.
        lexicon: the pronouncing dictionary of their words; None for none.
        test: the manifest that the exported bundle is tested on.
        leave_one_speaker_out: a manifest; each of its speakers is tested with a model trained on all others.
        test_on_dev: whether the run's own dev set is the test, each half of its speakers with weights tuned on the
            other half.
        further_tests: manifests that the bundle is also tested on, where they are there.
        conditions: the conditions in which the bundle's own way to decode is also tested on the main test set.
        then_train: further rounds of training, each with settings (``key=value``) that override the recipe's; a round
            starts from the weights of the one before.
        grammar: all phrases that occur in the corpus, as a second way to decode; () where speech is free.
        language_model: the language model; None for none.
        beam_width: the number of prefixes kept in decoding with the language model; None for the default.
        peers: the other systems in the table.
        card: the text of the model card, where a bundle is exported.
    """

    title: str
    prepare: Sequence[CorpusPlan]
    cut: WordCuts | None = None
    lexicon: LexiconPlan | None = None
    test: Path | None = None
    leave_one_speaker_out: Path | None = None
    test_on_dev: bool = False
    further_tests: Sequence[Path] = ()
    conditions: Sequence[Condition] = ()
    then_train: Sequence[Sequence[str]] = ()
    grammar: Sequence[str] = ()
    language_model: LanguageModelPlan | None = None
    beam_width: int | None = None
    peers: Sequence[Peer] = ()
    card: CardText | None = None

    def __post_init__(self) -> None:
        """Refuse stages that contradict each other."""
        if sum(map(bool, (self.test, self.leave_one_speaker_out, self.test_on_dev))) != 1:
            raise ConfigError("one of test, leave_one_speaker_out and test_on_dev: true is needed")
        if self.then_train and self.leave_one_speaker_out:
            raise ConfigError("then_train goes on with one model, and leave_one_speaker_out trains several")
        if self.beam_width is not None:
            if self.language_model is None:
                raise ConfigError("beam_width applies to decoding with a language_model, and there is none")
            DecoderSettings(beam_width=self.beam_width)


@dataclass(frozen=True, kw_only=True)
class Plan(Stages):
    """The stages of a recipe, with its name and its folder.

    Attributes:
        name: the name of the recipe's folder.
        home: the recipe's folder.
        rounds: the settings of each round of training; the first round has none beside the recipe's own.
    """

    name: str
    home: Path
    rounds: Sequence[Sequence[str]]

    @property
    def width(self) -> int:
        """The number of prefixes that the beam search keeps."""
        return self.beam_width or DecoderSettings.beam_width

    def last_round(self) -> Plan:
        """Return the plan with the last round of training alone, for a user who begins with a model."""
        return replace(self, rounds=self.rounds[-1:])

    def place(self, corpus: CorpusPlan, data: Path | None) -> Path:
        """Return the folder of ``corpus``.

        ``data`` is the folder that the command names: that of the only corpus, or the one that contains several.
        """
        if data is None:
            return corpus.folder
        return data if len(self.prepare) == 1 else data / corpus.folder.relative_to(DATA)

    def noise(self, condition: Condition, data: Path | None) -> list[Path]:
        """Return where the recordings of noise of a condition are."""
        return [path if data is None else data / path.relative_to(DATA) for path in condition.noise]

    def text(self, data: Path | None) -> Path | None:
        """Return the file of the language model's prose, beside the corpora; None where the plan has none."""
        text = self.language_model.text if self.language_model else None
        if text is None or data is None:
            return text
        return (data.absolute().parent if len(self.prepare) == 1 else data) / text.relative_to(DATA)


def read_plan(name: str) -> Plan:
    """Read the stages of a recipe, by its name or its folder's path.

    Raises:
        ConfigError: there is no such recipe, or its stages are missing or make no sense.
    """
    home = find_recipe(name)
    try:
        tree = yaml.safe_load((home / FILE).read_text(encoding="utf-8"))
        if not isinstance(tree, dict) or "stages" not in tree:
            raise ConfigError("it has settings alone, for asr train; stages are needed")
        stages = from_tree(Stages, tree["stages"], "stages")
    except (ConfigError, yaml.YAMLError) as fault:
        raise ConfigError(f"{home / FILE}: {' '.join(str(fault).split())}") from fault
    given = {field.name: getattr(stages, field.name) for field in fields(stages)}
    return Plan(**given, name=home.resolve().name, home=home, rounds=((), *stages.then_train))
