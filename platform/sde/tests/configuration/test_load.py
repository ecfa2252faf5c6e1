"""``swath.yaml``: what is accepted, and how mistakes are told."""

import pytest
from swath_sde.configuration import PROFILES, Installation, load_installation, schema, starting_file
from swath_sde.delivery._builds import needed_images
from swath_sde.errors import ConfigurationError
from swath_sde.releases._values import values_of


@pytest.fixture
def told(tmp_path):
    """What is said of a file that is refused."""

    def refuse(text):
        (tmp_path / "swath.yaml").write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            load_installation(tmp_path / "swath.yaml")
        assert caught.value.exit_status == 2
        return str(caught.value)

    return refuse


@pytest.fixture
def loaded(tmp_path):
    """What is made of a file that is accepted."""

    def load(text):
        (tmp_path / "swath.yaml").write_text(f"version: 1\n{text}\n")
        return load_installation(tmp_path / "swath.yaml")

    return load


def test_all_has_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    installation = load_installation()
    assert installation == Installation()
    assert installation.url("hub") == "https://hub.swath.localhost:8443"
    assert installation.issuer == "https://keycloak.swath.localhost:8443/realms/swath"
    assert installation.image_registry == "registry.swath.localhost:8443/swath"
    assert installation.namespace("hub") == "swath-hub"


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_is_a_valid_start(profile, tmp_path):
    file = tmp_path / "swath.yaml"
    file.write_text(starting_file(profile))
    installation = load_installation(file)
    assert installation.where.kind == ("kubeconfig" if profile == "cluster" else "embedded")
    if profile == "cluster":
        assert installation.where.kubeconfig == tmp_path / "kubeconfig.yaml"
        assert installation.url("hub") == "https://hub.swath.example.org"


def test_each_profile_follows_the_published_schema(tmp_path):
    import jsonschema
    import yaml

    for profile in PROFILES:
        jsonschema.validate(yaml.safe_load(starting_file(profile)), schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"nme": "x"}, schema())


def test_every_mistake_is_told_at_once_with_a_guess(told):
    text = told(
        "nme: x\n"
        "where: {https_prt: 3}\n"
        "storage: {klass: x}\n"
        "components: {hub: {user_resources: {limits: {cpus: 3}}}}\n"
        "identity: {users: [{usrname: a}], groups: {a: {rule: x}}}\n"
    )
    for line in (
        "nme: no such key; did you mean 'name'?",
        "where.https_prt: no such key; did you mean 'https_port'?",
        "storage.klass: no such key; did you mean 'class'?",
        "components.hub.user_resources.limits.cpus: no such key; did you mean 'cpu'?",
        "identity.users.0.usrname: no such key; did you mean 'username'?",
        "identity.groups.a.rule: no such key; did you mean 'role'?",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: Swath_1", "name: got 'Swath_1'"),
        ("domain: localhost", "domain: got 'localhost'"),
        ("version: 2", "version: got 2"),
        ("where: {kind: kubeconfig}", "needs the path of the file"),
        ("where: {https_port: 443}", "the embedded cluster takes 8000 to 32767"),
        ("components: {keycloak: {enabled: false}}", "components.hub needs keycloak"),
        ("components: {registry: {enabled: false}}", "images.registry names no other"),
        ("identity: {groups: {a: {role: king}}}", "group 'a' has the role 'king'; roles are platform-admin"),
        ("identity: {groups: {a: {role: reader}}, users: []}", "nobody could administer the realm"),
        ("identity: {sessions: {idle_minutes: 120, max_hours: 1}}", "would never end of idleness"),
        (
            "components: {hub: {max_age_hours: 11}}",
            "components.hub.max_age_hours is 11, but a session, and every server with it, ends after 10",
        ),
        ("images: {builder: kaniko, place: machine}", "kaniko builds in a cluster only"),
        ("images: {builder: buildkit, place: machine}", "buildkit builds in a cluster only"),
        ("images: {login: l.json}", "login and authority are those of another registry"),
        ("images: {registry: r.example.org/eo}", "registry needs `login`"),
        (
            "where: {kind: kubeconfig, kubeconfig: k}",
            "images.registry is not given: a cluster of yours pulls",
        ),
        ("where: {dns: 10.0.0.10/32}", "leave out `kubeconfig`, `context` and `dns`"),
        ("name: a\nname: b", "the key 'name' stands twice"),
        ("- a", "holds no mapping"),
        ("a: [", "is not YAML"),
        ("components: {hub: {user_storage: 5 GB}}", "components.hub.user_storage: got '5 GB'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(told, text, message):
    assert message in told(text)


def test_a_server_lives_no_longer_than_a_session(loaded):
    assert loaded("").server_hours == 10
    assert loaded("identity: {sessions: {max_hours: 8}}").server_hours == 8
    assert loaded("components: {hub: {max_age_hours: 4}}").server_hours == 4


def test_paths_count_from_the_folder_of_the_file(loaded, tmp_path):
    found = loaded(
        "where: {kind: kubeconfig, kubeconfig: k.yaml}\n"
        "images: {registry: r.example.org/eo, login: keys/l.json, authority: ca.crt, builder: kaniko}\n"
    )
    assert found.where.kubeconfig == tmp_path / "k.yaml"
    assert found.images.login == tmp_path / "keys" / "l.json"
    assert found.images.authority == tmp_path / "ca.crt"
    assert found.images.in_cluster


@pytest.mark.parametrize(("told", "cidr"), [("", None), (", dns: 169.254.20.10/32", "169.254.20.10/32")])
def test_policies_admit_a_dns_that_is_no_pod(loaded, told, cidr):
    installation = loaded(
        f"where: {{kind: kubeconfig, kubeconfig: k.yaml{told}}}\n"
        "images: {registry: r.example.org/eo, login: l.json, builder: kaniko}\n"
    )
    for component in ("keycloak", "hub"):
        assert values_of(installation, component)["networkPolicy"]["dns"] == {"cidr": cidr}


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"absent.yaml cannot be read: No such file"):
        load_installation(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("text", "told_so"),
    [
        ("where: embeded", "where: got 'embeded'; input should be a mapping"),
        ("components: [hub]", "components: got ['hub']; input should be a mapping"),
        ("identity:\n  users: bob", "identity.users: got 'bob'; input should be a list"),
        ("domain: 5", "domain: got 5; input should be text"),
        ("domain:\n\tx: 1", "swath.yaml is not YAML: line 2, column 1: found character '\\t'"),
        ("domain:\n\tx: 1", "; indent by blanks"),
        ("a: [", "swath.yaml is not YAML: line 1"),
    ],
)
def test_mistakes_are_told_in_the_words_of_yaml(told, text, told_so):
    said = told(text)
    assert told_so in said
    for of_python in ("dictionary", "tuple", "instance of", "unicode string"):
        assert of_python not in said


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "swath.yaml").write_bytes(b"name: \xff")
    with pytest.raises(ConfigurationError, match=r"no.* text in UTF-8 \(byte 6 is none\)"):
        load_installation(tmp_path / "swath.yaml")


