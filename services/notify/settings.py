"""The settings of notify."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parseaddr
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from services.notify.domain.delivery import Window
from shared.runtime.settings import ServiceSettings, variables

_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
#: Fewest characters of the secret that signs links.
_LEAST_SECRET = 32


class Settings(ServiceSettings):
    """Settings of notify, read from the environment."""

    service: ClassVar[str] = "notify"

    smtp_host: str = Field(default="127.0.0.1", description="The mail server.")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="none", description="Plain, upgraded with STARTTLS, or TLS from the first byte."
    )
    smtp_username: str = Field(default="", description="User name, if the mail server asks for one.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Password of that user.")
    smtp_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Longest time of one exchange with the mail server."
    )
    smtp_data_seconds: float = Field(
        default=600.0,
        gt=0,
        description="Longest wait for the answer to the text of a mail. A shorter one leaves mails unconfirmed that a "
        "busy server has accepted (RFC 5321, 4.5.3.2.6).",
    )
    smtp_connections: int = Field(default=4, ge=1, le=100, description="Most connections, and so mails, at once.")
    smtp_mails_per_connection: int = Field(default=100, ge=1, description="Mails before a connection is renewed.")
    smtp_retry_seconds: float = Field(
        default=5.0, gt=0, description="Wait before the second try of a mail not taken; doubles up to 15 minutes."
    )
    mail_from: str = Field(default="Tertulia <agenda@tertulia.invalid>", description="`From` of every mail.")
    mail_reply_to: str = Field(default="", description="`Reply-To` of every mail; none if unset.")
    mail_domain: str = Field(
        default="tertulia.invalid",
        pattern=r"^[a-z0-9.-]+$",
        description="Domain in Message-IDs and calendar UIDs. Never change it while an edition runs.",
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$",
        description="Address at which participants reach notify, such as `https://agenda.example.org`, for their feeds "
        "and pages. Unset: mails have no links.",
    )
    portal_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$",
        description="Address of the portal: the pages in mails are there. Unset: notify serves a page of the agenda.",
    )
    link_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs the links in mails: at least 32 characters, the same in all processes. Another secret ends "
        "all links.",
    )
    calendar_alarm_minutes: float = Field(
        default=0.0,
        ge=0,
        le=1440,
        description="A calendar program reminds of an entry this long before its start; 0: no reminder.",
    )
    window_seconds: float = Field(
        default=60.0, ge=0, description="A mail waits until an agenda has been quiet for this long."
    )
    window_longest_seconds: float = Field(
        default=300.0, ge=0, description="But no longer than this after the first change it tells of."
    )
    imminent_minutes: float = Field(
        default=60.0, ge=0, description="A change of what begins this soon is mailed at once."
    )
    lease_seconds: float = Field(
        default=300.0, gt=0, description="Time after which another process takes over a claimed mail."
    )
    deliver_every_seconds: float = Field(default=0.5, gt=0, description="Time between two looks for due mails.")
    deliver_batch: int = Field(default=500, ge=1, le=10_000, description="Mails looked up at once.")

    @property
    def window(self) -> Window:
        """Time for which changes are gathered into a mail."""
        return Window(
            quiet=timedelta(seconds=self.window_seconds),
            longest=timedelta(seconds=self.window_longest_seconds),
            imminent=timedelta(minutes=self.imminent_minutes),
        )

    @property
    def data_lease(self) -> timedelta:
        """Time for which a claim lasts from the moment before the text is handed over."""
        return timedelta(seconds=max(self.lease_seconds, self.smtp_data_seconds + self.smtp_timeout_seconds))

    @property
    def lease(self) -> timedelta:
        """Time for which a claim on a delivery lasts."""
        return timedelta(seconds=self.lease_seconds)

    @model_validator(mode="after")
    def _links_are_signed(self) -> Self:
        if self.public_url and len(self.link_secret.get_secret_value()) < _LEAST_SECRET:
            raise ValueError(
                f"{variables('link_secret')} has fewer than {_LEAST_SECRET} characters: {variables('public_url')} is "
                "set, so links are signed"
            )
        return self

    @model_validator(mode="after")
    def _sender_exists(self) -> Self:
        """Accept a made-up sender beside a mail server on this machine only, as in the embedded stack."""
        domain = parseaddr(self.mail_from)[1].rpartition("@")[2].lower()
        if domain.rpartition(".")[2] == "invalid" and self.smtp_host not in _THIS_MACHINE:
            raise ValueError(
                f"{variables('mail_from')} is an address that cannot exist: set the organiser's own, such as "
                f"Matchmaking <agenda@example.org>. It may stay only if {variables('smtp_host')} is this machine"
            )
        return self

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        if bool(self.smtp_username) != bool(self.smtp_password.get_secret_value()):
            raise ValueError(f"{variables('smtp_username', 'smtp_password')}: set both, or none")
        return self

    @model_validator(mode="after")
    def _lease_outlasts_a_mail(self) -> Self:
        # Connect, greet, log in, MAIL, RCPT: every step may take the whole time-out. DATA begins with a longer lease.
        if self.lease_seconds < 8 * self.smtp_timeout_seconds:
            least = 8 * self.smtp_timeout_seconds
            raise ValueError(
                f"{variables('lease_seconds')} is {self.lease_seconds:g}: at least 8 * "
                f"{variables('smtp_timeout_seconds')}, {least:g}, is needed"
            )
        return self
