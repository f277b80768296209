"""What a recipe does around training, as ``recipes/NAME/stages.yaml`` says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asr.decoding import DecoderSettings
from asr.errors import ConfigError
from asr.files import share_folder

DATA = Path("data")
"""Where corpora lie unless the command says otherwise."""

JUDGES = ("test", "leave_one_speaker_out", "judge")


@dataclass(frozen=True)
class Corpus:
    """A corpus to prepare.

    Attributes:
        importer: its name.
        folder: where it lies, below ``DATA``.
        manifests: the folder they are written to.
        parts: subsets that are needed, each a manifest and, at the corpus's home, an archive; all it has when ().
    """

    importer: str
    folder: Path
    manifests: Path
    parts: Sequence[str]


@dataclass(frozen=True)
class WordCuts:
    """Single words that are cut out of what the corpora say, to be learned from.

    Attributes:
        words: which.
        of: manifests of the corpora.
        model: the bundle that hears where a word is said.
        to: the manifest of them.
    """

    words: Sequence[str]
    of: Sequence[Path]
    model: str
    to: Path


@dataclass(frozen=True)
class LexiconPlan:
    """How the words are said, for a network that hears phones.

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
        wer: as published, a fraction; None where it is not.
        cer: the same.
        source: where that stands, or how it was measured.
        hypotheses: what it made of our own test set, as `asr evaluate -o` writes it, scored in place of wer and cer.
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
class Plan:
    """The stages of one recipe.

    Attributes:
        name: its folder below recipes/.
        title: the heading of its table.
        corpora: to prepare.
        cut: words to cut out of them; None for none.
        lexicon: of their words; None for none.
        test: manifest the exported bundle is judged by; or
        leave_one_speaker_out: manifest whose every speaker is judged by a model trained on all others; or
        judges_dev: the run's own dev set judges, each half of its speakers read with weights tuned on the other.
        further_tests: manifests that the bundle is judged by as well, where they are there.
        rounds: of training, each with settings (``key=value``) on top of the recipe's, from the weights before.
        grammar: all that can be said in the corpus, as a second way to read; () where that is free.
        language_model: None for none.
        beam_width: prefixes kept where it is read with the language model.
        peers: other systems to stand beside.
        card: what the model card says, where a bundle is exported.
    """

    name: str
    title: str
    corpora: Sequence[Corpus]
    cut: WordCuts | None
    lexicon: LexiconPlan | None
    test: Path | None
    leave_one_speaker_out: Path | None
    judges_dev: bool
    further_tests: Sequence[Path]
    rounds: Sequence[Sequence[str]]
    grammar: Sequence[str]
    language_model: LanguageModelPlan | None
    beam_width: int
    peers: Sequence[Peer]
    card: Mapping[str, Any] | None

    @property
    def home(self) -> Path:
        """The recipe's own folder, in the checkout or the installed package."""
        return share_folder("recipes") / self.name

    def last_round(self) -> Plan:
        """The plan of someone who has a model to begin with: the last round of training alone."""
        return replace(self, rounds=self.rounds[-1:])

    def place(self, corpus: Corpus, data: Path | None) -> Path:
        """Where ``corpus`` lies, if the command line named ``data``: the one corpus, or what holds several."""
        if data is None:
            return corpus.folder
        return data if len(self.corpora) == 1 else data / corpus.folder.relative_to(DATA)

    def text(self, data: Path | None) -> Path | None:
        """Where the language model's prose lies, beside the corpora; None where the plan has none."""
        text = self.language_model.text if self.language_model else None
        if text is None or data is None:
            return text
        return (data.absolute().parent if len(self.corpora) == 1 else data) / text.relative_to(DATA)


def read_plan(name: str) -> Plan:
    """Read ``recipes/NAME/stages.yaml``.

    Raises:
        ConfigError: it does not say what to do.
    """
    from omegaconf import OmegaConf

    path = share_folder("recipes") / name / "stages.yaml"
    tree: Any = OmegaConf.to_container(OmegaConf.load(path))
    try:
        return _plan(name, tree)
    except (KeyError, TypeError, ValueError, ConfigError) as fault:
        raise ConfigError(f"{path}: {fault}") from fault


def _plan(name: str, tree: Mapping[str, Any]) -> Plan:
    if sum(key in tree for key in JUDGES) != 1 or tree.get("judge", "dev") != "dev":
        raise ConfigError("one of test, leave_one_speaker_out and judge: dev is needed")
    if "then_train" in tree and "leave_one_speaker_out" in tree:
        raise ConfigError("then_train is of one model, and leave_one_speaker_out trains several")
    if "beam_width" in tree and "language_model" not in tree:
        raise ConfigError("beam_width is of reading with a language_model, and there is none")
    prepare, loso = tree["prepare"], tree.get("leave_one_speaker_out")
    return Plan(
        name=name,
        title=tree["title"],
        corpora=tuple(_corpus(**one) for one in (prepare if isinstance(prepare, list) else [prepare])),
        cut=_cut(**tree["cut"]) if "cut" in tree else None,
        lexicon=_lexicon(**tree["lexicon"]) if "lexicon" in tree else None,
        test=Path(tree["test"]) if "test" in tree else None,
        leave_one_speaker_out=Path(loso) if loso else None,
        judges_dev="judge" in tree,
        further_tests=tuple(map(Path, tree.get("further_tests", ()))),
        rounds=((), *map(tuple, tree.get("then_train", ()))),
        grammar=tuple(tree.get("grammar", ())),
        language_model=_language_model(**tree["language_model"]) if "language_model" in tree else None,
        beam_width=DecoderSettings(beam_width=tree.get("beam_width", DecoderSettings.beam_width)).beam_width,
        peers=tuple(Peer(**peer) for peer in tree.get("peers", ())),
        card=tree.get("card"),
    )


def _corpus(corpus: str, folder: str, manifests: str | None = None, parts: Sequence[str] = ()) -> Corpus:
    return Corpus(corpus, Path(folder), Path(manifests or f"manifests/{corpus}"), tuple(parts))


def _cut(words: Sequence[str], of: Sequence[str], model: str, to: str) -> WordCuts:
    return WordCuts(tuple(words), tuple(map(Path, of)), model, Path(to))


def _lexicon(language: str, to: str) -> LexiconPlan:
    return LexiconPlan(language, Path(to))


def _language_model(order: int, text: str | None = None, **more: Any) -> LanguageModelPlan:
    return LanguageModelPlan(order, Path(text) if text else None, **more)
