"""Guards against header injection, and a probe of the interpreter's own guard (CVE-2024-6923, CVE-2026-1299)."""

from __future__ import annotations

import platform
import re
from email.errors import MessageError
from email.headerregistry import Address, AddressHeader, HeaderRegistry
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, EmailPolicy
from typing import Any

from shared.runtime.log import get_logger

_log = get_logger(__name__)

#: Control characters, all but the tab: a reader may take any of them for the end of a line (RFC 5322, 3.2.5).
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: A text that RFC 2047 readers decode. Its decoded form has two lines.
_PROBE = "a =?utf-8?q?b=0d=0aX-Probe:_c?="
_REGISTRY = HeaderRegistry()
#: Errors of the library on addresses that it cannot read or write; the last two come from its own defects. They
#: refuse the mail: an error that escaped would keep the delivery claimed, and come again after every lease.
LIBRARY_ERRORS = (ValueError, MessageError, LookupError, AttributeError, TypeError)


class HeaderInjected(MessageError):
    """A finished header would be read as several headers, as a body, or as addresses that were not meant."""


def refuse_line_breaks(header: str, linesep: str) -> None:
    """Check a finished header, folded and with its final `linesep`.

    Raises:
        HeaderInjected: a line break is no folding (RFC 5322, 2.2.3), or a line holds a control character.
    """
    name = header.partition(":")[0]
    if not header.endswith(linesep):
        raise HeaderInjected(f"the header {name!r} does not end with a line break")
    first, *continuations = header.removesuffix(linesep).split(linesep)
    if any(not line.startswith((" ", "\t")) for line in continuations):
        raise HeaderInjected(f"a line of the header {name!r} is not folded: it would be read as another header")
    if any(_CONTROLS.search(line) for line in (first, *continuations)):
        raise HeaderInjected(f"the header {name!r} has a control character")


def refuse_other_addresses(header: str, linesep: str, meant: AddressHeader) -> None:
    """Check that a finished header holds the addresses that are meant, in their order.

    Libraries below the mend of CPython's gh-118643 fold a long display name without its quotes: then an address in the
    name is read as an address of the mail.

    Raises:
        HeaderInjected: other addresses would be read.
    """
    name, _, value = header.partition(":")
    try:
        is_read_back = _specs(_REGISTRY(name, value.replace(linesep, "").strip(" "))) == _specs(meant)
    except LIBRARY_ERRORS as error:
        raise HeaderInjected(f"the header {name!r} cannot be read as addresses") from error
    if not is_read_back:
        raise HeaderInjected(f"the header {name!r} would be read as other addresses")


def _specs(header: Any) -> list[str]:  # noqa: ANN401 - the registry's class has no type for its headers
    return [address.addr_spec for address in header.addresses]


def library_injects_headers(policy: EmailPolicy[Any] = SMTP) -> bool:
    """Return whether the running interpreter, without our guard, writes a decoded line break into a header.

    Versions are not compared: the mend was carried back to many of them, and for bytes it came later than for text.
    """
    return any(
        _is_injected(policy, name, value)
        for name, value in (("Subject", _PROBE), ("To", Address(display_name=_PROBE, addr_spec="a@tertulia.invalid")))
    )


def _is_injected(policy: EmailPolicy[Any], name: str, value: str | Address) -> bool:
    message = EmailMessage(policy=policy)
    try:
        message[name] = value
        return BytesParser().parsebytes(bytes(message)).keys() != [name]
    except (ValueError, MessageError):
        return False


def warn_of_open_library(policy: EmailPolicy[Any] = SMTP) -> None:
    """Log a warning if the interpreter's library injects headers."""
    if library_injects_headers(policy):
        _log.warning(
            "python_injects_mail_headers",
            python=platform.python_version(),
            cve="CVE-2024-6923",
            advice="mails are guarded; update Python to a patch level that has the mend",
        )
