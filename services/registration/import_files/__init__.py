"""Imported files: CSV files and workbooks, read within bounds by a process of their own."""
