"""Near ranges become one request, and nothing that is wanted is left out."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from swath.io.remote._ranges import Request, merge, pieces

ranges = st.tuples(st.sampled_from("ab"), st.integers(0, 10_000), st.integers(0, 500)).map(
    lambda drawn: (drawn[0], drawn[1], drawn[1] + drawn[2])
)


@given(st.lists(ranges, max_size=400), st.integers(0, 300), st.integers(1, 3000))
def test_every_wanted_range_is_in_one_request(wanted, gap, most):
    requests = merge(wanted, gap=gap, most=most)
    asked = [(path, start, stop) for path, start, stop in wanted if start < stop]
    for path, start, stop in asked:
        assert any(r.path == path and r.start <= start and stop <= r.stop for r in requests)
    assert sum(request.uses for request in requests) == len(asked)


@given(st.lists(ranges, max_size=200), st.integers(0, 300), st.integers(1, 3000))
def test_a_request_is_bounded_and_starts_and_ends_with_what_is_wanted(wanted, gap, most):
    for request in merge(wanted, gap=gap, most=most):
        inside = [
            (a, b) for path, a, b in wanted if path == request.path and request.start <= a < b <= request.stop
        ]
        assert min(a for a, _ in inside) == request.start
        assert max(b for _, b in inside) == request.stop
        longest = max(b - a for a, b in inside)
        assert request.stop - request.start <= max(most, longest)


def test_neighbours_are_one_request_and_far_ones_are_not():
    wanted = [("a", 0, 10), ("a", 10, 20), ("a", 25, 30), ("a", 1000, 1010), ("b", 20, 25), ("a", 26, 28)]
    assert merge(wanted, gap=5) == [
        Request("a", 0, 30, 4),
        Request("a", 1000, 1010, 1),
        Request("b", 20, 25, 1),
    ]


def test_what_is_wanted_first_is_read_first():
    wanted = [("b", 500, 510), ("a", 0, 10), ("b", 0, 10)]
    assert [(r.path, r.start) for r in merge(wanted, gap=0)] == [("b", 500), ("a", 0), ("b", 0)]


@given(st.integers(0, 1000), st.integers(1, 5000), st.integers(1, 700))
def test_pieces_are_the_whole_in_order(start, length, most):
    found = pieces(start, start + length, most)
    assert found[0][0] == start
    assert found[-1][1] == start + length
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert all(0 < stop - begin <= most for begin, stop in found)
