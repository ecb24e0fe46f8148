"""The services as Kubernetes runs them: processor, memory, secrets, and the services that they call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """A service on Kubernetes: its processor and memory, the services it calls, its secrets and its callers."""

    name: str
    cpu: str
    memory: str
    calls: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ("TERTULIA_MONGO_URL", "TERTULIA_INTERNAL_TOKEN")
    environment: tuple[tuple[str, str], ...] = ()
    is_public: bool = False


WORKLOADS = (
    Workload(
        "registration",
        "500m",
        "768Mi",
        calls=("matching", "scheduler", "notify", "events"),
        secrets=("TERTULIA_MONGO_URL", "TERTULIA_INTERNAL_TOKEN", "TERTULIA_LINK_SECRET"),
        environment=(("TERTULIA_SIGN_IN_URL", "https://api.example.org"),),
        is_public=True,
    ),
    Workload("matching", "1", "1536Mi"),
    Workload("scheduler", "1", "2Gi"),
    Workload(
        "notify",
        "500m",
        "1Gi",
        secrets=("TERTULIA_MONGO_URL", "TERTULIA_INTERNAL_TOKEN", "TERTULIA_LINK_SECRET", "TERTULIA_SMTP_PASSWORD"),
        environment=(
            ("TERTULIA_MAIL_FROM", "Tertulia <agenda@example.org>"),
            ("TERTULIA_PORTAL_URL", "https://meet.example.org"),
            ("TERTULIA_PUBLIC_URL", "https://agenda.example.org"),
            ("TERTULIA_SMTP_HOST", "smtp.example.org"),
        ),
        is_public=True,
    ),
    Workload("events", "500m", "768Mi"),
    Workload(
        "portal",
        "500m",
        "768Mi",
        calls=("registration",),
        secrets=("TERTULIA_MONGO_URL",),
        environment=(("TERTULIA_PORTAL_URL", "https://meet.example.org"),),
        is_public=True,
    ),
)
