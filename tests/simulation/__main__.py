"""`python -m tests.simulation`: see `many`, which has to be a module of its own for its processes to find it."""

from __future__ import annotations

import sys

from tests.simulation.many import main

if __name__ == "__main__":
    sys.exit(main())
