"""`make tools`: install the outside checkers that the tests call, and note in a file what could not be had and why."""

from __future__ import annotations

import sys

from tests.tools.install import install_all, report

if __name__ == "__main__":
    sys.exit(report(install_all()))
