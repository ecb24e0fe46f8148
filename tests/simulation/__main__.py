"""Command `python -m tests.simulation`. Its processes import `many`, which is therefore a module apart."""

from __future__ import annotations

import sys

from tests.simulation.many import main

if __name__ == "__main__":
    sys.exit(main())
