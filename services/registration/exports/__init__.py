"""Exports of an edition for people: CSV files and workbooks in the reader's language."""
