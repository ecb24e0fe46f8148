"""Affinity configurations. A version never changes."""

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
        scorer: version of the text scorer: its model, centring constants and calibration.
        amounts: whether texts are read with their amounts, or without (`amounts.without_amounts`).
        weights: contribution of a full term to the score; the sum is 1. A term without a weight is not computed.
        mutuality: share of the score that needs both directions, if the kind of cooperation is unknown.
        mutuality_of: the same by kind of cooperation that the pair seeks; of several kinds, the least share.
        quality_step: least difference between the scores of the two tiers that is published.
        met_before: factor for two organisations that met in an earlier edition without an outcome.
        answers: version of the rule that decides which needs and offers people read (`AnswerRule`); if empty, readers
            decide by the fit.
        note: origin of the configuration.
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
    answers: str = ""
    note: str = ""

    def read(self, texts: Iterable[str]) -> list[str]:
        """Return texts as the scorer reads them."""
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
    # A sale is one-sided; in a project or an alliance both sides contribute.
    mutuality_of={
        Cooperation.SALE: 0.1,
        Cooperation.PURCHASE: 0.1,
        Cooperation.RD: 0.5,
        Cooperation.INTERNATIONALISATION: 0.5,
    },
    met_before=0.5,
    note="By hand, from what was measured on texts (ADR 0011); to be learnt from decisions once there are any.",
)
_THIRD: Final = _SECOND.model_copy(
    update={
        "version": "3",
        "answers": "trades-1",
        "note": "Scores as version 2 does. A need and an offer are shown if a rule judges that it answers (ADR 0064).",
    }
)
_FOURTH: Final = _THIRD.model_copy(
    update={
        "version": "4",
        "answers": "trades-2",
        "note": "As version 3, with a rule that reads roles and words of near meaning (ADR 0086).",
    }
)
#: Built-in configurations by version.
CONFIGURATIONS: Final = MappingProxyType(
    {configuration.version: configuration for configuration in (_FIRST, _SECOND, _THIRD, _FOURTH)}
)
NEWEST: Final = CONFIGURATIONS[NEWEST_AFFINITY_VERSION]
