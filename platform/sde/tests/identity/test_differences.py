"""What is compared: the fields that the description has, and no other."""

import pytest
from swath_sde.identity._step import differences


@pytest.mark.parametrize(
    ("desired", "live", "told"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 2}, {"a": 1}, ["a: 1 → 2"]),
        ({"a": ["y", "x"]}, {"a": ["x", "y"]}, []),
        ({"a": ["x"]}, {}, ["a: nothing → x"]),
        ({"a": False}, {}, []),
        ({"a": False}, {"a": True}, ["a: yes → no"]),
        ({"a": {"b": "1"}}, {"a": {"b": "2", "c": "3"}}, ["a.b: 2 → 1"]),
        ({"a": ""}, {"a": None}, []),
    ],
)
def test_only_described_fields_are_compared(desired, live, told):
    assert list(differences(desired, live)) == told
