"""Start the scheduler: `python -m services.scheduler`."""

from __future__ import annotations

from services.scheduler.app import make
from services.scheduler.settings import Settings
from shared.app import serve
from shared.runtime.settings import read_settings

# The guard matters: the solver's processes import this module again.
if __name__ == "__main__":
    settings = read_settings(Settings)
    serve(settings, lambda: make(settings))
