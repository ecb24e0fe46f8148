"""Mails that say why people meet."""

from __future__ import annotations

from typing import Any

from shared.contract.events import AffinityScored, NeedMet, Origin, Profile, Reason
from tests.support.notify_stage import EVENTS, Stage, agenda, edition, encounter, everybody, participant

ANN = participant(0, 2, profile=Profile(needs=("Aluminium <welding>",), offers=("Tanks",)))
BOB = participant(1, 2, profile=Profile(offers=("Robots", "Soldadura de <aluminio>")))


def affinity(revision: int = 1, **given: Any) -> AffinityScored:
    met = NeedMet(participant_id="prt_0", need=0, offer=1, fit=0.9)
    fields: dict[str, Any] = {
        "request_ids": (),
        "origin": Origin.PROPOSED,
        "priority": 1,
        "reasons": (Reason(code="text_need_offer", weight=0.5, met=(met,)),),
    }
    return EVENTS.affinity("prt_0", "prt_1", revision=revision, **fields | given)


async def started() -> Stage:
    stage = Stage(smtp_connections=2)
    await stage.consume(*everybody(), ANN, BOB)
    return stage


def parts(mail: Any) -> tuple[str, ...]:
    return tuple(mail.get_body((kind,)).get_content() for kind in ("plain", "html"))


async def test_a_mail_quotes_the_need_and_the_offer_that_meet() -> None:
    stage = await started()
    await stage.consume(agenda(1, encounter(0, 1)), affinity())
    (mail,) = await stage.after(60)
    plain, html = parts(mail)
    assert "They offer what you look for: “Soldadura de <aluminio>”." in plain
    assert "Soldadura de &lt;aluminio&gt;" in html
    assert "complete your profile" not in plain


async def test_changed_reasons_alone_send_no_mail() -> None:
    stage = await started()
    await stage.consume(agenda(1, encounter(0, 1)), affinity())
    await stage.after(60)
    await stage.consume(affinity(2, reasons=(), score=0.4), participant(1, 3, profile=Profile(offers=("Else",))))
    assert await stage.after(600) == []


async def test_a_mail_gives_the_newest_reasons_in_any_order_of_events() -> None:
    stage = await started()
    await stage.consume(affinity(2, reasons=(Reason(code="kets", weight=0.1, detail="ket:robotics"),)), affinity(1))
    await stage.consume(agenda(1, encounter(0, 1)))
    (mail,) = await stage.after(60)
    assert "In common: technology: robotics" in parts(mail)[0]
    assert "what you look for" not in parts(mail)[0]


async def test_a_participant_with_a_poor_profile_is_asked_to_complete_it() -> None:
    stage = await started()
    await stage.consume(agenda(1, encounter(0, 1)), affinity(reasons=(), low_confidence=("prt_0",)), edition(2))
    (mail,) = await stage.after(60)
    assert all("complete your profile" in part for part in parts(mail))
