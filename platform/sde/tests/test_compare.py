"""How objects differ, as a plan tells it: what matters stands in the line, whatever it is inside of."""

import json

import pytest
from swath_sde.objects import differences

GROUP = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group"}


def of(value: object, kind: str = "ConfigMap") -> dict[str, object]:
    return {"kind": kind, "metadata": {"name": "it"}, "data": value}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"replicas": 2}, {"replicas": 1}, ["data.replicas: 2 → 1"]),
        ({"a": 1}, {"b": 1}, ["data.a: 1 → nothing", "data.b: nothing → 1"]),
        (
            [{**GROUP, "name": "admins"}, {**GROUP, "name": "land"}],
            [{**GROUP, "name": "admins"}, {**GROUP, "name": "land"}, {**GROUP, "name": "sea"}],
            ["data: nothing → Group sea"],
        ),
        ([{**GROUP, "name": "admins"}, {**GROUP, "name": "land"}], [{**GROUP, "name": "admins"}],
         ["data: Group land → nothing"]),
        (["a", "a"], ["a"], ["data: 2 → 1 members"]),
        (
            {"settings.json": json.dumps({"idle": 3600, "access": {"groups": ["a", "b"]}}, indent=1)},
            {"settings.json": json.dumps({"idle": 2700, "access": {"groups": ["a"]}}, indent=1)},
            ["data.settings.json.access.groups: b → nothing", "data.settings.json.idle: 3600 → 2700"],
        ),
        (
            {"haproxy.cfg": "global\n  maxconn 100\n  user a\n"},
            {"haproxy.cfg": "global\n  maxconn 200\n  user a\n  group b\n"},
            ["data.haproxy.cfg: maxconn 100 → maxconn 200", "data.haproxy.cfg: nothing → group b"],
        ),
        ({"a": "{ no json"}, {"a": "{ nor this"}, ["data.a: { no json → { nor this"]),
        ({"a": '{"b": 1}'}, {"a": '{ "b": 1}'}, ['data.a: {"b": 1} → { "b": 1}']),
    ],
)  # fmt: skip
def test_only_what_differs_is_told(before: object, after: object, told: list[str]) -> None:
    assert list(differences(of(before), of(after))) == told


@pytest.mark.parametrize(
    ("before", "after"),
    [({"a": "eA=="}, {"a": "eQ=="}), ({"a": '{"b": 1}'}, {"a": '{"b": 2}'}), (["x"], ["x", "y"])],
)
def test_nothing_inside_of_a_secret_is_told(before: object, after: object) -> None:
    (told,) = differences(of(before, "Secret"), of(after, "Secret"))
    assert told.endswith(": differs (not shown)")
