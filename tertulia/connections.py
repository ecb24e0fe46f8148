"""Connections of the commands to the database and the broker, with the error when a server does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from enum import Enum
from typing import Any, TypeVar

from rich.console import Console

from shared.runtime.settings import ENV_PREFIX, ConnectionSettings, read_settings
from tertulia.output import stop

Result = TypeVar("Result")
_errors = Console(stderr=True)
#: Time for a server to answer. People wait at the terminal, so it is shorter than the time-outs of the services.
_ANSWER_SECONDS = 2.0


class Backend(Enum):
    """A server that commands connect to, with the setting that holds its address."""

    DATABASE = "mongo_url"
    BROKER = "kafka_bootstrap"


def _variable(server: Backend) -> str:
    return (ENV_PREFIX + server.value).upper()


class BadAddress(Exception):
    """The address of a server cannot be read; the message names its setting."""

    def __init__(self, server: Backend, reason: Exception) -> None:
        super().__init__(f"{_variable(server)} is no address of a {server.name.lower()}: {_first_line(reason)}")


class NoAnswer(Exception):
    """A server does not answer; the message says which, where its address comes from, and what to do."""

    def __init__(self, server: Backend, settings: ConnectionSettings) -> None:
        variable = _variable(server)
        is_set = server.value in settings.model_fields_set
        source = f"from {variable}" if is_set else f"the default, since {variable} is not set"
        super().__init__(
            f"no {server.name.lower()} answers at {_address(server, settings)} ({source}): "
            f"start one with `tertulia up` and export the variables that it prints, or set {variable}"
        )


def run_connected(work: Coroutine[Any, Any, Result], *servers: Backend) -> Result:
    """Run the work of a command that needs these servers.

    A server that does not answer within two seconds, and an error of its driver, end the command with exit code 1 and
    a line on standard error. All further errors of the work are raised.
    """
    from aiokafka.errors import KafkaError  # noqa: PLC0415 - drivers load slowly: only with a command that connects
    from pymongo.errors import PyMongoError  # noqa: PLC0415

    try:
        settings = read_settings(ConnectionSettings)
        return asyncio.run(_check_and_run(work, settings, servers))
    except (BadAddress, NoAnswer) as error:
        stop(_errors, str(error))
    except PyMongoError as error:
        stop(_errors, f"the database at {_address(Backend.DATABASE, settings)} refused: {_first_line(error)}")
    except KafkaError as error:
        stop(_errors, f"the broker at {_address(Backend.BROKER, settings)} refused: {_first_line(error)}")
    finally:
        work.close()


async def _check_and_run(
    work: Coroutine[Any, Any, Result], settings: ConnectionSettings, servers: tuple[Backend, ...]
) -> Result:
    await asyncio.gather(*(check(server, settings) for server in servers))
    return await work


async def check(server: Backend, settings: ConnectionSettings) -> None:
    """Raise `NoAnswer` unless the server answers, and `BadAddress` if its address cannot be read."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS + 0.5):
            await (_ping_database(settings) if server is Backend.DATABASE else _reach_broker(settings))
    except (OSError, TimeoutError) as error:
        raise NoAnswer(server, settings) from error


async def _ping_database(settings: ConnectionSettings) -> None:
    from pymongo.errors import ConfigurationError, ConnectionFailure  # noqa: PLC0415

    from shared.storage.mongo import Mongo  # noqa: PLC0415

    try:
        mongo = Mongo(settings.model_copy(update={"mongo_timeout_seconds": _ANSWER_SECONDS}))
    except (ConfigurationError, ValueError) as error:
        raise BadAddress(Backend.DATABASE, error) from error
    try:
        await mongo.ping()
    except ConnectionFailure as error:
        raise TimeoutError from error
    finally:
        await mongo.close()


async def _reach_broker(settings: ConnectionSettings) -> None:
    """Return once any of the bootstrap servers accepts a connection."""
    refusal: OSError | None = None
    for server in settings.kafka_servers:
        host, _, port = server.rpartition(":")
        try:
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError as error:
            refusal = error
        else:
            writer.close()
            return
    raise refusal or TimeoutError


def _address(server: Backend, settings: ConnectionSettings) -> str:
    """Return the address without credentials."""
    if server is Backend.BROKER:
        return settings.kafka_bootstrap
    hosts = settings.mongo_url.get_secret_value().rpartition("://")[2].rpartition("@")[2]
    return hosts.partition("/")[0].partition("?")[0]


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].partition(", Timeout:")[0]
