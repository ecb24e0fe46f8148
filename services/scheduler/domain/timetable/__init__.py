"""The timetable: slots, tables, hard rules, and the placement of meetings."""
