"""python -m tests.bench [NAME ...]: runs the named benchmarks or all, and writes a table.

The table goes to the terminal and to bench-results/NAME.md. With --strict the exit code is 1 if a goal was
not reached. With --record the tables go into docs/benchmarks.md as well.
"""

import importlib
import os
import pkgutil
import sys
import time
from pathlib import Path

import tests.bench
from tests.bench import Row, _document

RESULTS = Path(__file__).resolve().parents[2] / "bench-results"


def table(rows: list[Row]) -> str:
    """Markdown of the rows."""
    lines = ["| work | ours | peer | ratio | goal | |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    for row in rows:
        verdict = "reached" if row.ratio >= row.goal else "missed"
        lines.append(
            f"| {row.name} | {row.ours:.4g} | {row.peer:.4g} | {row.ratio:.2f} | {row.goal:g} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Runs the benchmarks."""
    strict, recorded = "--strict" in arguments, "--record" in arguments
    began, load = time.gmtime(), os.getloadavg()[0]
    known = sorted(m.name for m in pkgutil.iter_modules(tests.bench.__path__) if not m.name.startswith("_"))
    chosen = [name for name in arguments if name not in ("--strict", "--record")] or known
    unknown = [name for name in chosen if name not in known]
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}\n")
        return 2
    RESULTS.mkdir(exist_ok=True)
    missed, tables = False, {}
    for name in chosen:
        rows: list[Row] = importlib.import_module(f"tests.bench.{name}").run()
        text = table(rows)
        sys.stdout.write(f"{name}\n\n{text}\n")
        sys.stdout.flush()
        (RESULTS / f"{name}.md").write_text(text)
        if rows:  # what was skipped keeps the figures that it had
            tables[name] = text
        missed = missed or any(row.ratio < row.goal for row in rows)
    if recorded:
        _document.record(tables, began, load)
    return 1 if missed and strict else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
