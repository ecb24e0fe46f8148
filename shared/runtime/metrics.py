"""The declaration of every metric, with its meaning and the operator's action. The source of `docs/metrics.md`."""

from __future__ import annotations

import platform
from importlib.metadata import version

from shared.runtime.metric_kinds import LATENCY as _LATENCY
from shared.runtime.metric_kinds import METRICS as _DECLARED
from shared.runtime.metric_kinds import begin_series
from shared.runtime.metric_kinds import counter as _counter
from shared.runtime.metric_kinds import gauge as _gauge
from shared.runtime.metric_kinds import histogram as _histogram

#: The documentation of all metrics: filled below.
METRICS = _DECLARED

# -- the process
BUILD_INFO = _gauge(
    "tertulia_build_info",
    "Always 1; the labels are the versions of Tertulia and Python.",
    "Different versions for long: a roll-out has stopped half-way.",
    "version",
    "python",
)
BUILD_INFO.labels(version=version("tertulia"), python=platform.python_version()).set(1)
LOOP_LAG_SECONDS = _histogram(
    "tertulia_event_loop_lag_seconds",
    "Delay of a timer of the event loop, measured every 2 s. All requests and records wait for the loop.",
    "Above .1 s often: a computation holds the loop, or the machine has no time for the process.",
)

PART_MISSING = _gauge(
    "tertulia_part_missing",
    "1 while a part that readiness names is missing, 0 while it is there: start, kafka, mongo, smtp, settings. Looked "
    "at every 5 s.",
    "1: `/readyz` says why, and the log event `part_missing` has the error.",
    "part",
)

# -- in from Kafka
REBALANCES = _counter(
    "tertulia_rebalances_total",
    "Assignments of partitions to this process. Each stops all work of the group for a moment.",
    "A steady rate: processes join and leave, or miss their heartbeats; look at tertulia_event_loop_lag_seconds.",
)
RECORDS = _counter(
    "tertulia_records_total",
    "Records handled, by outcome: applied (or already known), dead_lettered.",
    "dead_lettered rising: `tertulia dlq list` names the cause.",
    "topic",
    "outcome",
)
REFUSED = _counter(
    "tertulia_records_refused_total",
    "Records refused and dead-lettered, by reason. contradiction: topic, key, attributes and body disagree. operator: "
    "the operator is not the edition's.",
    "Any: somebody else writes to the topics. `tertulia dlq list` names the records; then see the page "
    "`docs/how-to/secure-the-bus.md`.",
    "topic",
    "reason",
)
BATCH_SECONDS = _histogram(
    "tertulia_batch_seconds",
    "Time from taking a batch of an edition's records to having handled it; its commit follows at once.",
    "High: look at tertulia_retries_total, then at the database's and the broker's latency.",
)
LAG = _gauge(
    "tertulia_consumer_lag_records",
    "Records of a topic that this process still has to handle, summed over its partitions. Each partition counts from "
    "its lowest unfinished record, so one slow edition keeps it up. NaN while the broker is silent: nobody knows.",
    "Growing: look at tertulia_oldest_open_seconds. Else add replicas (up to the partition count), unless "
    "tertulia_retries_total grows too.",
    "topic",
)
UNHANDLED_SECONDS = _gauge(
    "tertulia_unhandled_seconds",
    "Time for which the oldest unhandled record of a topic has waited for this process, looked at every 5 s.",
    "Growing: changes do not arrive. `/readyz` names a missing part; else look at tertulia_oldest_open_seconds.",
    "topic",
)
FRESHNESS = _histogram(
    "tertulia_freshness_seconds",
    "Age of a record of a topic when it was handled.",
    "Participants see changes with this delay. Growing with lag: as for lag.",
    "topic",
    buckets=(*_LATENCY, 300, 1800),
)
REPEATS = _counter(
    "tertulia_repeats_dropped_total",
    "Records of batches that changed nothing: repeats, older revisions, facts that do not concern the service.",
    "Many after a restart or a rebalance are right. A steady rate as high as that of records: a producer repeats all.",
)
BROKER_SILENT_SECONDS = _gauge(
    "tertulia_broker_silent_seconds",
    "Time since Kafka last answered this process, which asks every 5 s; 0 while it answers.",
    "Above 15, `/readyz` names kafka. All processes: the broker is away. One process: its network.",
)
RETRIES = _counter(
    "tertulia_retries_total",
    "Waits before another try, by the kind of error.",
    "A steady rate: the broker, the database or the mail server is away or slow; readiness is red meanwhile.",
    "error",
)
OPEN_RECORDS = _gauge(
    "tertulia_open_records",
    "Records in memory that are not handled yet, of all editions.",
    "At TERTULIA_OPEN_RECORDS for long: fetching waits. Look at tertulia_oldest_open_seconds.",
)
LANES = _gauge(
    "tertulia_lanes",
    "Editions with records that are not handled yet.",
    "None: a number to compare with.",
)
OLDEST_OPEN_SECONDS = _gauge(
    "tertulia_oldest_open_seconds",
    "Time since the arrival of the oldest record that is not handled yet; 0 without one.",
    "Growing: an edition is slow, fails or is held. The log names it: `handler_failed`, `operator_held`.",
)
DEAD_LETTER_STOP = _gauge(
    "tertulia_dead_letter_stop",
    "Operators whose dead-letter budget is spent: their faulty editions wait until it has room, ten minutes at most. "
    "Records that cannot be decoded count as one operator.",
    "`/readyz` and the log event `operator_held` name them; `tertulia dlq list` names the cause. Three or more: "
    "suspect the last deploy, roll back, then `tertulia dlq replay`.",
)

