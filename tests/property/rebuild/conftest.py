from __future__ import annotations

from tests.support.matching_scene import now, scene

__all__ = ["now", "scene"]
