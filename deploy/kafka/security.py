"""TLS, SCRAM users and the authorizer of a broker: the settings that `docs/how-to/secure-the-bus.md` names.

Clients connect by SASL over TLS. Brokers and controllers identify themselves by certificates. A controller takes no
SCRAM, because its users are stored in the log that it serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded.probes import HOST, free_ports
from deploy.embedded.process import Probe

#: The only user that the authorizer lets do everything.
ADMIN = "admin"
MECHANISM = "SCRAM-SHA-512"


@dataclass(frozen=True)
class BrokerSecurity:
    """The identity of a single broker, and its users.

    Attributes:
        certificate: the broker's certificate in PEM, which is its own authority, with the name `common_name`.
        key: the key of the certificate, in PEM.
        users: passwords by user. `ADMIN` is a super user; the authorizer refuses all else that no rule allows.
    """

    certificate: Path
    key: Path
    common_name: str
    users: Mapping[str, str]
    _port_of_brokers: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def format_options(self) -> list[str]:
        """The options by which `StorageTool format` creates the users."""
        users = [f"{MECHANISM}=[name={name},password={password}]" for name, password in self.users.items()]
        return [part for user in users for part in ("--add-scram", user)]

    def properties(self, folder: Path, port: int, controller_port: int) -> dict[str, object]:
        """Write the key store into a folder, and return the broker's settings."""
        folder.mkdir(parents=True, exist_ok=True)
        key_store = folder / "key-store.pem"
        key_store.write_bytes(self.key.read_bytes() + self.certificate.read_bytes())
        brokers = f"BROKERS://{HOST}:{self._port_of_brokers}"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return {
            "listeners": f"CLIENTS://{HOST}:{port},{brokers},CONTROLLER://{HOST}:{controller_port}",
            "advertised.listeners": f"CLIENTS://{HOST}:{port},{brokers}",
            "inter.broker.listener.name": "BROKERS",
            "listener.security.protocol.map": "CONTROLLER:SSL,BROKERS:SSL,CLIENTS:SASL_SSL",
            "sasl.enabled.mechanisms": MECHANISM,
            f"listener.name.clients.{MECHANISM.lower()}.sasl.jaas.config": scram,
            "listener.name.brokers.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": key_store,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.certificate,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{ADMIN};User:CN={self.common_name}",
            "allow.everyone.if.no.acl.found": "false",
        }

    def answers(self, port: int) -> Probe:
        """Return a probe: the broker takes a connection by TLS."""

        async def probe() -> bool:
            context = ssl.create_default_context(cafile=self.certificate)
            try:
                _, writer = await asyncio.open_connection(HOST, port, ssl=context)
            except OSError:
                return False
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return True

        return probe
