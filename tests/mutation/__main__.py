"""`python -m tests.mutation`: which small changes of the modules that guard, judge and count does no test notice?

Exit code 1 where a change survives that `explained.txt` does not explain.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections import Counter

from tests.mutation.concerns import CONCERNS
from tests.mutation.explained import explained
from tests.mutation.mutants import Mutant, Site, Source, mutant, read, sites
from tests.mutation.running import HUNG, KILLED, run, writer_to

SMALL = (80, 10)
"""How many mutants `--small` takes of all, and its seed."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="a path, or a part of one; none means all")
    parser.add_argument("--sample", type=int, help="take so many mutants at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--small", action="store_true", help=f"the sample of the whole check: {SMALL[0]} of all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many run at once")
    parser.add_argument("--verbose", action="store_true", help="list the killed ones as well")
    asked = parser.parse_args()
    modules = [m for m in CONCERNS if not asked.modules or any(part in m for part in asked.modules)]
    if not modules:
        parser.error(f"no module is like {', '.join(asked.modules)}: {', '.join(CONCERNS)}")
    number, seed = SMALL if asked.small else (asked.sample, asked.seed)
    start = time.monotonic()
    mutants = _mutants(modules, number, seed)
    outcomes = run(mutants, jobs=asked.jobs, say=writer_to(sys.stdout))
    if asked.verbose:
        for found in mutants:
            print(f"{found.module}:{found.line} {outcomes[found]}: {found.change}")
    code = _report(modules, mutants, outcomes, whole=number is None)
    print(f"{len(mutants)} mutants in {time.monotonic() - start:.0f} s")
    return code


def _mutants(modules: list[str], number: int | None, seed: int) -> list[Mutant]:
    """All mutants of the modules, or a sample that changes only where the code does."""
    there = [(source, site) for source in map(read, modules) for site in sites(source)]
    if number is not None and number < len(there):
        lots = {id(one): _lot(seed, *one) for one in there}
        most = sorted(lots.values())[number - 1]
        there = [one for one in there if lots[id(one)] <= most]
    found = {one: None for source, site in there if (one := mutant(source, site)) is not None}
    return list(found)


def _lot(seed: int, source: Source, site: Site) -> str:
    old, new = map(source.tree.module.code_for_node, (site.node, site.instead))
    return hashlib.sha256(f"{seed} {source.module} {site.function} {old} {new}".encode()).hexdigest()


def _report(modules: list[str], mutants: list[Mutant], outcomes: dict[Mutant, str], *, whole: bool) -> int:
    reasons = explained()
    open_ones, seen = 0, set()
    for module in modules:
        mine = [one for one in mutants if one.module == module]
        counts = Counter(outcomes[one] for one in mine)
        survivors = [one for one in mine if outcomes[one] not in (KILLED, HUNG)]
        known = [one for one in survivors if one.key in reasons]
        print(
            f"{module}: {len(mine)} mutants, {counts[KILLED] + counts[HUNG]} killed ({counts[HUNG]} of them hung), "
            f"{len(known)} survive with a reason, {len(survivors) - len(known)} without"
        )
        for one in survivors:
            seen.add(one.key)
            if one.key not in reasons:
                open_ones += 1
                print(f"  {one.module}:{one.line} {outcomes[one]}")
                print(f"    {one.key}")
    for key in reasons if whole else ():
        if key.partition(" ")[0] in modules and key not in seen:
            open_ones += 1
            print(f"  explained, but it does not survive any more: {key}")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
