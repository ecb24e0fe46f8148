"""A picture of an edition as a file for its operator: JSON, or GraphML for tools that draw graphs.

Ids and codes, no names, texts or addresses. The same edition gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree as ET

from services.matching.observatory.clusters import defining_codes
from services.matching.observatory.picture import Picture

#: The version of both formats: fields are added, never changed or removed.
FORMAT: Final = "tertulia-observatory-1"
_GRAPHML: Final = "http://graphml.graphdrawing.org/xmlns"
_XML_TYPES: Final = {bool: "boolean", int: "long", float: "double", str: "string"}
_CLUSTER_LEAST: Final = 2
#: Characters that XML 1.0 cannot hold, escaped or not.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Fields = dict[str, Any]


def document_of(picture: Picture) -> Fields:
    """Return the picture as JSON values, in the order of ids."""
    everybody = list(picture.graph.parties.values())
    return {
        "format": FORMAT,
        "edition_id": picture.graph.edition_id,
        "organisations": list(_organisations(picture)),
        "participants": list(_participants(picture)),
        "pairs": list(_pairs(picture)),
        "earlier": [
            {"source": earlier.organisation_ids[0], "target": earlier.organisation_ids[1], "outcome": earlier.outcome}
            for earlier in picture.graph.earlier
        ],
        "clusters": [
            {
                "cluster": number,
                "organisations": len(members),
                "terms": list(defining_codes(members, everybody, least=min(_CLUSTER_LEAST, len(members)))),
            }
            for number, members in picture.clusters.items()
        ],
    }


def to_json(picture: Picture) -> bytes:
    """Return the document as JSON: sorted keys, UTF-8."""
    text = json.dumps(document_of(picture), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def to_graphml(picture: Picture) -> bytes:
    """Return the graph as GraphML 1.0: organisations and participants as nodes; representation and pairs as edges."""
    document = document_of(picture)
    nodes = [("organisation", fields) for fields in document["organisations"]]
    nodes += [("participant", fields) for fields in document["participants"]]
    represents = [{"source": fields["id"], "target": fields["organisation"]} for fields in document["participants"]]
    edges = [("represents", fields) for fields in represents]
    edges += [("pair", fields) for fields in document["pairs"]] + [
        ("earlier", fields) for fields in document["earlier"]
    ]
    root = ET.Element("graphml", xmlns=_GRAPHML)
    keys: dict[tuple[str, str], str] = {}
    graph = ET.Element("graph", id=document["edition_id"], edgedefault="undirected")
    for kind_of_element, fields in nodes:
        _filled(
            ET.SubElement(graph, "node", id=fields["id"]), "node", {"type": kind_of_element, **fields}, ("id",), keys
        )
    for kind_of_element, fields in edges:
        element = ET.SubElement(graph, "edge", source=fields["source"], target=fields["target"])
        _filled(element, "edge", {"type": kind_of_element, **fields}, ("source", "target"), keys)
    for (domain, name), kind in keys.items():
        attributes = {"id": f"{domain}.{name}", "for": domain, "attr.name": name, "attr.type": kind}
        ET.SubElement(root, "key", attributes)
    root.append(graph)
    ET.indent(root, " ")
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _organisations(picture: Picture) -> Iterator[Fields]:
    for organisation_id, party in picture.graph.parties.items():
        yield {
            "id": organisation_id,
            "kind": party.kind,
            "country": party.country,
            "region": party.region,
            "delegation": party.delegation,
            "codes": list(party.codes),
            "cluster": picture.cluster_of.get(organisation_id),
            "spread": picture.spread.get(organisation_id),
        }


def _participants(picture: Picture) -> Iterator[Fields]:
    organisation_of = {
        participant_id: organisation_id
        for organisation_id, party in picture.graph.parties.items()
        for participant_id in party.participant_ids
    }
    for participant_id in sorted(organisation_of):
        yield {
            "id": participant_id,
            "organisation": organisation_of[participant_id],
            "needs_without_offer": list(picture.gaps.needs.get(participant_id, ())),
            "offers_without_need": list(picture.gaps.offers.get(participant_id, ())),
        }


def _pairs(picture: Picture) -> Iterator[Fields]:
    for pair in sorted(picture.graph.pairs, key=lambda pair: pair.participant_ids):
        yield {
            "source": pair.participant_ids[0],
            "target": pair.participant_ids[1],
            "affinity": pair.affinity,
            "consent": pair.consent,
            "origin": pair.origin,
            "asked_by": list(pair.asked_by),
            "answer": pair.answer,
            "encounter": pair.encounter,
        }


def _filled(
    element: ET.Element, domain: str, fields: Fields, identity: tuple[str, ...], keys: dict[tuple[str, str], str]
) -> None:
    """Add the data of an element; lists become texts with blanks between, and unknown values are left out."""
    for name, value in fields.items():
        if value is None or name in identity:
            continue
        plain = " ".join(map(str, value)) if isinstance(value, list) else value
        keys.setdefault((domain, name), _XML_TYPES[type(plain)])
        text = str(plain).lower() if isinstance(plain, bool) else str(plain)
        ET.SubElement(element, "data", key=f"{domain}.{name}").text = _NOT_XML.sub(" ", text)
