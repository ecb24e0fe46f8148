"""`make check`: the house rules, counted; exit 1 if a count rose. `make format` lowers the limits (`--lower`)."""

from __future__ import annotations

import sys

from tests.house.gate import lower, rises

if __name__ == "__main__":
    if "--lower" in sys.argv:
        lower()
    found = rises()
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
