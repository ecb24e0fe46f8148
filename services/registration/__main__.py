"""`python -m services.registration`."""

from __future__ import annotations

from services.registration.app import make
from services.registration.settings import Settings
from shared.app import serve

if __name__ == "__main__":
    settings = Settings()
    serve(settings, lambda: make(settings))
