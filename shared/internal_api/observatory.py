"""The observatory's view of an edition: capacities, needs and clusters, in counts that identify no organisation."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.contract.ids import Id


class Named(BaseModel):
    """A code, with its labels by language as far as they are known."""

    code: str
    labels: dict[str, str] = {}


class Counts(BaseModel):
    """Counts of the organisations of a group. A count is null if publishing it would identify organisations."""

    organisations: int
    needs_without_offer: int | None = Field(
        description="Organisations with a need that no offer of another organisation answers."
    )
    offers_without_need: int | None = Field(
        description="Organisations with an offer that answers no need of another organisation."
    )
    asked: int | None = Field(description="Organisations that sent a match request.")
    in_encounters: int | None = Field(description="Organisations with an encounter that is scheduled or was held.")


class Group(Counts):
    """A group in a partition of all organisations."""

    group: str | None = Field(
        description="The code of the group; null for all organisations of groups too small to be named."
    )


class Cluster(Counts):
    """A cluster: organisations with mutual high affinity, described by their most characteristic codes."""

    cluster: int | None = Field(
        description="The number of the cluster; null for the organisations outside of these clusters."
    )
    terms: list[Named]


class Bridge(BaseModel):
    """The number of organisations of two clusters that are linked to an organisation of the opposite cluster."""

    clusters: tuple[int, int]
    organisations: int


class ObservatoryView(BaseModel):
    """An edition in counts of organisations. No count is below five, and no smaller count follows from them."""

    edition_id: Id
    total: Counts
    by_sector: list[Group] = Field(
        description="By main activity: divisions of NACE, or sections if the divisions are small."
    )
    by_territory: list[Group] = Field(description="By `<country>/<region>`, or by country if the regions are small.")
    by_kind: list[Group] = Field(description="By kind of organisation, as in the quadruple helix.")
    clusters: list[Cluster]
    bridges: list[Bridge]
