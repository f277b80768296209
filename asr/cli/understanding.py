"""One line where a model plainly does not understand what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from asr.errors import AsrError

if TYPE_CHECKING:
    from asr.bundle import Bundle
    from asr.inference import Transcript

LEAST_SHARE = 0.6
"""The share of a model's usual confidence below which it does not understand. An English model of 20 hours reaches 0.97
to 1.09 of its own with readers, learners and names that are new to it, 0.88 with Common Voice, and 0.34 to 0.38 with
German, Russian and Chinese."""

ENOUGH_WORDS = 8
"""Words whose mean confidence says something."""


class Understanding:
    """The mean confidence of all words that a model has found, beside what it comes to on speech that it knows."""

    def __init__(self, bundle: Bundle) -> None:
        """Begin without words."""
        self._bundle, self._sum, self._words = bundle, 0.0, 0

    def add(self, transcript: Transcript) -> None:
        """Count the words of one more recording."""
        for segment in transcript.segments:
            self._sum += sum(word.confidence for word in segment.words)
            self._words += len(segment.words)

    def counting(self, results: Iterable[Transcript | AsrError]) -> Iterator[Transcript | AsrError]:
        """Yield the results as they are, and count the words of the transcripts among them."""
        for result in results:
            if not isinstance(result, AsrError):
                self.add(result)
            yield result

    def warning(self) -> str | None:
        """Return a line that says that the model does not understand, and names others; None where it may well."""
        usual = self._bundle.decoder.usual_confidence
        if not usual or self._words < ENOUGH_WORDS or (mean := self._sum / self._words) >= LEAST_SHARE * usual:
            return None
        name = self._bundle.path.name
        return (
            f"{name} hardly understands this: it is {100 * mean:.0f} % sure of a word on average, and "
            f"{100 * usual:.0f} % where it knows the speech; {_others(self._bundle)}"
        )


def _others(bundle: Bundle) -> str:
    """Return the names and titles of the other models of this package."""
    from asr.bundle import shipped_bundles
    from asr.card import read_card

    others = [f"{path.name} ({read_card(path).title})" for path in shipped_bundles() if path != bundle.path]
    if not others:
        return "no other model ships; train one of your own recordings: asr train --help"
    return f"--model takes another: {', '.join(others)}"
