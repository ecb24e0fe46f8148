"""`python -m services.registration`."""

from __future__ import annotations

from services.registration.app import make
from services.registration.settings import Settings
from shared.app import serve
from shared.runtime.settings import read_settings

if __name__ == "__main__":
    settings = read_settings(Settings)
    serve(settings, lambda: make(settings))
