"""The collection as Ansible's own programs see it."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest
import yaml
from swath_sde.configuration import Components, load_installation, starting_file

PROFILES = {"one-machine": "embedded", "existing-cluster": "cluster", "airgap": "airgap"}
MODULES = ["cluster", "identity", "images", "release", "trust"]
ROLES = ["cluster", "data", "hub", "images", "keycloak", "preflight", "trust"]


def test_ansible_lint_finds_nothing_in_its_production_profile(repository, collections, call, tmp_path):
    # A copy, as ansible-lint writes beside what it checks.
    shutil.copytree(repository / "ansible", tmp_path / "copy" / "ansible")
    done = call(
        "ansible-lint",
        "--offline",
        "--nocolor",
        env=collections(tmp_path / "copy"),
        cwd=tmp_path / "copy" / "ansible",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Profile 'production' was required, and it passed" in done.stdout + done.stderr


def test_yamllint_finds_nothing(repository, call):
    done = call("yamllint", "--strict", ".", env={}, cwd=repository / "ansible")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("playbook", ["site", "plan", "verify", "remove"])
def test_playbooks_load_with_all_roles_and_modules(repository, collections, call, playbook):
    done = call(
        "ansible-playbook",
        "--syntax-check",
        f"--inventory={repository}/ansible/inventories/one-machine",
        f"swath.sde.{playbook}",
        env=collections(repository),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_role_and_plugin_is_documented(repository, collections, call):
    env = collections(repository)
    for kind, names in (
        ("module", MODULES),
        ("role", ROLES),
        ("callback", ["progress"]),
        ("lookup", ["installation"]),
    ):
        done = call(
            "ansible-doc", "--json", "--type", kind, *[f"swath.sde.{name}" for name in names], env=env
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert sorted(told) == [f"swath.sde.{name}" for name in sorted(names)]
        if kind == "module":
            for name, about in told.items():
                assert about["examples"], name
                assert set(about["return"]) >= {"changes", "exit_status"}, name
        if kind == "role":
            for name, about in told.items():
                assert set(about["entry_points"]) >= {"main", "plan", "apply", "verify", "remove"}, name


def test_every_entry_point_has_tasks_and_the_other_way_round(repository):
    for role in (repository / "ansible" / "roles").iterdir():
        specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
        assert {path.stem for path in (role / "tasks").glob("*.yml")} == set(specs), role.name
        assert (role / "README.md").is_file()


def test_the_release_module_knows_every_component(repository, collections, call):
    done = call("ansible-doc", "--json", "swath.sde.release", env=collections(repository))
    choices = json.loads(done.stdout)["swath.sde.release"]["doc"]["options"]["component"]["choices"]
    assert sorted(choices) == sorted(Components.model_fields)


def test_the_collection_can_be_built(repository, collections, call, tmp_path):
    done = call(
        "ansible-galaxy",
        "collection",
        "build",
        f"--output-path={tmp_path}",
        repository / "ansible",
        env=collections(repository),
    )
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("swath-sde-*.tar.gz")
    with tarfile.open(archive) as opened:
        names = set(opened.getnames())
    assert {"playbooks/site.yml", "plugins/modules/release.py", "roles/hub/tasks/main.yml"} <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".tar.gz")]


@pytest.mark.parametrize("inventory", PROFILES)
def test_inventories_describe_the_profile_of_their_name(repository, inventory):
    file = repository / "ansible" / "inventories" / inventory / "swath.yaml"
    assert file.read_text() == starting_file(PROFILES[inventory])
    load_installation(file)


@pytest.mark.parametrize("inventory", PROFILES)
def test_inventories_say_nothing_but_where_the_file_is(repository, collections, call, inventory):
    folder = repository / "ansible" / "inventories" / inventory
    done = call("ansible-inventory", f"--inventory={folder}", "--host=localhost", env=collections(repository))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "swath_file": "{{ inventory_dir }}/swath.yaml",
    }


def module(call, env, repository: Path, name: str, arguments: dict, *more: str):
    return call(
        "ansible",
        "swath",
        f"--inventory={repository}/ansible/inventories/one-machine",
        f"--module-name=swath.sde.{name}",
        f"--args={json.dumps(arguments)}",
        *more,
        env=env | {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal", "ANSIBLE_NOCOLOR": "1"},
    )


def test_modules_refuse_what_they_do_not_know(repository, collections, call, swath_file):
    env = collections(repository)
    done = module(
        call, env, repository, "release", {"file": str(swath_file), "component": "hub", "wait": True}
    )
    assert done.returncode == 2
    assert "Unsupported parameters for (swath.sde.release) module: wait" in done.stdout
    done = module(call, env, repository, "release", {"file": str(swath_file), "component": "hob"})
    assert (
        "value of component must be one of: ingress, registry, postgresql, keycloak, hub, got: hob"
        in done.stdout
    )


def test_modules_tell_all_that_is_wrong_with_the_file(repository, collections, call, tmp_path):
    wrong = tmp_path / "swath.yaml"
    wrong.write_text("version: 1\ndomian: x\ntls: {validity_days: 4000}\n")
    done = module(call, collections(repository), repository, "cluster", {"file": str(wrong)})
    assert done.returncode == 2
    assert "did you mean 'domain'?" in done.stdout
    assert "tls.validity_days: got 4000" in done.stdout
    assert '"exit_status": 2' in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_roles_refuse_arguments_of_the_wrong_kind(repository, collections, call, swath_file, tmp_path):
    play = tmp_path / "play.yml"
    play.write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "swath",
                    "roles": [{"role": "swath.sde.cluster", "vars": {"cluster_remove_data": "perhaps"}}],
                }
            ]
        )
    )
    done = call(
        "ansible-playbook",
        f"--inventory={repository}/ansible/inventories/one-machine",
        f"--extra-vars=swath_file={swath_file}",
        play,
        env=collections(repository),
    )
    assert done.returncode == 2
    assert "cluster_remove_data" in done.stdout
    assert "perhaps" in done.stdout


def test_a_lookup_gives_the_file_and_what_follows_from_it(repository, collections, call, tmp_path):
    file = tmp_path / "swath.yaml"
    file.write_text(
        "version: 1\nname: land\ndomain: land.example.org\n"
        "where: {kind: kubeconfig, kubeconfig: k.yaml, https_port: 443}\n"
        "images: {registry: registry.example.org/eo, login: l.json}\n"
        "components: {hub: {enabled: false}}\n"
    )
    play = tmp_path / "play.yml"
    wanted = ["urls", "enabled", "kubeconfig", "issuer", "namespaces"]
    play.write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "swath",
                    "vars": {"found": "{{ lookup('swath.sde.installation', swath_file) }}"},
                    "tasks": [
                        {
                            "name": "Write",
                            "ansible.builtin.copy": {
                                "content": "{{ dict(wanted | zip(values)) | to_json }}",
                                "dest": str(tmp_path / "found.json"),
                                "mode": "0600",
                            },
                            "vars": {"wanted": wanted, "values": "{{ wanted | map('extract', found) }}"},
                        }
                    ],
                }
            ]
        )
    )
    done = call(
        "ansible-playbook",
        f"--inventory={repository}/ansible/inventories/existing-cluster",
        f"--extra-vars=swath_file={file}",
        play,
        env=collections(repository),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["urls"]["keycloak"] == "https://keycloak.land.example.org"
    assert found["enabled"] == ["ingress", "registry", "postgresql", "keycloak"]
    assert found["kubeconfig"] == str(tmp_path / "k.yaml")
    assert found["issuer"] == "https://keycloak.land.example.org/realms/swath"
    assert found["namespaces"]["hub"] == "land-hub"