# -- journal and outbox
JOURNAL_ENTRIES = _counter(
    "tertulia_journal_entries_total", "Journal entries written.", "None: a rate to compare with."
)
FENCE_REJECTIONS = _counter(
    "tertulia_fence_rejections_total",
    "Inserts refused because another process had written the edition's next entry.",
    "A few at each rebalance are right. A steady rate: two processes own the same partitions.",
)
PUBLISHED = _counter("tertulia_published_total", "Events acknowledged by the broker.", "None: a rate.", "topic")
UNSENT = _gauge(
    "tertulia_unsent",
    "Documents (registration's entities, journal entries, notify's ledger) whose events the broker has not acknowledged"
    " yet, of all processes, looked at every 5 s.",
    "Growing: nobody downstream hears of changes. `/readyz` names kafka, or the log has `publish_deferred`.",
    "store",
)
OLDEST_UNSENT_SECONDS = _gauge(
    "tertulia_oldest_unsent_seconds",
    "Age of the oldest document with unsent events; 0 without one.",
    "Above a minute: as for tertulia_unsent.",
    "store",
)
SWEPT = _counter(
    "tertulia_swept_total",
    "Outboxes that the sweeper sent because their writer did not.",
    "A few after a crash are right. A steady rate: writers die between write and publish.",
)

# -- HTTP
HTTP_SECONDS = _histogram(
    "tertulia_http_request_seconds",
    "Time until the answer to a request begins, by route template with prefix, method and status. Probes do not count.",
    "Status 5xx: look at the logs; 503 means the database is away.",
    "route",
    "method",
    "status",
)
KEYS_REFUSED = _counter(
    "tertulia_keys_refused_total",
    "Requests with a refused key, by reason: malformed (or none), unknown (or revoked), slowed (not looked up after too"
    " many refusals of the source), internal (a wrong internal token).",
    "Rising: the log event `key_refused` has the sources. internal: a process of registration has another token.",
    "reason",
)
HTTP_REFUSED = _counter(
    "tertulia_http_refused_total",
    "Requests and connections that the server refused by itself, by reason: head-too-large, head-late, body-late, busy,"
    " malformed, unread (the answer was not read), evicted (it waited longest when the limit was reached).",
    "evicted or head-late rising: a flood of half requests; limit its sources at the proxy. busy: add replicas.",
    "reason",
)

