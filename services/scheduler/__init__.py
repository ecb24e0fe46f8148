"""Scheduler: the agenda of every edition, re-solved as scored requests arrive."""
