"""Rules for doubtful facts and impossible facts: a module for a kind of entity.

A rule yields doubtful facts. An impossible fact (`is_refused`) stops the change that brings it. All further doubtful
facts, and impossible facts that an earlier version let in, are warnings of the answer.
"""
