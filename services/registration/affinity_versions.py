"""Affinity versions that an edition may name: matching has them installed.

Every installation has the built-in versions: they are accepted without a question. Matching is asked when a request
names any further version.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from services.registration.internal_clients import InternalClient, ServiceDeclined, ServiceUnavailable
from shared.contract.events.registration import BUILT_IN_AFFINITY_VERSIONS
from shared.internal_api.affinity_versions import InstalledVersions

#: Time for which an answer of matching is used: a version installed just now may be refused for this time.
_KEPT_SECONDS = 5.0


class BuiltInVersions:
    """The versions of an installation that does not say where matching is."""

    async def installed(self) -> Sequence[str]:
        """Return the built-in versions."""
        return BUILT_IN_AFFINITY_VERSIONS


class MatchingVersions:
    """The versions that matching lists. While matching does not answer, its last list counts."""

    def __init__(self, matching: InternalClient, now: Callable[[], float] = time.monotonic) -> None:
        self._matching = matching
        self._now = now
        self._versions: Sequence[str] = ()
        self._asked_again_at = now()

    async def installed(self) -> Sequence[str]:
        """Return the installed versions.

        Raises:
            ServiceUnavailable: matching has not answered since the start of this process.
        """
        if self._now() >= self._asked_again_at:
            try:
                answer = InstalledVersions.model_validate(await self._matching.get("/affinity-versions"))
            except (ServiceUnavailable, ServiceDeclined) as error:
                if not self._versions:
                    built_in = ", ".join(BUILT_IN_AFFINITY_VERSIONS)
                    raise ServiceUnavailable(
                        f"matching does not answer, so only affinity versions {built_in} are accepted now"
                    ) from error
            else:
                self._versions = answer.versions
                self._asked_again_at = self._now() + _KEPT_SECONDS
        return self._versions
