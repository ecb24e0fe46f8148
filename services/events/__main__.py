"""Start the events service: `python -m services.events`."""

from __future__ import annotations

from services.events.app import make
from services.events.settings import Settings
from shared.app import serve
from shared.runtime.settings import read_settings

if __name__ == "__main__":
    settings = read_settings(Settings)
    serve(settings, lambda: make(settings))
