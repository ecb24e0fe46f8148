"""A broker with TLS, SCRAM users and access rules, which are set as an operator sets them."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from deploy.embedded.process import Program
from deploy.kafka.cluster import acl_command, secured_broker
from deploy.kafka.security import ADMIN, MECHANISM, BrokerSecurity
from shared.runtime.settings import ConnectionSettings
from tests.support.certificates import make_certificate

#: A command of `kafka-acls` starts a JVM.
_ACL_SECONDS = 120
_ACLS_AT_ONCE = 3


@dataclass(frozen=True)
class SecuredKafka:
    """A secured broker and its users: every user has the password `<name>-password`."""

    port: int
    folder: Path
    security: BrokerSecurity

    @classmethod
    def of(cls, port: int, folder: Path, users: Iterable[str]) -> SecuredKafka:
        """Make the certificate and the users of a broker."""
        files = make_certificate(folder)
        passwords = {user: f"{user}-password" for user in (ADMIN, *users)}
        return cls(port, folder, BrokerSecurity(files.certificate, files.key, "tertulia tests", passwords))

    async def program(self) -> Program:
        """Return the broker as a program."""
        return await secured_broker(self.folder, self.port, self.security)

    def options(self, user: str) -> dict[str, Any]:
        """Return the connection settings of a user."""
        return {
            "kafka_bootstrap": f"127.0.0.1:{self.port}",
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": MECHANISM,
            "kafka_sasl_username": user,
            "kafka_sasl_password": SecretStr(self.security.users[user]),
            "kafka_ssl_ca_file": self.security.certificate,
        }

    def connection(self, user: str) -> ConnectionSettings:
        """Return a user's settings for the command line's tools."""
        return ConnectionSettings(**self.options(user))

    def admin_properties(self) -> Path:
        """Write the properties by which Kafka's tools connect as the administrator."""
        password = self.security.users[ADMIN]
        module = "org.apache.kafka.common.security.scram.ScramLoginModule"
        path = self.folder / "admin.properties"
        path.write_text(
            "security.protocol=SASL_SSL\n"
            f"sasl.mechanism={MECHANISM}\n"
            f'sasl.jaas.config={module} required username="{ADMIN}" password="{password}";\n'
            "ssl.truststore.type=PEM\n"
            f"ssl.truststore.location={self.security.certificate}\n"
        )
        return path

    def run_in_shell(self, lines: str) -> None:
        """Run command lines of `kafka-acls` in shells, as an operator does; some at a time, since each starts a JVM."""
        program = self.folder / "kafka-acls"
        program.write_text(f'#!/bin/sh\nexec {shlex.join(acl_command())} "$@"\n')
        program.chmod(0o755)

        def run(line: str) -> None:
            command = ["/bin/sh", "-c", f"PATH={shlex.quote(str(self.folder))}:$PATH\n{line}"]
            subprocess.run(command, check=True, capture_output=True, timeout=_ACL_SECONDS)

        with ThreadPoolExecutor(_ACLS_AT_ONCE) as pool:
            list(pool.map(run, lines.splitlines()))
