"""Least access rules, derived from the topics."""

from __future__ import annotations

import itertools
import json
import shlex

import pytest
from typer.testing import CliRunner

from shared.contract.topics import TOPICS, group_of
from shared.messaging.access_rules import (
    AccessRule,
    Operation,
    Resource,
    RightsShared,
    commands,
    rules_of_all,
    rules_of_reader,
    rules_of_service,
    services,
)
from tertulia.topics import app

ALL = rules_of_all({}, {"crm": "User:crm"})


def test_each_topic_is_written_by_its_source_and_read_by_its_consumers_alone() -> None:
    for topic in TOPICS:
        rights = {(rule.principal, rule.operation) for rule in ALL if rule.name == topic.name}
        readers = {f"User:{service}" for service in topic.consumers} | ({"User:crm"} if topic.public else set())
        assert rights == {(f"User:{topic.source}", Operation.WRITE)} | {(user, Operation.READ) for user in readers}


def test_dead_letters_are_written_by_consumers_and_read_by_the_administrator_alone() -> None:
    for topic in TOPICS:
        rights = {(rule.principal, rule.operation) for rule in ALL if rule.name == topic.dlq}
        assert rights == {(f"User:{service}", Operation.WRITE) for service in topic.consumers}


def test_a_service_has_its_own_group_alone_and_no_right_on_the_cluster() -> None:
    groups = {(rule.principal, rule.name, rule.is_prefix) for rule in ALL if rule.resource is Resource.GROUP}
    consuming = {service for topic in TOPICS for service in topic.consumers}
    expected = {(f"User:{service}", group_of(service), False) for service in consuming}
    assert groups == expected | {("User:crm", "crm-", True)}
    assert {rule.resource for rule in ALL} == {Resource.TOPIC, Resource.GROUP}


def test_a_reader_gets_no_topic_with_personal_data() -> None:
    assert "registration.v1" not in {rule.name for rule in rules_of_reader("crm", "User:crm")}


@pytest.mark.parametrize(
    ("principals", "readers", "reason"),
    [
        ({"postman": "User:postman"}, {}, "there is no service postman"),
        ({"notify": "User:*"}, {}, r"'User:\*' is no principal"),
        ({"notify": "notify"}, {}, "'notify' is no principal"),
        ({"notify": "User:a'; reboot'"}, {}, "is no principal"),
        ({"notify": "User:matching"}, {}, "User:matching is named twice"),
        ({}, {"crm": "User:registration"}, "User:registration is named twice"),
        ({}, {"tertulia": "User:tertulia"}, "could use the groups of the services"),
        ({}, {"crm": "User:crm", "crm-east": "User:east"}, "could use the groups of the reader crm-east"),
        ({}, {"": "User:crm"}, "'' is no reader"),
        ({}, {"c r m": "User:crm"}, "'c r m' is no reader"),
    ],
)
def test_rights_that_would_be_shared_are_refused(
    principals: dict[str, str], readers: dict[str, str], reason: str
) -> None:
    with pytest.raises(RightsShared, match=reason):
        rules_of_all(principals, readers)


def test_command_lines_hold_all_rules_and_quote_principals() -> None:
    principal = "User:CN=matching, O=B2B (test)"
    rules = [*rules_of_service("matching", principal), *rules_of_reader("crm", "User:crm")]
    found = []
    for line in commands(rules, "/opt/kafka/bin/kafka-acls.sh", "kafka:9092", "admin.properties"):
        words = shlex.split(line)
        options = list(itertools.pairwise(words))
        [allowed], [operation] = ([value for name, value in options if name == wanted] for wanted in PAIR)
        is_prefix = ("--resource-pattern-type", "prefixed") in options
        for name, value in options:
            if name in {"--topic", "--group"}:
                found.append(AccessRule(allowed, Operation(operation), Resource(name[2:]), value, is_prefix))
    assert sorted(map(repr, found)) == sorted(map(repr, rules))


PAIR = ("--allow-principal", "--operation")


def test_the_command_prints_rules_as_json() -> None:
    options = ["acls", "--format", "json", "--principal", "notify=User:mailer", "--reader", "crm=User:CN=crm"]
    printed = CliRunner().invoke(app, options)
    rules = rules_of_all({"notify": "User:mailer"}, {"crm": "User:CN=crm"})
    assert json.loads(printed.stdout) == [rule.to_json() for rule in rules]
    assert json.loads(printed.stdout)[-1] == {
        "principal": "User:CN=crm",
        "host": "*",
        "permission_type": "ALLOW",
        "operation": "READ",
        "resource_type": "GROUP",
        "resource_name": "crm-",
        "pattern_type": "PREFIXED",
    }


@pytest.mark.parametrize("options", [["--reader", "crm", "--reader", "crm=User:b"], ["--principal", "x=User:x"]])
def test_the_command_refuses_wrong_names_with_exit_code_1(options: list[str]) -> None:
    assert CliRunner().invoke(app, ["acls", *options]).exit_code == 1


def test_all_services_have_rules() -> None:
    assert set(services()) == {"registration", "matching", "scheduler", "notify", "portal", "events"}
