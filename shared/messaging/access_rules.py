"""The least access rules of the broker (ACLs), derived from the declarations of the topics.

A service reads the topics that it consumes, in its own consumer group, and writes the topics that name it as their
source and the dead-letter topics of the topics that it consumes. A reader outside of the services reads the public
topics, in groups with a prefix of its own. No principal has a right on the cluster: `tertulia topics apply`, `dlq` and
`rebuild` run as the broker's administrator. The rights to read and to write imply the right to describe.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, permutations

from shared.contract.topics import TOPICS, group_of, topics_of

_READER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PRINCIPAL = re.compile(r"[A-Za-z]+:[^*\s'\"]+( [^*'\"]+)?")


class Operation(StrEnum):
    """An operation of Kafka's authorizer."""

    READ = "Read"
    WRITE = "Write"


class Resource(StrEnum):
    """A kind of resource of Kafka's authorizer."""

    TOPIC = "topic"
    GROUP = "group"


class RightsShared(Exception):
    """A name or a principal is not valid, or two principals would share a right; the message names them."""


@dataclass(frozen=True)
class AccessRule:
    """A right of a principal on a topic or a consumer group. With `is_prefix`, on all groups with this prefix."""

    principal: str
    operation: Operation
    resource: Resource
    name: str
    is_prefix: bool = False

    def to_json(self) -> dict[str, str]:
        """Return the rule under the names of Kafka's `AclBinding`."""
        return {
            "principal": self.principal,
            "host": "*",
            "permission_type": "ALLOW",
            "operation": self.operation.name,
            "resource_type": self.resource.name,
            "resource_name": self.name,
            "pattern_type": "PREFIXED" if self.is_prefix else "LITERAL",
        }


def services() -> tuple[str, ...]:
    """Return the services that write or consume a topic, in the order of the topics."""
    named = [service for topic in TOPICS for service in (topic.source, *topic.consumers)]
    return tuple(dict.fromkeys(named))


def rules_of_service(service: str, principal: str) -> list[AccessRule]:
    """Return the rules of a service."""
    written = [topic.name for topic in TOPICS if topic.source == service]
    consumed = topics_of(service)
    read = [AccessRule(principal, Operation.READ, Resource.TOPIC, topic.name) for topic in consumed]
    if consumed:
        read.append(AccessRule(principal, Operation.READ, Resource.GROUP, group_of(service)))
    dead_letters = [topic.dlq for topic in consumed]
    return read + [AccessRule(principal, Operation.WRITE, Resource.TOPIC, name) for name in written + dead_letters]


def rules_of_reader(reader: str, principal: str) -> list[AccessRule]:
    """Return the rules of a reader outside of the services."""
    public = [AccessRule(principal, Operation.READ, Resource.TOPIC, topic.name) for topic in TOPICS if topic.public]
    return [*public, AccessRule(principal, Operation.READ, Resource.GROUP, f"{reader}-", is_prefix=True)]


def rules_of_all(principals: Mapping[str, str], readers: Mapping[str, str]) -> list[AccessRule]:
    """Return the rules of all services and of some readers.

    Args:
        principals: principals by service, such as `User:matching`; a service that is left out has the principal
            `User:<service>`.
        readers: principals by reader. The prefix of a reader's groups is its name and a dash.

    Raises:
        RightsShared: a name or a principal is not valid, or two of them would share a right.
    """
    by_service = {service: principals.get(service, f"User:{service}") for service in services()}
    if unknown := sorted(principals.keys() - by_service):
        raise RightsShared(f"there is no service {', '.join(unknown)}: the services are {', '.join(by_service)}")
    _check_principals([*by_service.values(), *readers.values()])
    _check_readers(readers)
    rules = [rule for service, principal in by_service.items() for rule in rules_of_service(service, principal)]
    return rules + [rule for reader, principal in readers.items() for rule in rules_of_reader(reader, principal)]


def _check_principals(principals: Sequence[str]) -> None:
    for principal in principals:
        if not _PRINCIPAL.fullmatch(principal):
            raise RightsShared(f"{principal!r} is no principal: write it as User:matching, without * and quotes")
    if shared := sorted({principal for principal in principals if principals.count(principal) > 1}):
        raise RightsShared(f"{', '.join(shared)} is named twice: a shared principal has the rights of both")


def _check_readers(readers: Iterable[str]) -> None:
    for reader in readers:
        if not _READER.fullmatch(reader):
            raise RightsShared(f"{reader!r} is no reader: use letters, digits, dots, dashes and underscores")
        if taken := [group for group in map(group_of, services()) if group.startswith(f"{reader}-")]:
            raise RightsShared(f"the reader {reader} could use the groups of the services, as {taken[0]}: rename it")
    for reader, longer in permutations(readers, 2):
        if longer.startswith(f"{reader}-"):
            raise RightsShared(f"the reader {reader} could use the groups of the reader {longer}: rename one of them")


def commands(rules: Iterable[AccessRule], tool: str, bootstrap: str, config_file: str) -> list[str]:
    """Return command lines of Kafka's `kafka-acls` that add the rules, quoted for a shell."""
    lines = []
    for (principal, operation, is_prefix), same in groupby(
        rules, key=lambda rule: (rule.principal, rule.operation, rule.is_prefix)
    ):
        named = [part for rule in same for part in (f"--{rule.resource}", rule.name)]
        pattern = ["--resource-pattern-type", "prefixed"] if is_prefix else []
        connection = ["--bootstrap-server", bootstrap, "--command-config", config_file]
        added = ["--add", "--allow-principal", principal, "--operation", operation, *named, *pattern]
        lines.append(shlex.join([tool, *connection, *added]))
    return lines
