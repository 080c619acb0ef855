"""What the judge is shown, remembers and says comes back exactly, by its trial."""

import json
from dataclasses import fields, replace
from types import MappingProxyType

import msgspec
import pytest
from history_samples import HandClock, Opener, event, rollout
from hypothesis import given, settings
from test_history_full_disk import Log, held, limit_pages

from adapters.history import packing
from pipeline.judge.look import Calibration, Group, HostLook, Look, LookRecord, Recorded
from pipeline.judge.trial import Kept, Reference, TrialRecord
from pipeline.ports import Changes, HistoryError
from pipeline.signals import Histogram, Sample
from pipeline.view import HistoryQuery
from tests.adapters.history import judge_samples as samples
from tests.adapters.history.judge_samples import at, calibration, kept, look, look_record, recorded, said, trial_record

FEW = settings(max_examples=60, deadline=None)


@FEW
@given(samples.LOOK_RECORDS)
def test_any_look_comes_back_exactly_with_its_judgement(one: LookRecord) -> None:
    assert said(packing.to_judged(packing.pack_judged(one.look, one.judgement))) == said((one.look, one.judgement))


@FEW
@given(samples.RECORDED)
def test_any_recorded_stretch_comes_back_exactly(one: Recorded) -> None:
    assert said(packing.to_look(packing.pack_look(one.look))) == said(one.look)


@FEW
@given(samples.TRIAL_RECORDS)
def test_any_trial_comes_back_exactly(one: TrialRecord) -> None:
    assert said(packing.to_trial(packing.pack(one))) == said(one)


@FEW
@given(samples.CALIBRATIONS)
def test_any_calibration_comes_back_exactly(one: Calibration) -> None:
    assert said(packing.to_calibration(packing.pack(one))) == said(one)


@FEW
@given(samples.KEPT)
def test_any_evidence_comes_back_exactly(one: Kept) -> None:
    assert packing.inflated(packing.deflated(one.body)) == one.body


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Look, "seconds hosts expected down"),
        (HostLook, "group sample age_s"),
        (Sample, "host_s counters gauges histograms restarts"),
        (Histogram, "edges counts"),
    ],
)
def test_a_look_by_columns_has_a_place_for_every_field(kind: type, names: str) -> None:
    assert {field.name for field in fields(kind)} == set(names.split()), "adapters/history/packing.py must keep it too"


def test_numbers_come_back_as_floats_and_not_as_the_integers_they_are_kept_as() -> None:
    sample = Sample(5.0, {"requests": 200.0, "big": 2.0**60}, {"level": float("-inf")}, {}, 1.0)
    one = Look(5.0, {"a": HostLook(Group.CANARY, sample, 0.0), "b": HostLook(Group.BASELINE, Sample())})
    back = packing.to_look(packing.pack_look(one))
    assert repr(back) == repr(one)


def test_hosts_with_other_signals_and_other_edges_stay_apart() -> None:
    coarse, fine = Histogram((1.0, float("inf")), (5.0, 1.0)), Histogram((0.5, 1.0, float("inf")), (1.0, 2.0, 3.0))
    hosts = {
        "a": HostLook(Group.CANARY, Sample(5.0, {"x": 1.0}, {}, {"latency": coarse})),
        "b": HostLook(Group.PRODUCTION, Sample(5.0, {"y": 0.0}, {"z": float("nan")}, {"latency": fine})),
        "c": HostLook(Group.PRODUCTION, Sample(5.0)),
        "d": HostLook(Group.PRODUCTION, Sample(5.0, {}, {}, {"latency": coarse, "size": fine})),
    }
    back = packing.to_look(packing.pack_look(Look(5.0, hosts)))
    assert repr(back.hosts) == repr(hosts)


def test_a_look_of_a_hundred_hosts_is_kept_in_a_tenth_of_what_it_is_as_json() -> None:
    one = look(100)
    assert len(packing.pack_look(one)) < len(msgspec.json.encode(one)) / 10


def test_mappings_that_are_no_dicts_are_kept_too() -> None:
    one = trial_record()
    frozen = replace(one, trial=replace(one.trial, reference=MappingProxyType({"errors": Reference(0.01)})))
    assert packing.to_trial(packing.pack(frozen)).trial.reference == {"errors": Reference(0.01)}


def test_a_trial_its_looks_and_its_newest_evidence_are_read_after_a_restart(opened: Opener) -> None:
    first = opened(clock=HandClock())
    first.start()
    looks = tuple(look_record(number) for number in (1, 2, 3))
    first.record(Changes(trials=(trial_record(),), looks=looks[:1], evidence=(kept(looks=1),)))
    first.record(Changes(looks=looks[1:], evidence=(kept(looks=2), kept(looks=3))))
    first.close()

    history = opened(clock=HandClock())
    history.start()

    assert history.trial("pricing-1", 0) == trial_record()
    assert history.kept("pricing-1", 0) == kept(looks=3)
    assert history.looks("pricing-1", 0, 0, 10) == looks
    assert history.looks("pricing-1", 0, 1, 1) == looks[1:2]
    assert history.looks("pricing-1", 0, 3, 10) == ()


