"""Rows that go by what was looked at: builds, health endpoints, links, callers, and use over weeks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.docket import Attestation, CiResult
from pipeline.lifecycle import CheckResult, Phase
from pipeline.readiness.build import at_hand
from pipeline.readiness.callers import MOST_STRANGERS, called, kept
from pipeline.readiness.health import same
from pipeline.readiness.links import stated
from pipeline.readiness.report import Row, RowState
from pipeline.readiness.rules import ReadinessRules
from pipeline.readiness.seen import Answer, Asked, Digest, Opened, Seating
from pipeline.readiness.use import LEAST, MOST, STEP, Resource, Use, level, step, used
from tests.pipeline.readiness.test_checklist import (
    CI,
    DAY,
    FACTS,
    NOW,
    STATED,
    asked,
    rollout,
    row,
    service,
    sound,
    word,
)

SEEN = FACTS.seen
HOUR = timedelta(hours=1)
SHA, OTHER = "a" * 64, "b" * 64


def of(
    item: str, *words: Attestation, rules: ReadinessRules = STATED, ci: tuple[CiResult, ...] = CI, **seen: object
) -> Row:
    facts = replace(FACTS, seen=replace(SEEN, **seen))  # type: ignore[arg-type]
    return row(asked(*words, of=service(replace(sound(), readiness=rules)), facts=facts, ci=ci), item)


def with_build(made: Attestation, revision: str, digest: str = "") -> Attestation:
    return replace(made, revision=revision, digest=digest)


def test_a_result_of_ci_passes_the_build_that_it_is_of_and_no_other() -> None:
    assert of("STB-2").why == "r3 (commit 4f2a91c) passed lint, unit, integration and 1 more"
    other = of("STB-2", ci=(replace(CI[0], revision="r2"),))
    assert (other.state, other.why) == (
        RowState.UNKNOWN,
        "r3: nobody knows whether it passed lint, integration, end-to-end",
    )
    assert other.lifts.startswith("pithead attest cart STB-2 --revision r3 ")


@pytest.mark.parametrize(("revision", "opens"), [("r3", True), ("r2", False), ("", False)])
def test_a_word_for_a_build_opens_the_row_of_that_very_build(revision: str, opens: bool) -> None:
    found = of("STB-2", with_build(word("STB-2"), revision), ci=())
    assert (found.state is RowState.PASS) is opens


@pytest.mark.parametrize("spoken", [True, False])
def test_where_builds_have_a_digest_a_word_must_name_it(spoken: bool) -> None:
    def told(digest: str, known: Digest) -> RowState:
        if spoken:
            return of("STB-2", with_build(word("STB-2"), "r3", digest), ci=(), digest=known).state
        return of("STB-2", ci=(replace(CI[0], digest=digest),), digest=known).state

    assert told(SHA, Digest(SHA)) is RowState.PASS
    assert told("", Digest(SHA)) is RowState.UNKNOWN
    assert told(OTHER, Digest(SHA)) is (RowState.UNKNOWN if spoken else RowState.FAIL)
    assert told("", Digest(waits=True)) is RowState.UNKNOWN
    assert told("", Digest(fault="no artifact")) is RowState.PASS


def test_staging_checks_of_this_very_build_count_by_the_suite_s_name() -> None:
    rules = replace(STATED, suites=("unit",))
    facts = replace(FACTS, releases=(rollout(3, Phase.SETTLED, 1),))
    its = service(replace(sound(), readiness=rules))
    assert row(asked(of=its, facts=facts, ci=()), "STB-2").why == (
        "r3 passed unit in staging; no result of CI names its commit"
    )
    broken = rollout(3, Phase.SETTLED, 1, checks=(CheckResult("unit", False, "2 failed", NOW),))
    found = row(asked(of=its, facts=replace(facts, releases=(broken,)), ci=()), "STB-2")
    assert (found.state, found.why) == (RowState.FAIL, "r3 failed unit")
    elsewhere = replace(broken, revision="r2")
    assert row(asked(of=its, facts=replace(facts, releases=(elsewhere,)), ci=()), "STB-2").state is RowState.UNKNOWN


def test_the_build_at_hand_is_on_its_way_or_was_vouched_for_since_or_runs() -> None:
    settled, going = rollout(3, Phase.SETTLED, 5), rollout(4, Phase.QUEUED, 0)
    assert at_hand(going, "r3", CI) == "r4"
    assert at_hand(settled, "r3", ()) == "r3"
    assert at_hand(settled, "r3", [replace(CI[0], revision="r5", at=NOW)]) == "r5"
    assert at_hand(settled, "r3", [replace(CI[0], revision="r2", at=NOW - 9 * DAY)]) == "r3"
    assert at_hand(None, "r1", [with_build(word("STB-2"), "r2")]) == "r2"


def health(**changes: object) -> Mapping[str, Asked]:
    """As it is, with one host otherwise."""
    first = next(iter(SEEN.health))
    return {**SEEN.health, first: replace(SEEN.health[first], **changes)}  # type: ignore[arg-type]


BEHIND = Seating("be/cart", ready=False, checked=True)


ALL = "/healthz answers on 4 of 4 hosts within 12 ms; "
TAKES_OUT = "its balancer takes out what is unhealthy"
STAYS = "cart-fra1-1 is unhealthy (/healthz: {}), and still gets requests as be/cart"
DEAD = {name: replace(one, status=None, why="refused") for name, one in SEEN.health.items()}
UP = Seating("be/cart", ready=True, checked=False)


@pytest.mark.parametrize(
    ("asked_of", "state", "why"),
    [
        (SEEN.health, RowState.PASS, ALL + TAKES_OUT),
        ({}, RowState.UNKNOWN, "not been asked lately on cart-fra1-1, cart-fra1-2, cart-ams2-1 and 1 more"),
        (health(at=NOW - 2 * DAY), RowState.UNKNOWN, "/healthz has not been asked lately on cart-fra1-1"),
        (health(took_s=1.4), RowState.FAIL, "/healthz took 1.4 s on cart-fra1-1, expected 1 s at most"),
        (health(status=404), RowState.FAIL, "there is no /healthz (HTTP 404) on cart-fra1-1"),
        (health(alive="HTTP 404"), RowState.FAIL, "/alive says HTTP 404 on cart-fra1-1, which is healthy"),
        (health(status=503, seating=BEHIND), RowState.PASS, "on 3 of 4 hosts within 12 ms; " + TAKES_OUT),
        (health(status=503, stays=True), RowState.FAIL, STAYS.format("HTTP 503")),
        (health(status=None, why="refused", stays=True), RowState.FAIL, STAYS.format("refused")),
        (health(seating=None), RowState.UNKNOWN, ALL + "no balancer is configured that tells whether"),
        (health(seating=Seating("be/cart", fault="no answer")), RowState.UNKNOWN, ALL + "no answer"),
        (health(seating=UP), RowState.UNKNOWN, ALL + "its balancer says of no check of cart-fra1-1"),
        (DEAD, RowState.UNKNOWN, "no host is healthy by /healthz (cart-fra1-1: refused, 2031-05-01 12:00 UTC)"),
    ],
)
def test_the_health_row_says_what_was_seen(asked_of: Mapping[str, Asked], state: RowState, why: str) -> None:
    found = of("REL-3", health=asked_of)
    assert found.state is state
    assert why in found.why


@pytest.mark.parametrize("other", ["/healthz", "/healthz/", "//healthz", "/healthz#x"])
def test_one_endpoint_written_in_two_ways_is_one(other: str) -> None:
    assert same("/healthz", other)
    assert not same("/healthz", "/livez")
    assert of("REL-3", rules=replace(STATED, liveness_path=other)).state is RowState.FAIL


def test_both_endpoints_must_be_stated() -> None:
    assert of("REL-3", rules=replace(STATED, liveness_path="")).why == "not stated: liveness_path"


def link(answer: Answer, why: str, *, opened: datetime | None = None, at: datetime = NOW) -> Mapping[str, Opened]:
    return {"wiki/cart": Opened(answer, why, at, opened)}


@pytest.mark.parametrize("item", ["DOC-1", "MON-2"])
def test_a_link_that_is_gone_fails_and_one_that_nobody_could_open_is_unknown_with_its_age(item: str) -> None:
    gone = of(item, word(item), links=link(Answer.GONE, "HTTP 404"))
    assert gone.state is RowState.FAIL
    assert gone.why.endswith(": wiki/cart: HTTP 404")
    silent = link(Answer.UNKNOWN, "no answer in 10 s", opened=NOW - 3 * HOUR, at=NOW - HOUR)
    assert of(item, links=silent).state is RowState.UNKNOWN
    assert of(item, links=silent).why.endswith("no answer in 10 s (1 h ago; last open 3 h ago)")
    assert of(item, word(item), links=silent).state is RowState.PASS
    assert "not opened lately" in of(item, links={}).why
    assert "not opened lately" in of(item, links=link(Answer.OPEN, "HTTP 200", at=NOW - 2 * DAY)).why


def test_who_owns_the_alerts_is_still_vouched_for() -> None:
    assert of("MON-2").why.endswith("nobody vouches for it")
    assert of("MON-2", word("MON-2")).state is RowState.PASS
    bare = replace(STATED, runbook="", docs={})
    assert of("MON-2", word("MON-2"), rules=bare).why == "no runbook is stated: readiness.runbook"


def test_every_link_is_stated_once() -> None:
    rules = ReadinessRules(runbook="a", dashboards=("b", "a"), docs={"faq": "b", "contacts": "c"})
    assert stated(rules) == ("a", "b", "c")


ONLY = "web, app; web called it in the last 30 days, and nobody else"
STRANGER = "bot called it in the last 30 days, and readiness.clients does not name it"
LABELLED = replace(STATED, clients=("web", "app"), client_label="client")


@pytest.mark.parametrize(
    ("callers", "state", "why"),
    [
        ({"web": NOW}, RowState.PASS, ONLY),
        ({"web": NOW, "bot": NOW - 5 * DAY}, RowState.FAIL, STRANGER),
        ({"web": NOW, "bot": NOW - 31 * DAY}, RowState.PASS, ONLY),
        ({"web": NOW, "": NOW}, RowState.UNKNOWN, "web, app; some requests name no caller (label client)"),
        ({"web": NOW - 2 * DAY}, RowState.UNKNOWN, "web, app; for 2 d nobody was seen to call it"),
        ({}, RowState.UNKNOWN, "web, app; nobody was seen to call it yet"),
    ],
)  # fmt: skip
def test_callers_must_be_on_the_list(callers: Mapping[str, datetime], state: RowState, why: str) -> None:
    found = of("REL-1", word("REL-1"), rules=LABELLED, callers=callers)
    assert (found.state is RowState.FAIL) is (state is RowState.FAIL)
    silent = of("REL-1", rules=LABELLED, callers=callers)
    assert silent.why.removesuffix("; nobody vouches for it") == why
    assert silent.state is (RowState.FAIL if state is RowState.FAIL else RowState.UNKNOWN)


def test_callers_that_were_kept_count_after_a_restart() -> None:
    facts = replace(FACTS, callers={"bot": NOW - DAY})
    found = row(asked(of=service(replace(sound(), readiness=LABELLED)), facts=facts), "REL-1")
    assert found.state is RowState.FAIL


names = st.sampled_from(["web", "app", "bot", ""])
counts = st.dictionaries(st.sampled_from(["h1", "h2"]), st.dictionaries(names, st.floats(0, 1e9)))


@given(counts, counts)
def test_only_a_count_that_changed_on_a_host_that_was_known_tells_of_a_caller(
    before: dict[str, dict[str, float]], now: dict[str, dict[str, float]]
) -> None:
    found = called(before, now)
    for name in found:
        assert any(
            host in before and its.get(name, 0) > 0 and its[name] != before[host].get(name) for host, its in now.items()
        )
    assert not called(now, now)
    assert not called({}, now)


@given(st.sets(st.text(max_size=5), max_size=60), st.sets(st.text(max_size=5), max_size=10))
def test_few_strangers_are_kept_and_every_listed_caller(found: set[str], listed: set[str]) -> None:
    worth = kept(found, listed)
    assert set(worth) <= found
    assert found & listed <= set(worth)
    assert len(set(worth) - listed - {""}) <= MOST_STRANGERS
    assert bool(found) is bool(worth)


@given(st.floats(LEAST, MOST))
def test_a_level_is_kept_to_half_a_step(amount: float) -> None:
    assert 1 / STEP < level(step(amount)) / amount < STEP


@pytest.mark.parametrize("odd", [float("nan"), -1.0, 0.0])
def test_a_level_that_is_none_is_the_least(odd: float) -> None:
    assert step(odd) == step(LEAST)
    assert step(float("inf")) == step(MOST)


@given(st.lists(st.lists(st.floats(0.01, 100), min_size=1, max_size=20), min_size=1, max_size=10))
def test_days_add_up_to_the_same_p95_as_their_levels_in_a_row(days: list[list[float]]) -> None:
    uses = []
    for at, levels in enumerate(days):
        of_day: dict[int, int] = {}
        for one in levels:
            of_day[step(one)] = of_day.get(step(one), 0) + 1
        uses.append(Use("cart", Resource.CPU, NOW + at * DAY, len(levels), of_day))
    flat = sorted(one for levels in days for one in levels)
    exact = flat[-(-95 * len(flat) // 100) - 1]
    found = used(uses)
    assert found is not None
    assert 1 / STEP < found.p95 / exact < STEP
    assert found.minutes == len(flat)


def test_nothing_seen_is_no_use_and_a_day_has_no_more_than_its_minutes() -> None:
    assert used([]) is None
    assert used([Use("cart", Resource.CPU, NOW, 0, {})]) is None
    twice = used([Use("cart", Resource.CPU, NOW, 2_000, {1: 5})])
    assert twice is not None
    assert twice.days == 1.0
