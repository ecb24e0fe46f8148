"""Errors that a spreadsheet shows in place of a value: `#N/A`, `#\u00a1REF!`, `#NV`, `Err:508`, `####`."""

from __future__ import annotations

import re
from typing import Final

#: Errors in the languages of Excel end with a mark; those without one are listed.
_ERROR: Final = re.compile(
    r"#[\u00a1\u00bf]?[^\W\d_][\w/ ]{0,20}[!?]|#(?:N/?[ADPV]|NULL|NULO|BUSY|GETTING_DATA)|Err:\d{3}|#{3,}",
    re.IGNORECASE,
)


def is_error_value(text: str) -> bool:
    """Tell whether a text is an error of a spreadsheet."""
    return text[:1] in "#Ee" and _ERROR.fullmatch(text) is not None
