from __future__ import annotations

from pathlib import Path

import pytest

from verifier.checklist.items import Checklist, load_checklists
from verifier.errors import UsageError
from verifier.inventory import Host, Inventory, Reach
from verifier.plan import make_plan, read_steps, with_releases

MARKDOWN = """# List
## Ports
- [ ] 웹 / web <!-- id: web -->
- [ ] 캐시 (선택) / cache <!-- id: cache -->
- [ ] 승인 / approved <!-- id: approved -->
"""
BINDING = """
version: 1
checklist: list.md
target: web
items:
  web: {check: port, with: {number: "{{ port }}"}}
  cache: {check: port, with: {number: "{{ cache_port }}"}, only_if: "{{ cache }}", otherwise: "no cache is configured"}
  approved: {attest: {role: approver}}
"""


def _checklists(tmp_path: Path, binding: str = BINDING) -> tuple[Checklist, ...]:
    (tmp_path / "list.md").write_text(MARKDOWN, encoding="utf-8")
    (tmp_path / "list.yml").write_text(binding, encoding="utf-8")
    return load_checklists((tmp_path / "list.yml",))


def _inventory(*names: str, group: str = "web", **variables: object) -> Inventory:
    given = {"port": 80, "cache": False, **variables}
    hosts = tuple(Host(name, (group,), Reach("local", name), given) for name in names)
    return Inventory("test", Path("/inventory"), hosts)


def test_every_item_meets_every_host_it_is_for(tmp_path: Path) -> None:
    inventory = _inventory("a", "b")
    plan = make_plan(_checklists(tmp_path), inventory, inventory.hosts)
    assert [a.key for a in plan.assignments] == [
        (item, host) for item in ("web", "cache", "approved") for host in ("a", "b")
    ]
    assert plan.assignments[0].params == {"number": 80}


def test_what_does_not_apply_is_decided_here_with_its_reason(tmp_path: Path) -> None:
    inventory = _inventory("a")
    cache = make_plan(_checklists(tmp_path), inventory, inventory.hosts).assignments[1]
    assert (cache.applicable, cache.why_not) == (False, "no cache is configured")


def test_a_person_is_named_for_an_attestation(tmp_path: Path) -> None:
    inventory = _inventory("a")
    approved = make_plan(_checklists(tmp_path), inventory, inventory.hosts).assignments[2]
    assert (approved.method, approved.why_not) == ("attest", "needs an attestation by: approver")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            ("check: port, with", "check: prot, with"),
            r"list.yml:6: item 'web': unknown check 'prot' .*'port'",
        ),
        (("number:", "nunber:"), r"list.yml:6: item 'web': unknown parameter 'nunber' .*'number'"),
        (
            ('"{{ port }}"', '"{{ prot }}"'),
            r"list.yml:6: item 'web': host 'a': 'prot' is undefined",
        ),
        (
            ('"{{ port }}"', "eighty"),
            r"list.yml:6: item 'web': parameter 'number': Input should be",
        ),
        (
            ("target: web", "target: wbe"),
            r"list.yml:6: target 'wbe' matches no host .*known: a, web",
        ),
        (("target: web", 'target: "!a"'), r"list.yml:6: target '!a' leaves no host"),
        (("target: web", 'target: ""'), r"list.yml:6: target '' matches no host"),
        (("  web: {", "  wbe: {"), r"list.yml:6: item 'wbe' is not in list.md .*'web'"),
        (
            ("  approved: {attest: {role: approver}}\n", ""),
            r"list.md:5: line 'approved' has no binding",
        ),
        (("checklist: list.md", "checklist: lost.md"), r"lost.md: cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_before_any_host_is_touched(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    inventory = _inventory("a")
    with pytest.raises(UsageError, match=complaint) as caught:
        make_plan(_checklists(tmp_path, BINDING.replace(*change)), inventory, inventory.hosts)
    assert caught.value.exit_code == 2


def test_a_plan_that_verifies_nothing_is_an_error(tmp_path: Path) -> None:
    inventory = Inventory(
        "test", Path("/i"), (*_inventory("a").hosts, *_inventory("b", group="db").hosts)
    )
    with pytest.raises(UsageError, match="nothing to verify"):
        make_plan(_checklists(tmp_path), inventory, inventory.matching("b"))
    with pytest.raises(UsageError, match="no item 'wbe'"):
        make_plan(_checklists(tmp_path), inventory, inventory.hosts, (), frozenset({"wbe"}))


def test_an_id_in_two_checklists_is_an_error(tmp_path: Path) -> None:
    first = _checklists(tmp_path)[0]
    (tmp_path / "again.yml").write_text(BINDING, encoding="utf-8")
    with pytest.raises(UsageError, match="already used by checklist 'list'"):
        load_checklists((tmp_path / f"{first.name}.yml", tmp_path / "again.yml"))


@pytest.mark.parametrize(
    ("release", "complaint"),
    [
        ("../x", "host 'a': release_id '../x' is no release name"),
        ("", "host 'a': release_id '' is no release name"),
        (1.1, "release_id 1.1 is a number, 1.10 would be 1.1 \\(quote it\\)"),
    ],
)
def test_a_release_of_the_inventory_is_held_to_the_same_rule(
    tmp_path: Path, release: object, complaint: str
) -> None:
    inventory = _inventory("a")
    hosts = tuple(host.with_variables(release_id=release) for host in inventory.hosts)
    with pytest.raises(UsageError, match=complaint):
        make_plan(_checklists(tmp_path), inventory, hosts)


def test_a_release_name_that_could_leave_its_folder_is_refused() -> None:
    for name in ("../../etc", "a/b", "", "-rf", "x" * 65):
        with pytest.raises(UsageError, match="is no release name"):
            with_releases(_inventory("a"), {"a": name})


def _playbook(tmp_path: Path) -> tuple[Path, Path]:
    for role in ("images", "switch"):
        meta = tmp_path / "roles" / role / "meta"
        meta.mkdir(parents=True)
        (meta / "verifier.yml").write_text(
            f"summary: does {role}\neffect: replaces\nundo: by hand\n"
        )
    playbook = tmp_path / "deploy.yml"
    playbook.write_text("- ansible.builtin.import_playbook: both.yml\n")
    (tmp_path / "both.yml").write_text(
        "- name: Stage\n  hosts: all\n  roles: [{role: images}]\n- name: Switch\n  hosts: all\n  roles: [switch]\n"
    )
    return playbook, tmp_path / "roles"


def test_steps_are_the_roles_in_order_for_the_hosts_that_name_them(tmp_path: Path) -> None:
    playbook, roles = _playbook(tmp_path)
    hosts = (
        *_inventory("a", deploy_steps=["switch"]).hosts,
        *_inventory("b", deploy_steps=["images"]).hosts,
    )
    steps = read_steps(playbook, roles, hosts)
    assert [(s.name, s.play, s.playbook, s.hosts) for s in steps] == [
        ("images", "Stage", "both.yml", ("b",)),
        ("switch", "Switch", "both.yml", ("a",)),
    ]


def test_a_step_that_is_no_role_is_an_error(tmp_path: Path) -> None:
    playbook, roles = _playbook(tmp_path)
    with pytest.raises(UsageError, match="names 'imgaes', which is no role"):
        read_steps(playbook, roles, _inventory("a", deploy_steps=["imgaes"]).hosts)


def test_a_host_that_is_only_verified_has_no_steps(tmp_path: Path) -> None:
    playbook, roles = _playbook(tmp_path)
    assert [s.hosts for s in read_steps(playbook, roles, _inventory("a").hosts)] == [(), ()]
