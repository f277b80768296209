"""The languages that models and users name: by a code (``en``, ``en-GB``) or by an English name."""

from __future__ import annotations

NAMES = {
    "ar": "arabic",
    "br": "breton",
    "cs": "czech",
    "cy": "welsh",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fa": "persian",
    "fr": "french",
    "hi": "hindi",
    "it": "italian",
    "ja": "japanese",
    "ko": "korean",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "uk": "ukrainian",
    "zh": "chinese",
}
"""The names that whisper and OpenAI's route have for languages, by their codes."""

_CODES = {name: code for code, name in NAMES.items()}


def code_of(language: str) -> str:
    """Return a language's code without its region; what is neither a known name nor a tag stays, in small letters.

    >>> code_of("English"), code_of("en-GB"), code_of(" pt_BR ")
    ('en', 'en', 'pt')
    """
    written = language.strip().casefold()
    return _CODES.get(written, written.replace("_", "-").partition("-")[0])
