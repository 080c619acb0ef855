from hypothesis import given
from hypothesis import strategies as st

from pipeline.slo.rings import Counts, Ring

ADDED = st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 9)), max_size=60)


@given(ADDED, st.integers(0, 4_200), st.lists(st.integers(0, 4_200), max_size=12))
def test_parts_of_a_window_add_up_to_the_buckets_that_have_ended(
    added: list[tuple[int, int]], from_s: int, cuts: list[int]
) -> None:
    ring = Ring(60, 1_800.0)
    for start_s, bad in added:
        ring.add(start_s, Counts(10, bad, 60))
    spent, begin_s = Counts(), float(from_s)
    for until_s in sorted(cut for cut in cuts if cut >= from_s):
        spent, begin_s = spent.plus(ring.between(begin_s, until_s)), max(begin_s, ring.begins_s(until_s))
        ended = [counts for end_s, counts in ring.each(from_s) if end_s <= until_s]
        assert spent == sum_of(ended)
    assert spent.plus(ring.since(begin_s)) == sum_of([counts for _, counts in ring.each(from_s)])


def sum_of(parts: list[Counts]) -> Counts:
    total = Counts()
    for part in parts:
        total = total.plus(part)
    return total
