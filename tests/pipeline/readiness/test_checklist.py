"""The checklist: what is measured, what people vouch for, what is let off, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks import CheckKind, CheckRule
from pipeline.docket import Attestation, CiResult, LoadTest
from pipeline.emergency import EmergencyRules
from pipeline.lifecycle import CheckResult, Phase, Rollout
from pipeline.model import Host, Pool, Rules, Service
from pipeline.readiness.catalogue import ITEMS
from pipeline.readiness.checklist import checklist
from pipeline.readiness.facts import ReadinessFacts
from pipeline.readiness.report import ReadinessReport, Row, RowState
from pipeline.readiness.rules import SECTIONS, SUITES, ReadinessRules
from pipeline.readiness.seen import Answer, Asked, Opened, Seating, Seen
from pipeline.readiness.use import DAY_MIN, Used
from pipeline.staging import Dependency, StagingRules

NOW = datetime(2031, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH_MIN = 30 * DAY_MIN

STATED = ReadinessRules(
    repository="git.example/cart",
    owner="shop",
    clients=("web",),
    health_path="/healthz",
    liveness_path="/alive",
    growth="requests per order",
    host_rps=40.0,
    cpu_limit=2.0,
    memory_limit_bytes=1e9,
    oncall=("ana", "ben"),
    runbook="wiki/cart",
    docs=dict.fromkeys(SECTIONS, "wiki/cart"),
)
DEPENDENCY = Dependency("ledger", target=Decimal("0.999"), timeout_s=1.0, retries=2, breaker=True)
CHECKS = (
    CheckRule("unit", CheckKind.COMMAND, command=("true",)),
    CheckRule("health", CheckKind.PROBE, path="/healthz", within_s=1.0),
)


def service(
    rules: Rules | None = None, *, places: tuple[str, ...] = ("fra1", "ams2"), critical: bool = True
) -> Service:
    hosts = [Host(f"cart-{place}-{n}", f"{place}:{n}", Pool.PRODUCTION, place) for place in places for n in (1, 2)]
    return Service(
        "cart",
        (Host("cart-stg", "stg:1", Pool.STAGING, "fra1"), *hosts),
        "r1",
        team="shop",
        rules=rules if rules is not None else sound(),
        business_critical=critical,
    )


def sound() -> Rules:
    return Rules(
        checks=CHECKS,
        readiness=STATED,
        staging=StagingRules(dependencies=(DEPENDENCY,)),
        emergency=EmergencyRules(approvers=("ana", "ben")),
    )


def rollout(number: int, phase: Phase, days_ago: float, **more: object) -> Rollout:
    at = NOW - days_ago * DAY
    passed = tuple(CheckResult(rule.name, True, "fine", at) for rule in CHECKS)
    made = Rollout(
        id=f"cart-{number}",
        service="cart",
        revision=f"r{number}",
        stable="r1",
        phase=phase,
        since=at,
        version=1,
        by="ana",
        submitted=at,
        seed=1,
        canaries=("cart-fra1-1",),
        checks=passed,
    )
    return replace(made, **more)  # type: ignore[arg-type]


FACTS = ReadinessFacts(
    releases=(rollout(3, Phase.SETTLED, 1), rollout(2, Phase.ROLLED_BACK, 5)),
    peak_rps=100.0,
    coverage_7d=0.999,
    lacking=(),
    peak_days=30.0,
    cpu=Used(1.0, MONTH_MIN),
    memory=Used(5e8, MONTH_MIN),
    build="r3",
    seen=Seen(
        links={"wiki/cart": Opened(Answer.OPEN, "it is there", NOW)},
        health={
            f"cart-{place}-{n}": Asked(NOW, 0.012, 200, seating=Seating("be/cart", ready=True, checked=True))
            for place in ("fra1", "ams2")
            for n in (1, 2)
        },
    ),
)
CI = (CiResult("ci-1", "cart", "r3", NOW - DAY, "ci", "4f2a91c", tuple((suite, True) for suite in SUITES)),)
TESTS = (LoadTest("load-1", "cart", "r3", NOW - 10 * DAY, "ci", True, "fine", 160.0),)


def word(
    item: str, *, days: float | None = 30, waived: bool = False, made: float = 1, revoked: bool = False
) -> Attestation:
    expires = None if days is None else NOW + days * DAY
    at = NOW - made * DAY
    return Attestation(
        f"att-{item}", "cart", item, "ana", at, "seen", "T-1", expires, waived=waived, revoked=NOW if revoked else None
    )


def asked(
    *words: Attestation,
    of: Service | None = None,
    facts: ReadinessFacts = FACTS,
    tests: tuple[LoadTest, ...] = TESTS,
    now: datetime = NOW,
    ci: tuple[CiResult, ...] = CI,
) -> ReadinessReport:
    return checklist(of or service(), words, tests, facts, now, ci)


def row(report: ReadinessReport, item: str) -> Row:
    return next(row for row in report.rows if row.id == item)


def test_every_row_is_told_in_the_catalogue_s_order() -> None:
    assert [row.id for row in asked().rows] == list(ITEMS)
    assert len(ITEMS) == 26


def test_what_is_measured_passes_without_anybody_s_word() -> None:
    passing = {row.id for row in asked().rows if row.state is RowState.PASS}
    assert passing == {
        "STB-1", "STB-2", "STB-3", "REL-2", "REL-3", "REL-4", "SCA-1", "SCA-2", "PRF-2", "FLT-1", "FLT-2", "CAT-1",
        "MON-1", "MON-3", "DOC-1",
    }  # fmt: skip


def test_a_row_that_only_a_person_can_see_is_unknown_until_somebody_vouches_for_it() -> None:
    silent = row(asked(), "CAT-3")
    assert (silent.state, silent.why) == (RowState.UNKNOWN, "nobody vouches for it")
    assert silent.lifts == "pithead attest cart CAT-3 --reason ... --evidence ..."
    told = row(asked(word("CAT-3")), "CAT-3")
    assert (told.state, told.why, told.expires) == (RowState.PASS, "ana: seen (T-1)", NOW + 30 * DAY)


def test_a_word_that_has_expired_or_was_taken_back_no_longer_counts() -> None:
    assert row(asked(word("CAT-3", days=0)), "CAT-3").state is RowState.EXPIRED
    assert row(asked(word("CAT-3", revoked=True)), "CAT-3").state is RowState.UNKNOWN


def test_a_short_word_takes_nothing_from_an_older_one_that_still_holds() -> None:
    long, short = word("CAT-3", days=90), word("CAT-3", days=0)
    assert row(asked(long, short), "CAT-3").expires == NOW + 90 * DAY
    assert row(asked(short, word("CAT-3", days=1)), "CAT-3").expires == NOW + DAY


def test_what_is_measured_and_wrong_is_not_talked_away_but_can_be_let_off_for_a_time() -> None:
    lonely = service(places=("fra1",))
    wrong = row(asked(word("FLT-1"), of=lonely), "FLT-1")
    assert wrong.state is RowState.FAIL
    assert wrong.why == "fra1 2: expected 2 hosts in each of 2 datacenters"
    assert wrong.lifts == "when it is mended; or for a time: pithead waive cart FLT-1 --until ... --reason ..."
    off = row(asked(word("FLT-1", waived=True), of=lonely), "FLT-1")
    assert (off.state, off.why) == (RowState.WAIVED, "waived by ana: seen")
    assert row(asked(word("FLT-1", waived=True, days=0), of=lonely), "FLT-1").state is RowState.FAIL


def test_a_person_s_word_stands_in_where_nothing_can_be_measured() -> None:
    blind = replace(FACTS, peak_rps=None)
    assert row(asked(facts=blind), "SCA-2").state is RowState.UNKNOWN
    young = replace(FACTS, peak_days=5.5, cpu=Used(1.0, 5 * DAY_MIN))
    for item in ("SCA-2", "CAT-1", "PRF-2"):
        assert row(asked(facts=young), item).why.endswith("5 of 30 days seen, 24 are needed"), item
        assert row(asked(word(item), facts=young), item).state is RowState.PASS, item
    assert row(asked(word("SCA-2"), facts=blind), "SCA-2").state is RowState.PASS


def test_a_row_that_needs_both_passes_with_both_only() -> None:
    assert row(asked(), "REL-1").why == "web; nobody vouches for it"
    assert row(asked(word("REL-1")), "REL-1").why == "web; ana: seen (T-1)"
    nobody = service(replace(sound(), readiness=replace(STATED, clients=())))
    assert row(asked(word("REL-1"), of=nobody), "REL-1").state is RowState.FAIL


@pytest.mark.parametrize(
    ("item", "facts", "why"),
    [
        ("REL-4", replace(FACTS, releases=FACTS.releases[:1]), "no release has been rolled back yet"),
        (
            "SCA-2",
            replace(FACTS, peak_rps=130.0),
            "peak 130.0/s of the last 30 days is 81% of 160.0/s tested, limit 70%",
        ),
        (
            "CAT-1",
            replace(FACTS, peak_rps=130.0),
            "r3 took 160.0/s on 2031-04-21, 1.2 times the peak; 1.5 times are needed",
        ),
        (
            "PRF-2",
            replace(FACTS, cpu=Used(1.9, MONTH_MIN)),
            "cpu p95 of 30 days is 95% of its limit, expected 10% to 80%",
        ),
        ("PRF-2", replace(FACTS, memory=None), "no signal has told the memory of a host yet"),
        ("MON-1", replace(FACTS, lacking=((Pool.STAGING, "p99"),)), "p99 gives no data in staging"),
        ("MON-1", replace(FACTS, lacking=None), "the metrics have not been read yet"),
    ],
)
def test_what_is_measured_says_its_numbers(item: str, facts: ReadinessFacts, why: str) -> None:
    found = row(asked(facts=facts), item)
    assert found.why == why
    assert found.state is not RowState.PASS


def test_a_rollback_that_is_too_long_ago_has_to_be_gone_again() -> None:
    old = replace(FACTS, releases=(rollout(2, Phase.ROLLED_BACK, 91),))
    assert row(asked(facts=old), "REL-4").why.endswith("more than 90 days ago")


def test_a_failed_load_test_after_a_passed_one_counts() -> None:
    failed = LoadTest("load-2", "cart", "r4", NOW - DAY, "ci", False, "p99 2.1 s")
    found = row(asked(tests=(*TESTS, failed)), "CAT-1")
    assert (found.state, found.why) == (RowState.FAIL, "the load test of r4 on 2031-04-30 failed: p99 2.1 s")
    assert row(asked(tests=(*TESTS, failed)), "SCA-2").state is RowState.FAIL


def test_only_the_rows_that_the_organisation_counts_are_asked() -> None:
    few = service(replace(sound(), readiness=replace(STATED, rows=frozenset({"FLT-1", "CAT-3"}))))
    assert [row.id for row in asked(of=few).rows] == ["FLT-1", "CAT-3"]


def test_it_binds_business_critical_services_alone() -> None:
    assert asked().binding
    assert not asked(of=service(critical=False)).binding


def test_nothing_known_and_nothing_stated_passes_nothing_that_needs_facts() -> None:
    bare = asked(of=service(Rules()), facts=ReadinessFacts(), tests=(), ci=())
    assert {row.id for row in bare.rows if row.state is RowState.PASS} == {"STB-3", "FLT-1"}
    assert len(bare.missing) == len(ITEMS) - 2


@given(st.sets(st.sampled_from(sorted(ITEMS))), st.floats(-30, 30), st.booleans())
def test_a_word_opens_its_own_row_only_and_only_until_it_expires(items: set[str], days: float, waived: bool) -> None:
    bare = asked(of=service(Rules()), facts=ReadinessFacts(), tests=())
    said = asked(
        *(word(item, days=days, waived=waived) for item in items), of=service(Rules()), facts=ReadinessFacts(), tests=()
    )
    for before, after in zip(bare.rows, said.rows, strict=True):
        opened = after.state in {RowState.PASS, RowState.WAIVED} and after.state is not before.state
        assert not opened or (after.id in items and days > 0)
        assert days > 0 or after.state not in {RowState.WAIVED}
