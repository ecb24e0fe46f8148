"""By what an edition's pairs are scored: one configuration a version, none of which ever changes."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.matching.domain.scoring.terms import Term
from services.matching.domain.taxonomy import Cooperation
from services.matching.domain.text.amounts import without_amounts
from shared.contract.events.registration import NEWEST_AFFINITY_VERSION, AffinityVersion

Share = Annotated[float, Field(ge=0, le=1)]
_EXACT: Final = 1e-9


class AffinityConfiguration(BaseModel):
    """Weights, rules and calibration of a version. Equal profiles and versions give equal scores, bit for bit.

    Attributes:
        scorer: the version of the text scorer: its model, its centring constants and its calibration.
        amounts: whether texts are read with their amounts, or without (`amounts.without_amounts`).
        weights: what a full term adds to the score; together 1. A term without a weight is not asked for.
        mutuality: how much it counts that needs and offers meet both ways, where nothing is known of what is sought.
        mutuality_of: the same for pairs that seek a kind of cooperation with each other; of several, the least.
        quality_step: how far the second reader's score must be from the first's to be said.
        met_before: what is left of the score of two organisations that met in vain in an earlier edition.
        note: where it comes from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: AffinityVersion
    scorer: str
    amounts: bool = False
    weights: dict[Term, Share]
    mutuality: Share = 0.3
    mutuality_of: dict[Cooperation, Share] = {}
    met_before: Share = 1.0
    quality_step: Share = 0.05
    note: str = ""

    def read(self, texts: Iterable[str]) -> list[str]:
        """The texts as the scorer shall read them."""
        return list(texts) if self.amounts else [without_amounts(text) for text in texts]

    @model_validator(mode="after")
    def _weights_make_a_whole(self) -> Self:
        if abs(sum(self.weights.values()) - 1) > _EXACT:
            raise ValueError(f"the weights of version {self.version} add up to {sum(self.weights.values())}, not to 1")
        return self


_FIRST: Final = AffinityConfiguration(
    version="1",
    scorer="ngrams-1",
    amounts=True,
    weights={
        Term.NEED_OFFER: 0.70,
        Term.SHARED_CODES: 0.15,
        Term.HELIX: 0.05,
        Term.CROSS_BORDER: 0.05,
        Term.LANGUAGE: 0.05,
    },
    note="Needs no encoder: hashed n-grams, and all codes alike.",
)
_SECOND: Final = AffinityConfiguration(
    version="2",
    scorer="use-1",
    weights={
        Term.NEED_OFFER: 0.66,
        Term.SECTOR: 0.05,
        Term.KETS: 0.05,
        Term.S3: 0.04,
        Term.COOPERATION: 0.05,
        Term.HELIX: 0.05,
        Term.CROSS_BORDER: 0.03,
        Term.DELEGATION: 0.02,
        Term.LANGUAGE: 0.05,
    },
    # A sale is one-sided; a project or an alliance wants both sides to bring something.
    mutuality_of={
        Cooperation.SALE: 0.1,
        Cooperation.PURCHASE: 0.1,
        Cooperation.RD: 0.5,
        Cooperation.INTERNATIONALISATION: 0.5,
    },
    met_before=0.5,
    note="By hand, from what was measured on texts (ADR 0011); to be learnt from decisions once there are any.",
)
#: The versions that come with the service.
CONFIGURATIONS: Final = MappingProxyType({one.version: one for one in (_FIRST, _SECOND)})
NEWEST: Final = CONFIGURATIONS[NEWEST_AFFINITY_VERSION]
