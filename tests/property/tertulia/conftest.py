from __future__ import annotations

from tests.component.matching.scene import now, scene

__all__ = ["now", "scene"]
