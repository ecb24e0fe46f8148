"""Start notify: `python -m services.notify`."""

from __future__ import annotations

from services.notify.app import make
from services.notify.settings import Settings
from shared.app import serve
from shared.runtime.settings import read_settings

if __name__ == "__main__":
    settings = read_settings(Settings)
    serve(settings, lambda: make(settings))
