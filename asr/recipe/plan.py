"""What a recipe does around training, as ``recipes/NAME/stages.yaml`` says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.errors import ConfigError
from asr.files import share_folder


@dataclass(frozen=True)
class Peer:
    """Someone else's published result, a row in the table; fractions, None where not published."""

    system: str
    wer: float | None
    cer: float | None
    source: str


@dataclass(frozen=True)
class Plan:
    """The stages of one recipe.

    Attributes:
        name: its folder below recipes/.
        title: the heading of its table.
        corpus: the importer's name.
        folder: where the corpus lies unless the command says otherwise.
        test: manifest the exported bundle is judged by; or
        leave_one_speaker_out: manifest whose every speaker is judged by a model trained on all others.
        grammar: all that can be said in the corpus, as a second way to read; () where that is free.
        lm_order: of the language model of the training transcripts; None for none.
        peers: published results to stand beside.
        card: what the model card says, where a bundle is exported.
    """

    name: str
    title: str
    corpus: str
    folder: Path
    test: Path | None
    leave_one_speaker_out: Path | None
    grammar: Sequence[str]
    lm_order: int | None
    peers: Sequence[Peer]
    card: Mapping[str, Any] | None

    @property
    def home(self) -> Path:
        """The recipe's own folder, in the checkout or the installed package."""
        return share_folder("recipes") / self.name


def read_plan(name: str) -> Plan:
    """Read ``recipes/NAME/stages.yaml``.

    Raises:
        ConfigError: it does not say what to do.
    """
    from omegaconf import OmegaConf

    path = share_folder("recipes") / name / "stages.yaml"
    tree: Any = OmegaConf.to_container(OmegaConf.load(path))
    test, loso = tree.get("test"), tree.get("leave_one_speaker_out")
    if bool(test) == bool(loso):
        raise ConfigError(f"{path}: one of test and leave_one_speaker_out is needed")
    return Plan(
        name=name,
        title=tree["title"],
        corpus=tree["prepare"]["corpus"],
        folder=Path(tree["prepare"]["folder"]),
        test=Path(test) if test else None,
        leave_one_speaker_out=Path(loso) if loso else None,
        grammar=tuple(tree.get("grammar", ())),
        lm_order=tree.get("language_model", {}).get("order"),
        peers=tuple(Peer(**peer) for peer in tree.get("peers", ())),
        card=tree.get("card"),
    )
