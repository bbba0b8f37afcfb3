"""What serving counts, by the names that dashboards use."""

from collections import Counter
from collections.abc import Iterable

from foretaste.domain.query import Query
from foretaste.domain.slate import Slate
from foretaste.events.validation import CheckedEvent
from foretaste.pipeline.identity import is_id
from foretaste.pipeline.scenario import Scenario
from foretaste.ports.telemetry import Telemetry

FROM_THE_START = (
    "answers_stale_total",
    "events_clock_ahead_total",
    "events_duplicate_total",
    "events_processed_total",
    "events_rejected_total",
    "events_unknown_type_total",
    "explain_requests_total",
    "items_excluded_explicit_total",
    "items_excluded_history_total",
    "mmr_rerank_applied_total",
    "personalization_recommendations_total",
    "personalization_requests_total",
    "purchase_events_accepted_total",
    "recommendation_cache_errors_total",
    "recommendation_cache_hits_total",
    "recommendation_errors_total",
    "user_profile_requests_total",
)
"""Counters without labels, which are told as 0 before they count: what begins at 1 never rose for Prometheus,
so that an alert would miss the first error."""


def begin_counting(telemetry: Telemetry) -> None:
    """Tell the counters that have no labels from now on."""
    for name in FROM_THE_START:
        telemetry.count(name, 0.0)


def count_answer(
    telemetry: Telemetry,
    query: Query,
    scenario: Scenario,
    slate: Slate,
    *,
    known: bool,
    consumed: int,
    stages: Iterable[tuple[str, float]],
    seconds: float,
) -> None:
    """Count one answer to a person by `scenario`.

    `known` is whether they had a history, `consumed` how many items they had that were left out for that,
    `stages` the seconds of parts of the work.
    """
    user_type = "known" if known else "cold"
    telemetry.count("recommendation_requests_total", source=slate.source, user_type=user_type)
    telemetry.observe("recommendation_latency_seconds", seconds)
    if slate.items:
        telemetry.observe("recommendation_diversity_score", variety(slate))
    for stage, took in stages:
        telemetry.observe(f"{stage}_duration_seconds", took)
    count_filters(telemetry, query)
    count_left_out(telemetry, slate)
    if consumed:
        telemetry.count("items_excluded_history_total", consumed)
    if query.explain:
        telemetry.count("explain_requests_total")
    asked = query.diversity_lambda
    if (scenario.diversity_lambda if asked is None else asked) < 1.0:
        telemetry.count("mmr_rerank_applied_total")


def count_filters(telemetry: Telemetry, query: Query) -> None:
    """Count which kinds of filters and exclusions a query uses."""
    for name in query.filters:
        telemetry.count("filter_applied_total", type=name)
    for name in query.exclude:
        telemetry.count("filter_applied_total", type=f"exclude_{name}")
    if query.exclude_ids:
        telemetry.count("filter_applied_total", type="exclude_ids")
        telemetry.count("items_excluded_explicit_total", len(query.exclude_ids))


def count_left_out(telemetry: Telemetry, slate: Slate) -> None:
    """Count which sources and stages there was no time for."""
    for stage in slate.left_out:
        telemetry.count("recommendation_left_out_total", stage=stage)


def count_events(
    telemetry: Telemetry,
    stored: Iterable[CheckedEvent],
    *,
    accepted: int,
    duplicates: int,
    rejected: int,
    seconds: float,
) -> None:
    """Count a batch of events that took `seconds` from their arrival to the log and the state.

    `stored` are the accepted ones; those that name the answer of ours they belong to are counted by type.
    """
    if accepted:
        telemetry.count("events_processed_total", accepted)
        telemetry.observe("event_processing_duration_seconds", seconds)
    purchases = unknown = ahead = 0
    attributed: Counter[str] = Counter()
    for each in stored:
        if is_id(each.event.recommendation_id):
            attributed[each.event.type] += 1
        purchases += each.event.type == "purchase"
        unknown += not each.known
        ahead += each.ahead > 0
    counts = {
        "events_duplicate_total": duplicates,
        "events_rejected_total": rejected,
        "purchase_events_accepted_total": purchases,
        "events_unknown_type_total": unknown,
        "events_clock_ahead_total": ahead,
    }
    for name, amount in counts.items():
        if amount:
            telemetry.count(name, amount)
    for kind, amount in attributed.items():
        telemetry.count("attributed_events_total", amount, type=kind)


def variety(slate: Slate) -> float:
    """Return the number of different main categories over the number of items, in (0, 1]."""
    main = {item.categories[0] if item.categories else item.item_id for item in slate.items}
    return len(main) / len(slate.items)
