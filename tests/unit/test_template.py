from __future__ import annotations

import pytest

from verifier.errors import UsageError
from verifier.inventory import Host, Reach


def _host(**variables: object) -> Host:
    return Host("h", ("g",), Reach("local", "h"), variables)


def test_one_single_expression_keeps_the_type_of_its_value() -> None:
    host = _host(ports=[80, 443], n=8000, text="{{ n }}", stack={"dir": "/srv/{{ n }}"})
    assert host.value("{{ ports }}") == [80, 443]
    assert host.value({"port": "{{ text }}", "url": "x:{{ n }}"}) == {"port": 8000, "url": "x:8000"}
    assert host.value("{{ stack }}") == {"dir": "/srv/8000"}


def test_a_missing_variable_is_named_with_the_host_and_the_template() -> None:
    with pytest.raises(UsageError, match=r"host 'h': 'nope' is undefined in `a \{\{ nope \}\}`"):
        _host().value("a {{ nope }}")


def test_a_variable_that_refers_to_itself_is_an_error() -> None:
    with pytest.raises(UsageError, match="refers to itself"):
        _host(a="{{ b }}", b="{{ a }}").value("{{ a }}")


@pytest.mark.parametrize(
    "attack",
    [
        "{{ lookup('pipe', 'id') }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
    ],
)
def test_templates_run_nothing_on_the_controller(attack: str) -> None:
    with pytest.raises(UsageError):
        _host().value(attack)


@pytest.mark.parametrize("template", ["{{ 1 / 0 }}", "{{ 1 + 'a' }}", "{{ [].x.y }}"])
def test_an_expression_that_cannot_be_computed_is_one_clear_error(template: str) -> None:
    with pytest.raises(UsageError, match="host 'h'"):
        _host().value(template)