ON_A_CLUSTER = (
    "where: {kind: kubeconfig, kubeconfig: k, https_port: 443}\n"
    "images: {registry: registry.example.org/swath, login: l}\n"
)


def test_another_ingress_controller_has_no_image_of_ours_and_is_admitted(loaded):
    installation = loaded(
        ON_A_CLUSTER + "components:\n"
        "  registry: {enabled: false}\n"
        "  ingress: {kind: Ingress, class: nginx, controller_namespace: ingress-nginx, annotations: {a: b}}\n"
    )
    values = values_of(installation, "ingress")
    assert values["kind"] == "Ingress"
    assert values["ingress"] == {"className": "nginx", "annotations": {"a": "b"}}
    assert "haproxy" not in needed_images(installation)
    for component in ("keycloak", "hub"):
        policy = values_of(installation, component)["networkPolicy"]
        assert policy["controllerNamespace"] == "ingress-nginx"


def test_our_own_ingress_is_admitted_where_nothing_else_is_said(loaded):
    installation = loaded("")
    assert values_of(installation, "ingress")["kind"] == "haproxy"
    assert values_of(installation, "hub")["networkPolicy"]["controllerNamespace"] is None
    assert "haproxy" in needed_images(installation)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ON_A_CLUSTER + "components: {ingress: {kind: Ingress}}", "needs `controller_namespace`"),
        (
            ON_A_CLUSTER + "components: {ingress: {class: nginx}}",
            "are those of another controller: leave them out, or set kind: Ingress",
        ),
        (
            ON_A_CLUSTER + "components: {ingress: {kind: Ingress, controller_namespace: Ingress_1}}",
            "expected the name of a namespace, such as 'ingress-nginx'",
        ),
        (
            "components: {ingress: {kind: Ingress, controller_namespace: ingress-nginx}}",
            "the embedded cluster has no other controller",
        ),
    ],
)
def test_an_ingress_that_cannot_be_is_refused(told, text, said):
    assert said in told(text)


def test_a_component_of_which_one_thing_is_set_keeps_its_own_defaults(loaded):
    usual = loaded("").components
    some = loaded(
        "components:\n"
        "  keycloak: {resources: {limits: {memory: 2Gi}}}\n"
        "  registry: {resources: {requests: {cpu: '1'}}}\n"
        "  hub: {user_resources: {limits: {cpu: '4'}}}\n"
    ).components
    limits = some.keycloak.resources.limits
    assert (limits.cpu, limits.memory) == (usual.keycloak.resources.limits.cpu, "2Gi")
    assert some.keycloak.resources.requests == usual.keycloak.resources.requests
    assert some.registry.storage == usual.registry.storage == "20Gi"
    assert some.registry.resources.limits == usual.registry.resources.limits
    assert some.hub.user_resources.limits.memory == usual.hub.user_resources.limits.memory
    assert some.hub.user_resources.requests == usual.hub.user_resources.requests
    assert some.postgresql == usual.postgresql


def test_groups_that_are_given_are_all_there_are(loaded):
    identity = loaded("identity: {groups: {boss: {role: platform-admin}}, users: []}").identity
    assert list(identity.groups) == ["boss"]
    assert identity.users == ()
    assert "reader" in identity.roles


@pytest.mark.parametrize(
    ("text", "told_so"),
    [
        (
            "domain: https://swath.example.org/",
            "expected a name in small letters with a dot, without https://",
        ),
        ("name: Swath_1", "expected up to 32 small letters, digits and hyphens, a letter first"),
        (
            "components: {hub: {user_storage: 5 GB}}",
            "such as '500m' or '2' processors, '512Mi' or '20Gi' bytes",
        ),
        ("identity: {users: [{username: ada, email: ada}]}", "got 'ada'; expected an address such as 'ada@"),
        (
            "identity: {users: [{username: ada, email: ada}]}",
            "identity.users.0.last_name: is missing (of 'ada')",
        ),
        ("images: {registry: 'https://r', login: l}", "expected a host and a path without https://"),
    ],
)
def test_what_a_text_has_to_be_is_told_in_words(told, text, told_so):
    said = told(text)
    assert told_so in said
    assert "pattern" not in said
