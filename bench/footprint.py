"""What the product costs its machine: goals 14 to 16."""

from __future__ import annotations

import time

from bench.plan import Plan
from bench.report import Figure, number
from bench.stack import Stack

SIMULATION = "sandbox"
# The processes import their programs for some seconds, which is no rest.
SETTLED_S = 8.0


def start(stack: Stack, stored: str) -> Figure:
    return Figure("14", f"start to first page, {stored}", stack.first_page_s, "s", 5, 2.5)


def memory(stack: Stack, when: str) -> Figure:
    """The simulated cloud is no part of the product; the database is a library of it, or somebody else's server."""
    found = stack.memory_mib()
    simulation = found.pop(SIMULATION)
    told = ", ".join(f"{role} {number(round(mib))}" for role, mib in found.items())
    more = f"{told} (sandbox {number(round(simulation))} more)"
    return Figure(
        "15", f"memory of the whole stack (PSS), {when}", sum(found.values()), "MiB", 350, 220, more
    )


def idle(stack: Stack, plan: Plan) -> Figure:
    """Nobody looks, nothing runs, one credential is looked after."""
    time.sleep(SETTLED_S)
    before = stack.cpu_s()
    time.sleep(plan.idle_s)
    after = stack.cpu_s()
    used = {role: (after[role] - before[role]) * 60 / plan.idle_s for role in after if role != SIMULATION}
    told = ", ".join(f"{role} {number(round(seconds, 2))}" for role, seconds in used.items())
    return Figure("16", "CPU while nobody looks and nothing runs", sum(used.values()), "s/min", 3, 1, told)
