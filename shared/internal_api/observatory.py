"""What registration asks matching of a whole edition: capacities, needs and clusters, in counts that name nobody."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.contract.ids import Id


class Named(BaseModel):
    """A code, and its label by language where one is known."""

    code: str
    labels: dict[str, str] = {}


class Counts(BaseModel):
    """How many organisations there are in a group, and of those how many ...; null where it may not be said."""

    organisations: int
    needs_without_offer: int | None = Field(description="Have a need that no offer of another organisation answers.")
    offers_without_need: int | None = Field(description="Have an offer that answers no need of another.")
    asked: int | None = Field(description="Have asked to meet somebody.")
    in_encounters: int | None = Field(description="Have an encounter that is scheduled, or was held.")


class Group(Counts):
    """One group of a division of all organisations."""

    group: str | None = Field(description="Its code; null for all that are in no group large enough to be named.")


class Cluster(Counts):
    """Organisations that fit each other better than others, named by the codes that set them apart."""

    cluster: int | None = Field(description="Its number; null for all that are in no cluster large enough.")
    terms: list[Named]


class Bridge(BaseModel):
    """How many organisations of two clusters are linked to the other."""

    clusters: tuple[int, int]
    organisations: int


class ObservatoryView(BaseModel):
    """An edition in counts of organisations, none below five and none from which such a count follows."""

    edition_id: Id
    total: Counts
    by_sector: list[Group] = Field(description="The main activity: divisions of NACE, sections where those are small.")
    by_territory: list[Group] = Field(description="`<country>/<region>`, countries where those are small.")
    by_kind: list[Group] = Field(description="The kinds of the quadruple helix.")
    clusters: list[Cluster]
    bridges: list[Bridge]
