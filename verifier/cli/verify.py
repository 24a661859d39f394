"""`verifier verify`: looks at every host as it is now and says whether the gate would open. Changes
nothing.
"""

from __future__ import annotations

from verifier.cli import options as o
from verifier.pipeline import run_verify


def command(
    inventory: o.InventoryName,
    limit: o.Limit = None,
    release: o.JudgedRelease = None,
    checklist: o.ChecklistNames = None,
    item: o.ItemNames = None,
    tests: o.Tests = None,
    attestations: o.AttestationFile = None,
    load: o.Load = False,
    yes: o.Yes = False,
    reporter: o.Reporters = None,
    vault_password_file: o.VaultFile = None,
    verbose: o.Verbose = 0,
) -> int:
    """Verify every line of the checklist on every host. Nothing is changed.

    Each host is judged against the release its `current` link names, or against --release.
    """
    given = o.Given(
        inventory=inventory,
        limit=limit,
        release=release,
        checklists=tuple(checklist or ()),
        items=tuple(item or ()),
        tests=tuple(tests or ()),
        vault_file=vault_password_file,
        verbosity=verbose,
        reporters=tuple(reporter or ()),
        attestations=attestations,
        load=load,
    )
    context = o.make_context(given)
    o.ask_for_load(context, yes=yes)
    return o.show_run(run_verify(context), context, given.reporters)
