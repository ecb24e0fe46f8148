"""The read model: newest revisions only, erased people gone, operators apart, and a nudge for open pages."""

from __future__ import annotations

import asyncio

import pytest

from shared.contract.events import ParticipantErased
from shared.messaging.inputs import ForeignOperator, Input, Position
from tests.support.notify_stage import COMMON, agenda, edition, encounter, everybody, participant
from tests.support.portal_stage import PortalStage, as_person
from tests.support.waiting import wait_until


async def test_an_older_revision_changes_nothing() -> None:
    stage = PortalStage()
    async with stage.open(*everybody(), participant(1, 3, name="New")):
        stage.servers.publish(participant(1, 2, name="Old"), participant(2, 2, name="Mark"))

        async def has_read() -> bool:
            return (await stage.wired.read_model.picture("edn_1")).participants["prt_2"].name == "Mark"

        await wait_until(has_read)
        assert (await stage.wired.read_model.picture("edn_1")).participants["prt_1"].name == "New"


async def test_an_agenda_and_its_participant_are_two_things() -> None:
    async with (stage := PortalStage()).open(*everybody(), agenda(5, encounter(0, 1))):
        picture = await stage.wired.read_model.picture("edn_1")
    assert picture.participants["prt_0"].name == "Person 0"
    assert picture.agendas["prt_0"].revision == 5


async def test_an_erased_person_is_on_no_page_and_in_no_document() -> None:
    stage = PortalStage()
    erased = ParticipantErased(**COMMON | {"revision": 2}, participant_id="prt_1", organisation_id="org_1")
    async with stage.open(*everybody(), agenda(1, encounter(0, 1))) as client:
        assert "Person 1" in (await as_person(client).get("/agenda")).text
        stage.servers.publish(erased)

        async def is_gone() -> bool:
            return "Person 1" not in (await client.get("/agenda")).text

        await wait_until(is_gone)
    things = stage.servers.mongo.database("tertulia_portal")["things"]
    documents = [document async for document in things.find({})]
    assert documents
    assert not [document for document in documents if "Person 1" in str(document)]


async def test_an_event_of_another_operator_is_refused() -> None:
    async with (stage := PortalStage()).open(*everybody()):
        forged = participant(1, 9).model_copy(update={"operator_id": "op_2"})
        with pytest.raises(ForeignOperator):
            await stage.wired.read_model.consume("edn_1", [Input(forged, Position("registration.v1", 0, 99))])


async def test_a_change_nudges_the_streams_of_its_edition() -> None:
    stage = PortalStage()
    async with stage.open(*everybody()):
        number = (await stage.wired.read_model.picture("edn_1")).number
        stream = stage.wired.context.nudges.stream("edn_1", number)
        assert await anext(stream) == "retry: 3000\n\n"
        stage.servers.publish(edition(2, name="Renamed"))
        async with asyncio.timeout(30):
            assert f"id: {number + 1}\nevent: changed" in await anext(stream)
