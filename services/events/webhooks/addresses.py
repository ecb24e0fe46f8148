"""Judgement of the addresses that webhooks are sent to: an operator chooses them, so they must lead nowhere inside.

Pure. A URL is judged when it is set, and before every try. All addresses of its host are judged before every try.
`docs/integrations/refused-targets.md` lists the refused forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

LONGEST_URL: Final = 2000
_HTTPS_PORT: Final = 443
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)")
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
#: A last label that programs read as a number: 127.1, 0x7f000001, 017700000001.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_NAME: Final = 253
#: Top-level names of networks inside (RFC 6761, 6762, 8375, 9476; `internal` by ICANN 2024), and names never delegated.
_INSIDE: Final = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "arpa"}
    | {"invalid", "onion", "alt", "cluster"}
)
_V4: Final[dict[str, tuple[str, ...]]] = {
    "of this network": ("0.0.0.0/8",),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "of a carrier's NAT": ("100.64.0.0/10",),
    "a loopback": ("127.0.0.0/8",),
    "link-local": ("169.254.0.0/16",),
    "of a cloud's own services": ("168.63.129.16/32",),
    "of a protocol": ("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24"),
    "for documents": ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),
    "for benchmarks": ("198.18.0.0/15",),
    "multicast": ("224.0.0.0/4",),
    "reserved": ("240.0.0.0/4",),
}
#: Within 2000::/3. All other IPv6 addresses are refused whole: loopback, mapped and compatible IPv4, NAT64, unique
#: local, link-local, site-local, multicast, and the rest that is not assigned.
_V6: Final[dict[str, tuple[str, ...]]] = {
    "of a protocol, such as Teredo": ("2001::/23",),
    "for documents": ("2001:db8::/32", "3fff::/20"),
    "of 6to4": ("2002::/16",),
    "of 6bone": ("3ffe::/16",),
}
_V4_NETWORKS: Final = [(IPv4Network(text), words) for words, texts in _V4.items() for text in texts]
_V6_NETWORKS: Final = [(IPv6Network(text), words) for words, texts in _V6.items() for text in texts]
_V6_GLOBAL: Final = IPv6Network("2000::/3")
#: Interface identifiers that carry an IPv4 address (ISATAP, RFC 5214).
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})


class UnsafeTarget(Exception):
    """A webhook must not be sent there; the message says why, in words for the operator."""


@dataclass(frozen=True)
class TargetRules:
    """The targets that an installation permits.

    `private_networks` permits all addresses and ports, and plain HTTP: for trials on a single machine.
    """

    ports: frozenset[int] = field(default=frozenset({_HTTPS_PORT}))
    private_networks: bool = False


@dataclass(frozen=True)
class Target:
    """A judged URL in its parts. `host` is a name in lower case, or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_usual = self.port == (_HTTPS_PORT if self.scheme == "https" else 80)
        return host if is_usual else f"{host}:{self.port}"


def read_target(url: str, rules: TargetRules) -> Target:
    """Return the parts of a URL that a webhook may be sent to, as far as the URL alone tells.

    Raises:
        UnsafeTarget: the URL has another form, or names a host, an address or a port that is not permitted.
    """
    if not url or len(url) > LONGEST_URL:
        raise UnsafeTarget(f"a URL has 1 to {LONGEST_URL} characters")
    if not all("!" <= character <= "~" for character in url) or "\\" in url:
        raise UnsafeTarget("write the URL in ASCII, without spaces and backslashes: a name of other letters as `xn--…`")
    found = _URL.fullmatch(url)
    if found is None:
        raise UnsafeTarget("write a whole URL without a fragment, such as https://crm.example.org/tertulia")
    scheme = found["scheme"].lower()
    if scheme != "https" and not (scheme == "http" and rules.private_networks):
        raise UnsafeTarget(f"the scheme is {scheme[:20]}: only https is permitted")
    if "@" in found["authority"]:
        raise UnsafeTarget("the URL holds a user name or a password: leave it out, receivers check the signature")
    split = _AUTHORITY.fullmatch(found["authority"])
    if split is None:
        raise UnsafeTarget(f"{found['authority'][:100]!r} is no host with a port")
    port = int(split["port"] or (_HTTPS_PORT if scheme == "https" else 80))
    _judge_port(port, rules)
    host = _judged_host(split["host"].lower(), rules)
    path = found["rest"] if found["rest"].startswith("/") else f"/{found['rest']}"
    return Target(scheme, host, port, path)


def judge_address(text: str, rules: TargetRules) -> str:
    """Return an address in its usual form if a webhook may be sent to it.

    Raises:
        UnsafeTarget: the address is not public; the message names its kind.
    """
    try:
        address = ip_address(text)
    except ValueError as error:
        raise UnsafeTarget(f"{text[:60]!r} is no IP address") from error
    if rules.private_networks:
        return str(address)
    words = _words_v4(address) if isinstance(address, IPv4Address) else _words_v6(address)
    if words:
        raise UnsafeTarget(f"the address {text} is {words}: webhooks are sent to public addresses only")
    return str(address)


def _judge_port(port: int, rules: TargetRules) -> None:
    if not rules.private_networks and port not in rules.ports:
        permitted = ", ".join(map(str, sorted(rules.ports)))
        raise UnsafeTarget(f"port {port} is not permitted: this installation sends webhooks to {permitted} only")


def _judged_host(host: str, rules: TargetRules) -> str:
    if host.startswith("["):
        return judge_address(host[1:-1], rules)
    if host.endswith("."):
        raise UnsafeTarget("write the host without the dot at its end")
    if _NAME.fullmatch(host) is None or len(host) > _LONGEST_NAME:
        raise UnsafeTarget(f"{host[:100]!r} is no name of a host")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return judge_address(host, rules)  # reads four decimal numbers only: neither 127.1 nor 0177.0.0.1 nor 0x7f.1
    if not rules.private_networks and (len(labels) == 1 or labels[-1] in _INSIDE):
        raise UnsafeTarget(f"{host[:100]} is a name of an inside network: webhooks are sent to public names only")
    return host


def _words_v4(address: IPv4Address) -> str:
    return next((words for network, words in _V4_NETWORKS if address in network), "")


def _words_v6(address: IPv6Address) -> str:
    if address.scope_id is not None:
        return "of a single link"
    if address not in _V6_GLOBAL:
        return "not in the public part of IPv6, 2000::/3"
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return "of ISATAP, and so leads to an IPv4 address"
    return next((words for network, words in _V6_NETWORKS if address in network), "")
