from __future__ import annotations

from verifier.lab.registry import run_arguments


def test_the_registry_has_no_capability_and_answers_on_loopback_only() -> None:
    argv = run_arguments()
    assert argv[argv.index("--cap-drop") + 1] == "ALL"
    assert argv[argv.index("--publish") + 1] == "127.0.0.1:15000:5000"
    assert argv[argv.index("--network-alias") + 1] == "registry"
