"""Plans as people and programs read them."""

from swath_sde.changes import Action, Change, as_json, describe, pending

CHANGES = [
    Change("Helm release", "hub", Action.UPDATE, ("spec.replicas: 0 → 1",)),
    Change("Keycloak user", "ada", Action.CREATE),
    Change("Keycloak client", "hub", Action.NONE),
]


def test_a_plan_names_each_object_and_what_differs():
    assert describe(CHANGES).splitlines() == [
        "~ Helm release hub",
        "    spec.replicas: 0 → 1",
        "+ Keycloak user ada",
        "1 to create, 1 to change; nothing else differs.",
    ]


def test_a_plan_without_changes_says_so():
    assert describe(CHANGES[2:]) == "Nothing to change."
    assert pending(CHANGES[2:]) == []


def test_a_plan_is_plain_json():
    assert as_json(CHANGES)[0] == {
        "kind": "Helm release",
        "name": "hub",
        "action": "update",
        "details": ["spec.replicas: 0 → 1"],
    }