def test_waves_and_releases_are_kept_apart_and_of_others_there_is_nothing(opened: Opener) -> None:
    history = opened(clock=HandClock())
    history.start()
    trials = (trial_record(), trial_record(wave=1), trial_record("search-1"))
    looks = (look_record(), look_record(wave=1), look_record(release="search-1"))
    history.record(Changes(trials=trials, looks=looks, evidence=(kept(wave=1),)))
    assert history.trial("pricing-1", 1) == trials[1]
    assert history.looks("search-1", 0, 0, 10) == looks[2:]
    assert history.looks("pricing-1", 1, 0, 10) == looks[1:2]
    assert history.kept("pricing-1", 0) is None
    assert history.trial("pricing-2", 0) is None
    assert history.looks("pricing-1", 2, 0, 10) == ()


def test_a_trial_that_begins_anew_forgets_its_looks_and_evidence_and_no_others(opened: Opener) -> None:
    history = opened(clock=HandClock())
    history.start()
    history.record(
        Changes(
            trials=(trial_record(), trial_record(wave=1)),
            looks=(look_record(1), look_record(2), look_record(1, wave=1)),
            evidence=(kept(), kept(wave=1)),
        )
    )
    anew = trial_record(looks=99)
    history.record(Changes(trials=(anew,), looks=(look_record(1, seconds=60),)))
    assert history.trial("pricing-1", 0) == anew
    assert history.looks("pricing-1", 0, 0, 10) == (look_record(1, seconds=60),)
    assert history.kept("pricing-1", 0) is None
    assert history.looks("pricing-1", 1, 0, 10) == (look_record(1, wave=1),)
    assert history.kept("pricing-1", 1) == kept(wave=1)


def test_recorded_stretches_are_read_by_service_from_a_time_on_oldest_first(opened: Opener) -> None:
    history = opened(clock=HandClock())
    history.start()
    stretches = [recorded(seconds) for seconds in (60, 0, 120)]
    history.record(Changes(recorded=(*stretches, recorded(30, "search"))))
    oldest, middle, newest = stretches[1], stretches[0], stretches[2]
    assert history.recorded("pricing", at(-1), 10) == (oldest, middle, newest)
    assert history.recorded("pricing", at(0), 10) == (middle, newest)
    assert history.recorded("pricing", at(-1), 2) == (oldest, middle)
    assert history.recorded("nosuch", at(-1), 10) == ()


def test_the_newest_calibration_of_a_service_counts(opened: Opener) -> None:
    history = opened(clock=HandClock())
    history.start()
    assert history.calibration("pricing") is None
    for one in (calibration(60), calibration(0), calibration(90, "search")):
        history.record(Changes(calibration=one))
    assert history.calibration("pricing") == calibration(60)


def test_a_look_at_a_time_without_a_zone_is_refused_with_all_that_came_with_it(opened: Opener) -> None:
    history = opened(clock=HandClock())
    history.start()
    naive = replace(look_record(), at=at(0).replace(tzinfo=None))
    with pytest.raises(HistoryError, match="has no time zone"):
        history.record(Changes(events=(event(),), looks=(look_record(2), naive)))
    assert history.events(HistoryQuery()).total == 0
    assert history.looks("pricing-1", 0, 0, 10) == ()


def test_a_damaged_body_is_told_and_not_guessed_at(opened: Opener) -> None:
    history = opened(clock=HandClock())
    history.start()
    history.record(Changes(trials=(trial_record(),), looks=(look_record(),), recorded=(recorded(),)))
    db = history._opened()
    for table in ("trials", "looks", "recorded"):
        db.execute(f"UPDATE {table} SET body = x'789c00'")
    for read in (
        lambda: history.trial("pricing-1", 0),
        lambda: history.looks("pricing-1", 0, 0, 1),
        lambda: history.recorded("pricing", at(-1), 1),
    ):
        with pytest.raises(HistoryError, match="a row cannot be read"):
            read()


def test_samples_are_no_audit_they_miss_the_system_log_and_join_the_history_later(opened: Opener) -> None:
    log = Log()
    history = opened(clock=HandClock(), sink=log)
    history.start()
    changes = Changes(
        rollouts=(rollout(),),
        events=(event(detail="rolled back"),),
        trials=(trial_record(),),
        looks=(look_record(hosts=100),),
        evidence=(kept(),),
        recorded=(recorded(),),
        calibration=calibration(),
    )
    with held(history):
        history.record(changes, safe=True)

    line = json.loads(log[0])
    assert (line["trials"], line["looks"], line["evidence"], line["recorded"]) == ([], [], [], [])
    assert line["events"][0]["detail"] == "rolled back"
    assert line["calibration"]["bound"] == 0.0118
    assert history.trial("pricing-1", 0) is None

    history.record(Changes(events=(event(2),)))
    assert history.trial("pricing-1", 0) == trial_record()
    assert history.looks("pricing-1", 0, 0, 10) == changes.looks
    assert history.kept("pricing-1", 0) == kept()
    assert history.recorded("pricing", at(-1), 10) == changes.recorded
    assert history.calibration("pricing") == calibration()


def test_looks_alone_on_a_full_disk_are_refused_and_nothing_of_them_kept(opened: Opener) -> None:
    history = opened(clock=HandClock(), sink=Log())
    history.start()
    limit_pages(history, 0)
    with pytest.raises(HistoryError, match="the disk is full"):
        history.record(Changes(looks=tuple(look_record(number, hosts=100) for number in range(1, 60))))
    limit_pages(history, None)
    assert history.looks("pricing-1", 0, 0, 10) == ()
