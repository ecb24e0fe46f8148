"""Command of `make chaos`: `python -m tests.chaos`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import sys
from pathlib import Path

from rich.console import Console

from deploy.kafka.jars import KafkaUnavailable
from tests.chaos.run import ChaosOptions, main


def _options() -> ChaosOptions:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Faults, a load, and an audit.")
    defaults = ChaosOptions()
    parser.add_argument("--seconds", type=float, default=defaults.seconds, help="how long load and faults last")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="the same seed, the same faults")
    parser.add_argument("--editions", type=int, default=defaults.editions)
    parser.add_argument("--scale", type=float, default=defaults.scale, help="of each edition; 1 is 350 participants")
    parser.add_argument("--calls-per-second", type=float, default=defaults.calls_per_second, help="over all editions")
    parser.add_argument("--no-recovery", dest="recovery", action="store_false", help="do not measure recovery first")
    parser.add_argument("--output", type=Path, default=defaults.output, help="folder for logs and mails")
    return ChaosOptions(**vars(parser.parse_args()))


if __name__ == "__main__":
    console = Console()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # unreachable brokers are part of the run
    try:
        sys.exit(asyncio.run(main(_options(), console)))
    except KafkaUnavailable as unavailable:
        console.print(str(unavailable), style="red", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
