"""Start the portal: `python -m services.portal`."""

from __future__ import annotations

from services.portal.app import make
from services.portal.settings import Settings
from shared.app import serve
from shared.runtime.settings import read_settings

if __name__ == "__main__":
    settings = read_settings(Settings)
    serve(settings, lambda: make(settings))
