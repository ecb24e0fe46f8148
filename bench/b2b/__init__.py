"""The business-to-business meeting scheduling problem of the literature, solved to proven optimality.

Bofill, Coll, Garcia, Giráldez-Cru, Pesant, Suy, Villaret: Constraint Solving Approaches to the Business-to-Business
Meeting Scheduling Problem, Journal of Artificial Intelligence Research 74 (2022) 263-301. This package imports
nothing of the scheduler: it measures the engine, and is usable alone.
"""
