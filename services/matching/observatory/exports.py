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
#: What XML 1.0 cannot hold, however it is written.
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
            {"source": one.organisation_ids[0], "target": one.organisation_ids[1], "outcome": one.outcome}
            for one in picture.graph.earlier
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
    nodes = [("organisation", one) for one in document["organisations"]]
    nodes += [("participant", one) for one in document["participants"]]
    represents = [{"source": one["id"], "target": one["organisation"]} for one in document["participants"]]
    edges = [("represents", one) for one in represents]
    edges += [("pair", one) for one in document["pairs"]] + [("earlier", one) for one in document["earlier"]]
    root = ET.Element("graphml", xmlns=_GRAPHML)
    keys: dict[tuple[str, str], str] = {}
    graph = ET.Element("graph", id=document["edition_id"], edgedefault="undirected")
    for what, one in nodes:
        _filled(ET.SubElement(graph, "node", id=one["id"]), "node", {"type": what, **one}, ("id",), keys)
    for what, one in edges:
        element = ET.SubElement(graph, "edge", source=one["source"], target=one["target"])
        _filled(element, "edge", {"type": what, **one}, ("source", "target"), keys)
    for (domain, name), kind in keys.items():
        attributes = {"id": f"{domain}.{name}", "for": domain, "attr.name": name, "attr.type": kind}
        ET.SubElement(root, "key", attributes)
    root.append(graph)
    ET.indent(root, " ")
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _organisations(picture: Picture) -> Iterator[Fields]:
    for one, party in picture.graph.parties.items():
        yield {
            "id": one,
            "kind": party.kind,
            "country": party.country,
            "region": party.region,
            "delegation": party.delegation,
            "codes": list(party.codes),
            "cluster": picture.cluster_of.get(one),
            "spread": picture.spread.get(one),
        }


def _participants(picture: Picture) -> Iterator[Fields]:
    homes = {one: home for home, party in picture.graph.parties.items() for one in party.participant_ids}
    for one in sorted(homes):
        yield {
            "id": one,
            "organisation": homes[one],
            "needs_without_offer": list(picture.gaps.needs.get(one, ())),
            "offers_without_need": list(picture.gaps.offers.get(one, ())),
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
