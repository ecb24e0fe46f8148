"""Repair of an agenda after changes: settled places, substitutes, and room for pairs that wait."""
