"""Scripts that are written without spaces between words."""

from __future__ import annotations

import re
from collections.abc import Iterable

HAN_AND_KANA = (
    "\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
)
"""Han, kana and bopomofo, which use no spaces at all, for the brackets of a regular expression."""

_THAI_TO_KHMER = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Thai, Lao, Burmese and Khmer, which use spaces only between phrases."""

_UNSPACED = re.compile(f"[{HAN_AND_KANA}{_THAI_TO_KHMER}]")


def mostly_unspaced(texts: Iterable[str]) -> bool:
    """Tell whether more than half of the characters belong to scripts without spaces between words.

    >>> mostly_unspaced(["令狐彰字伯阳"]), mostly_unspaced(["die stadt 北京 liegt im norden"])
    (True, False)
    """
    found = total = 0
    for text in texts:
        found += len(_UNSPACED.findall(text))
        total += len(text.replace(" ", ""))
    return 2 * found > total
