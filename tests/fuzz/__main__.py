"""`python -m tests.fuzz --seconds N [--only NAME] [--seed S]`: every target for N seconds."""

import argparse
import random
import sys

from tests.fuzz.runner import fuzz, keep, limited_memory
from tests.fuzz.targets import TARGETS


def main() -> int:
    """0 when nothing was found, 1 with a finding, 2 for a name that is no target."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each target")
    parser.add_argument("--only", help="the target's name, or how it begins")
    parser.add_argument("--seed", type=int, help="repeats a run")
    options = parser.parse_args()
    chosen = [target for target in TARGETS if target.name.startswith(options.only or "")]
    if not chosen:
        sys.stderr.write("targets: " + ", ".join(target.name for target in TARGETS) + "\n")
        return 2
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    found = 0
    with limited_memory():
        for target in chosen:
            runs, finding = fuzz(target, options.seconds, seed)
            line = f"{target.name:32} {runs:9} runs, seed {seed}"
            if finding is not None:
                found += 1
                line += f": {finding.problem}, kept as {keep(finding)}"
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
