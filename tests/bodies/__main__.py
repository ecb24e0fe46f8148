"""Command `python -m tests.bodies`: random requests to the running product, then a drain, then the checks."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from tests.bodies.run import MOST_BYTES, run


def main() -> int:
    """Run, print the figures, and return 1 if there is a fault."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bodies",
        description="Sends random requests within the OpenAPI document to the embedded product. Afterwards there is no "
        f"500, no dead letter, no halted consumer, and no service above {MOST_BYTES >> 20} MiB.",
    )
    parser.add_argument("--cases", type=int, default=20_000, help="requests to send")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="seed of the draws")
    parser.add_argument("--output", type=Path, default=Path(".tertulia"), help="folder of the run's logs")
    options = parser.parse_args()
    print(f"{options.cases} requests, seed {options.seed}")
    began = time.monotonic()
    outcome = asyncio.run(run(options.output, options.cases, options.seed))
    print(f"Answers: {', '.join(f'{count} x {status}' for status, count in sorted(outcome.statuses.items()))}")
    print(f"Peak memory: {', '.join(f'{name} {peak >> 20} MiB' for name, peak in outcome.peak_bytes.items())}")
    print(f"Time: {time.monotonic() - began:.0f} s")
    for fault in outcome.faults[:20]:
        print(f"Fault: {fault}")
    print(f"{len(outcome.faults)} faults")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
