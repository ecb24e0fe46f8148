"""Write the files of `deploy/` that are made from code. With `--check` compare, and exit with 1 after a difference."""

from __future__ import annotations

import sys
from pathlib import Path

from deploy import made

if __name__ == "__main__":
    root = Path(__file__).parents[1]
    drifted = made.drifted()
    for path in drifted:
        if "--check" in sys.argv:
            print(f"{path.relative_to(root)} is not what the code makes: run 'python -m deploy'")
        else:
            made.write(path)
            print(f"{path.relative_to(root)} written")
    sys.exit(bool(drifted) and "--check" in sys.argv)