# -- by operator: the busiest operators, and `other`
OPERATOR_CALLS = _counter(
    "tertulia_operator_calls_total",
    "Calls of an operator at registration, by outcome: admitted, too_many_requests, too_many_at_once.",
    "Refusals of an operator rising: ask it to slow down, or raise its limits with `tertulia operator limit`.",
    "operator",
    "outcome",
)
OPERATOR_SECONDS = _counter(
    "tertulia_operator_seconds_total",
    "Time that registration spent on the admitted calls of an operator.",
    "An operator takes most of it: its limits are too high for this installation.",
    "operator",
)

# -- matching
MISSING_VERSIONS = _counter(
    "tertulia_missing_affinity_versions_total",
    "Batches of editions whose affinity version is not installed: the newest installed version scores their pairs.",
    "Rising: the log affinity_version_missing names edition and version. Install it, or have another chosen.",
)
PAIRS_SCORED = _counter("tertulia_pairs_scored_total", "Affinities published, by consent.", "None: a rate.", "consent")

# -- scheduler
DECISION_SECONDS = _histogram(
    "tertulia_decision_seconds",
    "Time to decide a batch of scores and changes for one edition (insert, repair, verify).",
    "High: the edition is large or full; the loop is blocked meanwhile.",
)
ENCOUNTERS = _counter(
    "tertulia_encounters_total",
    "Encounter changes published, by state, and for waiting encounters by reason.",
    "waiting rising: tables or slots are short. moved over decisions: the moves that a change costs.",
    "state",
    "reason",
)
IMPROVE_SECONDS = _histogram(
    "tertulia_improve_seconds",
    "Time the worker took to improve an edition.",
    "Near the deadline: raise it, or lower rounds.",
)
GAP = _histogram(
    "tertulia_agenda_gap",
    "Encounters that might still be placed in an improved agenda, as a share of the proven bound.",
    "Above .05 often: give the solver more rounds (`TERTULIA_IMPROVE_ROUNDS`), or more time.",
    buckets=(0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
)
IMPROVEMENTS = _counter(
    "tertulia_improvements_total",
    "Improvements by outcome: adopted, kept (no better agenda found), stale (phase or slots changed meanwhile),"
    " busy (no worker was free in time), failed.",
    "failed rising: the log says why; agendas stay as inserted, which is valid.",
    "outcome",
)
VERIFIER_REJECTIONS = _counter(
    "tertulia_verifier_rejections_total",
    "Agendas that the independent verifier rejected before they were journalled.",
    "Any: a defect of the scheduler; no broken agenda was published. Report it with the log's violations.",
)

# -- notify
DELIVERIES = _counter(
    "tertulia_deliveries_total",
    "Mails by outcome (sent, failed, in_doubt, skipped) and kind (agenda, invitation, last).",
    "in_doubt: `tertulia deliveries list`, then resolve. failed: the reason is on notification.v1.",
    "state",
    "kind",
)
DELIVERY_ERRORS = _counter(
    "tertulia_delivery_errors_total",
    "Attempts that ended without an accepted mail, by kind: refused_address, refused_mail, deferred, unavailable, "
    "unconfirmed, unwritable.",
    "refused_*: with no mail accepted beside them, the mail server refuses everybody, and all mails are held. "
    "deferred: it asks for a slower pace. unwritable: the log has the error.",
    "kind",
)
DELIVERY_DELAY_SECONDS = _histogram(
    "tertulia_delivery_delay_seconds",
    "Time from a change of an agenda to the mail about it.",
    "Above the window: the mail server is slow or away.",
)
DELIVERY_LATE_SECONDS = _histogram(
    "tertulia_delivery_late_seconds",
    "Time from the end of a change's longest window to the acceptance of its mail; 0 within the window.",
    "Above a minute: as for tertulia_deliveries_overdue_seconds.",
    buckets=(0, 1, 5, 15, 30, 60, 120, 300, 900, 3600),
)
DELIVERIES_WAITING = _gauge(
    "tertulia_deliveries_waiting",
    "Mails that are due or planned, and not yet sent.",
    "Growing: the mail server is slow or away.",
)
DELIVERIES_OLDEST_SECONDS = _gauge(
    "tertulia_deliveries_oldest_seconds",
    "Age of the oldest change that is owed a mail, 0 if none is.",
    "Far above the window: the mail server is slow, away, or refuses everybody; `/readyz` names `smtp`.",
)
DELIVERIES_OVERDUE_SECONDS = _gauge(
    "tertulia_deliveries_overdue_seconds",
    "Time since the longest window of the oldest owed mail has ended, 0 if none is overdue.",
    "Above a minute: the mail server is slow, away, or refuses everybody; `/readyz` names `smtp`.",
)
DELIVERIES_UNCONFIRMED = _gauge(
    "tertulia_deliveries_in_doubt",
    "Unconfirmed mails: the mail server may or may not have accepted them. They are never sent again automatically.",
    "`tertulia deliveries list`, ask the mail server's log, then `tertulia deliveries resolve`.",
)

# -- webhooks (events)
WEBHOOK_TRIES = _counter(
    "tertulia_webhook_tries_total",
    "Messages sent to receivers of webhooks, by outcome: delivered, retry, failed (the last try), gone (410).",
    "retry rising: `tertulia webhooks list` names the failing webhooks, `tertulia webhooks deliveries` the reasons.",
    "outcome",
)
WEBHOOK_TRY_SECONDS = _histogram(
    "tertulia_webhook_try_seconds",
    "Time from the resolution of a receiver's name to its answer, or to the time-out.",
    "High: receivers are slow. Each holds a few requests at most, and the others keep their pace.",
)
WEBHOOK_DELAY_SECONDS = _histogram(
    "tertulia_webhook_delay_seconds",
    "Time from a new item of the change feed to the receiver's answer that it is taken.",
    "High at the median: processes are short of time, look at tertulia_event_loop_lag_seconds. At the end only: "
    "some receivers fail.",
    buckets=(*_LATENCY, 300, 1800),
)
WEBHOOK_OPEN = _gauge(
    "tertulia_webhook_open",
    "Messages that are not delivered yet, of all webhooks and processes, looked at every 5 s.",
    "Growing: receivers fail. The messages are kept, and sent in order once they answer.",
)
WEBHOOKS_FAILING = _gauge(
    "tertulia_webhooks_failing",
    "Webhooks of this process whose last try has failed.",
    "`tertulia webhooks list` names them. After TERTULIA_WEBHOOK_DEAD_DAYS they are disabled.",
)
WEBHOOKS_DISABLED = _counter(
    "tertulia_webhooks_disabled_total",
    "Webhooks that were disabled, by reason: gone (the receiver answered 410), dead (nothing delivered for days).",
    "Tell the operator. A webhook that is enabled again sends all events since.",
    "reason",
)

begin_series(KEYS_REFUSED, reason=("malformed", "unknown", "slowed", "internal"))
begin_series(HTTP_REFUSED, reason=("head-late", "busy", "evicted"))
begin_series(IMPROVEMENTS, outcome=("adopted", "kept", "stale", "busy", "failed"))
begin_series(DELIVERIES, state=("sent", "failed", "in_doubt", "skipped"), kind=("agenda", "invitation", "last"))
begin_series(
    DELIVERY_ERRORS, kind=("refused_address", "refused_mail", "deferred", "unavailable", "unconfirmed", "unwritable")
)
begin_series(WEBHOOK_TRIES, outcome=("delivered", "retry", "failed", "gone"))
begin_series(WEBHOOKS_DISABLED, reason=("gone", "dead"))
