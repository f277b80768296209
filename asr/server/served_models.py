"""The models that are loaded, by the ids that clients name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.bundle import find_bundle
from asr.card import NOT_STATED
from asr.errors import BundleNotFoundError, ConfigError
from asr.inference import Decoding, Transcriber, load_model
from asr.languages import NAMES, code_of
from asr.server.batched_decoding import BatchedDecoding
from asr.server.options import ServerOptions
from asr.server.worker_pool import WorkerPool


@dataclass(frozen=True)
class ServedModel:
    """A loaded model.

    Attributes:
        id: what clients call it: the name of its bundle's folder.
        transcriber: transcribes by it.
        decoding: decodes for several requests at once.
        created: when its files were written, in seconds since 1970.
    """

    id: str
    transcriber: Transcriber
    decoding: BatchedDecoding
    created: int

    @property
    def language(self) -> str:
        """The code of the language, such as ``en``; empty where the card has none."""
        language = self.transcriber.bundle.card.language
        return "" if language == NOT_STATED else language.lower()

    @property
    def language_name(self) -> str:
        """The name of the language as OpenAI's route writes it."""
        return NAMES.get(self.language, self.language)

    def has_language(self, wanted: str) -> bool:
        """Tell whether the model's language is ``wanted``, a code (``en``, ``en-GB``) or a name."""
        return not self.language or code_of(wanted) == code_of(self.language)

    def describe(self, name: str) -> dict[str, Any]:
        """Return the entry of the list of models under ``name``, its id or an alias."""
        card = self.transcriber.bundle.card
        about = {"title": card.title, "good_for": card.good_for, "not_for": card.not_for}
        return {
            "id": name,
            "object": "model",
            "created": self.created,
            "owned_by": "asr",
            **({"alias_of": self.id} if name != self.id else {}),
            "language": self.language,
            "sample_rate": self.transcriber.sample_rate,
            **{key: text for key, text in about.items() if text != NOT_STATED},
        }


Models = Mapping[str, ServedModel]
"""Models by id and by alias; the default model is the first."""


def load_models(options: ServerOptions, pool: WorkerPool) -> Models:
    """Load every model that is to be served.

    Raises:
        ConfigError: two models have one id, or an alias names no model.
        BundleError: the subclass that says why a model cannot be loaded.
    """
    models: dict[str, ServedModel] = {}
    for name in options.models or (None,):
        folder = find_bundle(name).resolve()
        if folder.name in models:
            raise ConfigError(f"two models are called {folder.name}; rename one of their folders")
        transcriber = load_model(folder, precision=options.precision, threads=pool.threads)
        decoding = BatchedDecoding(transcriber.pipeline, pool)
        models[folder.name] = ServedModel(folder.name, transcriber, decoding, _written(folder))
    for alias, name in options.aliases.items():
        if name not in models or alias in models:
            raise ConfigError(f"alias {alias}={name}: {name} is not served, or {alias} is a model's own id")
        models[alias] = models[name]
    return models


def find_model(models: Models, name: str) -> ServedModel:
    """Return the model that a client names by its id; never by a path.

    Raises:
        BundleNotFoundError: there is none; the message lists those that there are.
    """
    if name not in models:
        raise BundleNotFoundError(f"no model {name[:100]!r} here; there are {', '.join(models)}")
    return models[name]


def decoding_as(model: ServedModel, decoding: Decoding) -> Transcriber:
    """Return the model's transcriber, decoding otherwise where ``decoding`` asks for anything.

    Raises:
        ConfigError, LanguageModelError, VocabularyError: as `Decoding.decoder`.
    """
    return model.transcriber if decoding == Decoding() else model.transcriber.with_decoding(decoding)


def _written(folder: Path) -> int:
    return int((folder / "bundle.json").stat().st_mtime)
