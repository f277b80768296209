"""What a recipe does around training, as ``stages`` of its recipe.yaml says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import yaml

from asr.decoding import DecoderSettings
from asr.errors import ConfigError
from asr.recipe.find import FILE, find_recipe
from asr.typed import from_tree

DATA = Path("data")
"""Where corpora lie unless the command says otherwise."""


@dataclass(frozen=True)
class CorpusPlan:
    """A corpus to prepare.

    Attributes:
        corpus: its importer, as `asr prepare` names it.
        folder: where it lies, below ``DATA``.
        manifests: the folder its manifests are written to; ``manifests/`` and the importer's name unless given.
        parts: subsets that are needed, each a manifest and, at the corpus's home, an archive; all it has when ().
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
    """Single words that are cut out of what the corpora say, to be learned from.

    Attributes:
        words: which.
        of: manifests of the corpora.
        model: the bundle that finds where a word is said.
        to: the manifest of the cut words.
    """

    words: Sequence[str]
    of: Sequence[Path]
    model: str
    to: Path


@dataclass(frozen=True)
class LexiconPlan:
    """The pronouncing dictionary, for a network that hears phones.

    Attributes:
        language: as gruut names it.
        to: the dictionary of the transcripts' words.
    """

    language: str
    to: Path


@dataclass(frozen=True)
class LanguageModelPlan:
    """What the language model is made of.

    Attributes:
        order: words of its longest n-gram.
        text: prose below ``DATA``; the training transcripts where None or not there.
        of: what ``text`` is, in the table.
        vocabulary_size: only so many of its words.
        size_mb: million bytes that the file may have.
    """

    order: int
    text: Path | None = None
    of: str = "the training transcripts"
    vocabulary_size: int | None = None
    size_mb: float | None = None


@dataclass(frozen=True)
class Peer:
    """Another system, a row in the table.

    Attributes:
        system: its name.
        source: where its figures stand, or how they were measured.
        wer: as published, a fraction; None where it is not.
        cer: the same.
        hypotheses: its output on our own test set, as `asr evaluate -o` writes it, scored in place of wer and cer.
        rtf: its real-time factor, where we measured it.
        test_set: which of the recipe's, such as test-clean; its main one when None.
    """

    system: str
    source: str
    wer: float | None = None
    cer: float | None = None
    hypotheses: str | None = None
    rtf: float | None = None
    test_set: str | None = None


@dataclass(frozen=True)
class CardSource:
    """A corpus that the model learns from, as the model card credits it."""

    name: str
    licence: str
    attribution: str
    url: str


@dataclass(frozen=True)
class CardPlan:
    """What the model card says (see `asr.export.card.CardText`)."""

    title: str
    language: str
    good_for: str
    not_for: str
    data: Sequence[CardSource]


@dataclass(frozen=True, kw_only=True)
class Stages:
    """The stages of one recipe, as its file has them.

    Attributes:
        title: the heading of its table.
        prepare: the corpora.
        cut: words to cut out of them; None for none.
        lexicon: of their words; None for none.
        test: manifest that the exported bundle is tested on; or
        leave_one_speaker_out: manifest whose every speaker is tested by a model trained on all others; or
        test_on_dev: test on the run's own dev set, each half of its speakers with weights tuned on the other half.
        further_tests: manifests that the bundle is tested on as well, where they are there.
        then_train: further rounds of training, each with settings (``key=value``) on top of the recipe's, from the
            weights of the round before.
        grammar: all that can be said in the corpus, as a second way to decode; () where that is free.
        language_model: None for none.
        beam_width: prefixes kept where it is decoded with the language model.
        peers: other systems to stand beside.
        card: what the model card says, where a bundle is exported.
    """

    title: str
    prepare: Sequence[CorpusPlan]
    cut: WordCuts | None = None
    lexicon: LexiconPlan | None = None
    test: Path | None = None
    leave_one_speaker_out: Path | None = None
    test_on_dev: bool = False
    further_tests: Sequence[Path] = ()
    then_train: Sequence[Sequence[str]] = ()
    grammar: Sequence[str] = ()
    language_model: LanguageModelPlan | None = None
    beam_width: int | None = None
    peers: Sequence[Peer] = ()
    card: CardPlan | None = None

    def __post_init__(self) -> None:
        """Refuse stages that contradict each other."""
        if sum(map(bool, (self.test, self.leave_one_speaker_out, self.test_on_dev))) != 1:
            raise ConfigError("one of test, leave_one_speaker_out and test_on_dev: true is needed")
        if self.then_train and self.leave_one_speaker_out:
            raise ConfigError("then_train is of one model, and leave_one_speaker_out trains several")
        if self.beam_width is not None:
            if self.language_model is None:
                raise ConfigError("beam_width is of decoding with a language_model, and there is none")
            DecoderSettings(beam_width=self.beam_width)


@dataclass(frozen=True, kw_only=True)
class Plan(Stages):
    """The stages of a recipe that has a name and a place.

    Attributes:
        name: its folder's.
        home: its folder.
        rounds: settings of each round of training; of the first there are none beside the recipe's own.
    """

    name: str
    home: Path
    rounds: Sequence[Sequence[str]]

    @property
    def width(self) -> int:
        """Prefixes kept by the beam search."""
        return self.beam_width or DecoderSettings.beam_width

    def last_round(self) -> Plan:
        """Return the plan of someone who has a model to begin with: the last round of training alone."""
        return replace(self, rounds=self.rounds[-1:])

    def place(self, corpus: CorpusPlan, data: Path | None) -> Path:
        """Return where ``corpus`` lies, if the command line named ``data``: the one corpus, or what holds several."""
        if data is None:
            return corpus.folder
        return data if len(self.prepare) == 1 else data / corpus.folder.relative_to(DATA)

    def text(self, data: Path | None) -> Path | None:
        """Return where the language model's prose lies, beside the corpora; None where the plan has none."""
        text = self.language_model.text if self.language_model else None
        if text is None or data is None:
            return text
        return (data.absolute().parent if len(self.prepare) == 1 else data) / text.relative_to(DATA)


def read_plan(name: str) -> Plan:
    """Read the stages of a recipe, by its name or its folder's path.

    Raises:
        ConfigError: there is no such recipe, or it does not say what to do.
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
