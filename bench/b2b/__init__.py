"""The business-to-business meeting scheduling problem of the literature, solved to proven optimality.

Bofill, Coll, Garcia, Giráldez-Cru, Pesant, Suy, Villaret: Constraint Solving Approaches to the Business-to-Business
Meeting Scheduling Problem, Journal of Artificial Intelligence Research 74 (2022) 263-301. Nothing here knows the rest
of the scheduler: it is the engine's yardstick, and usable alone.
"""

from bench.b2b.command import run

__all__ = ["run"]
