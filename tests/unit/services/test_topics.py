"""The topics of a service and of its rebuild are the declared topics."""

from __future__ import annotations

from importlib import import_module

import pytest

from services import SERVICES
from shared.contract.topics import TOPICS, Topic
from shared.messaging.inputs import Handler
from tertulia.rebuild import rebuilder_of

JOURNALLED = sorted(set(SERVICES) - {"registration"})


class Subscriptions:
    """Takes the place of the consumer, and keeps the topics."""

    def __init__(self) -> None:
        self.topics: set[str] = set()

    def subscribe(self, *topics: Topic, handler: Handler) -> None:
        self.topics = {topic.name for topic in topics}


def subscribed(service: str) -> set[str]:
    subscriptions = Subscriptions()
    import_module(f"services.{service}.handlers").listen(subscriptions, None)
    return subscriptions.topics


@pytest.mark.parametrize("service", JOURNALLED)
def test_a_rebuild_reads_the_topics_that_the_service_subscribes_to(service: str) -> None:
    assert {topic.name for topic in rebuilder_of(service).consumed} == subscribed(service)


@pytest.mark.parametrize("service", SERVICES)
def test_a_rebuild_reads_the_topics_that_the_service_publishes(service: str) -> None:
    assert set(rebuilder_of(service).published) == {topic for topic in TOPICS if topic.source == service}


@pytest.mark.parametrize("service", JOURNALLED)
def test_a_service_subscribes_to_the_topics_that_name_it_as_a_consumer(service: str) -> None:
    assert {topic.name for topic in TOPICS if service in topic.consumers} == subscribed(service)
