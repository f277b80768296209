"""Rules that tell apostrophes at the edges of English words from quotation marks.

====================  ==============================================================================================
an apostrophe         belongs to the word
====================  ==============================================================================================
within a word         always: IT'S, O'CLOCK
before a word         where the word has lost its beginning: 'TIS, 'EM, 'ROUND (``_DROPPED_BEGINNING``)
after a word          unless it closes a quotation that the same line has opened. After S and IN, and some short
                      words, where it is usual (BOYS', GOIN', O'), it closes one only if nothing later does.
by itself, or twice   never
====================  ==============================================================================================

So ``'The boys' toys,' he said`` keeps one of its three apostrophes, and ``he said 'hello there'`` keeps none. Where the
text is ambiguous, the more frequent reading is chosen: 'EAD is a head, but 'IS and 'AND begin a quotation.
"""

from __future__ import annotations

import re

_DROPPED_BEGINNING = frozenset(
    # it
    "TIS TISN'T TWAS TWASN'T TWERE TWEREN'T TWILL TWOULD TWOULDN'T TWON'T TAIN'T TAINT TWARN'T "
    # them; and words without their h that are not words themselves, or seldom begin a quotation
    "EM E E'D E'LL E'S IM IMSELF ISSELF ER ERSELF ERE ERE'S AD ADN'T AVE AVEN'T AVING ALF ARF ARD ARDER ARDLY "
    "ANDS ANDED APPEN APPENED APPY EAD EADS EAR EARD EART EARTS EAVEN EAVY ELP IGH IGHER ISTORY OLIDAY OLDING OME "
    "OMES ONEST OPE OPED ORSE ORSES ORRIBLE OSPITAL OUSE OUSES OW OWEVER UNDERED UNDRED UNDREDS URRY URT USBAND "
    "ARRY ENRY ULLO "
    # first syllables
    "BOUT BOVE CAUSE CEPT COS COURSE COZ CUZ FRAID GAINST LECTRIC LEVEN LONG LOWED MID MIDST MONG MONGST N NEATH "
    "NOTHER NOUGH NUFF PHONE PON POSSUM ROUND SCUSE SHAMED SPECT SPECTED SPOSE STEAD TIL TILL TOTHER TWEEN TWIXT "
    "UD UN UNS VARSITY WAY".split()
)
"""Words that lose their beginning. Most stand in 264 novels more often after ’, which no quotation begins with, than
after ‘; the others are too rare there to count."""

_DROPPED_ENDING = frozenset(
    "A AN AWA D DON FO FRA GI HA JES JUS KEP LOR MAK MO MUS MYSEL N O OL PO T TAK TH THO THRO WI Y YO".split()
)

_EDGE_IN_LINE = re.compile(r"^.*(?:(?<![A-Z])'|'(?![A-Z])).*$", re.MULTILINE)
_TWICE = re.compile(r"(?<=[A-Z])'{2,}(?=[A-Z])")


def drop_quotation_marks(text: str) -> str:
    r"""Return ``text`` without the apostrophes that belong to no word, each line by itself.

    Args:
        text: lines of A to Z, apostrophes and spaces.

    >>> drop_quotation_marks("HE SAID 'HELLO THERE'\n'TIS THE BOYS' BALL\n'THE BOYS' TOYS ' HE SAID").split("\n")
    ['HE SAID HELLO THERE', "'TIS THE BOYS' BALL", "THE BOYS' TOYS HE SAID"]
    """
    return _EDGE_IN_LINE.sub(lambda line: _of_line(_TWICE.sub(" ", line[0])), text)


def _of_line(line: str) -> str:
    words: list[str] = []
    quoting = False
    usual: list[int] = []  # indices of the open quotation's words whose apostrophe may belong to them
    for token in line.split():
        word = token.strip("'")
        before, after = token[: len(token) - len(token.lstrip("'"))], token[len(token.rstrip("'")) :]
        dropped = bool(before) and word in _DROPPED_BEGINNING
        if word and before in ("'", "''") and (before == "''") == dropped:
            _close(words, usual, quoting)
            quoting, usual = True, []
        if after != "'" or (dropped and word != "N"):
            own = False
        elif quoting and _may_end_with_apostrophe(word):
            own = True
            usual.append(len(words))
        else:
            own = not quoting and bool(word)
        if after == "'" and not own:
            quoting, usual = False, []
        if word:
            words.append("'" * dropped + word + "'" * own)
    _close(words, usual, quoting)
    return " ".join(words)


def _may_end_with_apostrophe(word: str) -> bool:
    return word.endswith(("S", "IN")) or word in _DROPPED_ENDING


def _close(words: list[str], usual: list[int], quoting: bool) -> None:
    """Remove the last apostrophe that can close an open quotation, if nothing else has closed it."""
    if quoting and usual:
        words[usual[-1]] = words[usual[-1]].removesuffix("'")


_TITLE = re.compile(r"(?<![A-Z'])(MR|MRS|DR)(?![A-Z'])")
_AS_SPOKEN = {"MR": "MISTER", "MRS": "MISSUS", "DR": "DOCTOR"}


def write_out_titles(text: str) -> str:
    """Return ``text`` (A to Z, apostrophes, spaces) with titles as LibriSpeech writes what its readers say.

    ST stays, which is a saint or a street.

    >>> write_out_titles("MR AND MRS BROWN OF ST IVES")
    'MISTER AND MISSUS BROWN OF ST IVES'
    """
    return _TITLE.sub(lambda match: _AS_SPOKEN[match[1]], text)
