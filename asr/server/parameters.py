"""The fields of OpenAI's transcription route: what is honoured, what changes nothing, what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile

from asr.decoding.hotwords import weighed
from asr.errors import ConfigError
from asr.server.errors import Refusal, wrong_field
from asr.server.options import Limits
from asr.server.served_models import ServedModel
from asr.typed import nearest

FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
STREAMED = ("json", "text", "verbose_json")
GRANULARITIES = ("segment", "word")
INCLUDABLE = ("logprobs",)

_SINGLE = ("model", "response_format", "language", "prompt", "temperature", "stream", "chunking_strategy")
_LISTS = ("timestamp_granularities", "include", "keywords", "languages")
_REFUSED = ("known_speaker_names", "known_speaker_references")
_DIARIZED = "diarized_json"


@dataclass(frozen=True)
class Wanted:
    """A client's wishes for one recording.

    Attributes:
        model: the id of a model.
        response_format: one of `FORMATS`.
        granularities: what ``verbose_json`` lists.
        logprobs: whether words come with the logarithm of their confidence.
        stream: whether segments come as they are decided.
        hotwords: phrase → weight.
        languages: codes or names, one of which must be the model's; any where there are none.
    """

    model: str
    response_format: str = "json"
    granularities: frozenset[str] = frozenset({"segment"})
    logprobs: bool = False
    stream: bool = False
    hotwords: Mapping[str, float] = field(default_factory=dict)
    languages: Sequence[str] = ()


def parse(form: FormData, limits: Limits) -> tuple[Wanted, UploadFile]:
    """Return what a form asks for, and the recording.

    Raises:
        Refusal: a field is missing, unknown, twice there, or has a value that it cannot have.
        ConfigError: a hotword's weight is no number.
    """
    values: dict[str, list[str]] = {}
    uploads: list[UploadFile] = []
    for key, value in form.multi_items():
        name = _name(key)
        if isinstance(value, UploadFile) != (name == "file"):
            raise wrong_field(key[:100], "must be a file" if name == "file" else "must be text, not a file")
        if isinstance(value, UploadFile):
            uploads.append(value)
        else:
            values.setdefault(name, []).append(value)
    if not uploads:
        raise wrong_field("file", "a recording is needed")
    return _wanted(values, limits), uploads[0]


def _name(key: str) -> str:
    """Return the name of a known field, without the brackets that lists and objects have in forms."""
    name = key.partition("[")[0]
    if name in _REFUSED:
        raise wrong_field(name, "cannot be honoured: this server does not tell speakers apart")
    known = ("file", *_SINGLE, *_LISTS)
    if name not in known:
        raise Refusal(400, "request", f"no field {key[:100]!r}{nearest(name[:100], known)}", param=key[:100])
    return name


def _wanted(values: Mapping[str, Sequence[str]], limits: Limits) -> Wanted:
    one = {name: _only(name, values.get(name, ())) for name in _SINGLE if name != "chunking_strategy"}
    if not one["model"]:
        raise wrong_field("model", "the id of a model is needed; GET /v1/models lists them")
    _check_ignored(one["temperature"], values.get("chunking_strategy", ()))
    response_format, is_streamed = _format(one["response_format"]), _flag("stream", one["stream"])
    if is_streamed and response_format not in STREAMED:
        raise wrong_field(
            "stream", f"{response_format} is written once all is known; {', '.join(STREAMED)} can be streamed"
        )
    return Wanted(
        model=one["model"],
        response_format=response_format,
        granularities=_granularities(values.get("timestamp_granularities", ()), response_format),
        logprobs=_logprobs(values.get("include", ()), response_format, is_streamed),
        stream=is_streamed,
        hotwords=hotwords_of(values.get("keywords", ()), "keywords", limits),
        languages=tuple(filter(None, (one["language"], *values.get("languages", ())))),
    )


def _only(name: str, given: Sequence[str]) -> str | None:
    if len(given) > 1:
        raise wrong_field(name, f"one value is needed, got {len(given)}")
    return given[0] if given else None


def _format(given: str | None) -> str:
    if given == _DIARIZED:
        raise wrong_field(
            "response_format", f"{_DIARIZED} cannot be honoured: this server does not tell speakers apart"
        )
    return _choice("response_format", given or "json", FORMATS)


def _choice(name: str, given: str, known: Sequence[str]) -> str:
    if given not in known:
        raise wrong_field(name, f"must be {' or '.join(known)}, got {given[:100]!r}")
    return given


def _flag(name: str, given: str | None) -> bool:
    return bool(given) and _choice(name, str(given).lower(), ("true", "false", "1", "0")) in ("true", "1")


def _check_ignored(temperature: str | None, chunking_strategy: Sequence[str]) -> None:
    """Refuse values that are wrong for any server, of fields that change nothing here."""
    try:
        degrees = float(temperature or 0)
    except ValueError:
        degrees = math.nan
    if not 0 <= degrees <= 1:
        raise wrong_field("temperature", f"must be a number from 0 to 1, got {str(temperature)[:100]!r}")
    for given in chunking_strategy:
        try:
            json.loads(given if given.lstrip().startswith("{") else "{}")
        except ValueError as fault:
            raise wrong_field("chunking_strategy", f"must be auto or an object, got {given[:100]!r}") from fault


def _granularities(given: Sequence[str], response_format: str) -> frozenset[str]:
    if given and response_format != "verbose_json":
        raise wrong_field("timestamp_granularities", f"are of verbose_json, and response_format is {response_format}")
    return frozenset(_choice("timestamp_granularities", one, GRANULARITIES) for one in given or ("segment",))


def _logprobs(given: Sequence[str], response_format: str, is_streamed: bool) -> bool:
    for one in given:
        _choice("include", one, INCLUDABLE)
    if given and not (is_streamed or response_format == "json"):
        raise wrong_field("include", f"logprobs are of json and of streams, and response_format is {response_format}")
    return bool(given)


def hotwords_of(entries: Sequence[str], name: str, limits: Limits) -> dict[str, float]:
    """Return the hotwords of a list of phrases, each with its weight after a colon where it has one of its own.

    Raises:
        Refusal: there are too many.
        ConfigError: a weight is no number.
    """
    if len(entries) > limits.keywords:
        raise wrong_field(name, f"at most {limits.keywords} are taken, got {len(entries)}")
    if wrong := next((entry for entry in entries if not entry.strip() or len(entry) > 200), None):
        raise wrong_field(name, f"each must be a word or a phrase of at most 200 characters, got {wrong[:100]!r}")
    try:
        return dict(weighed(entry) for entry in entries)
    except ConfigError as fault:
        raise wrong_field(name, str(fault)) from fault


def check_language(wanted: Wanted, model: ServedModel) -> None:
    """Refuse a language that the model does not have.

    Raises:
        Refusal: none of those that are asked for is the model's.
    """
    if wanted.languages and not any(map(model.has_language, wanted.languages)):
        asked = ", ".join(wanted.languages)[:100]
        raise wrong_field("language", f"{model.id} transcribes {model.language_name or 'one language'}, not {asked}")
