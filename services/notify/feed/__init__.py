"""The calendar of record: a participant's agenda as a feed that calendar programs fetch again and again."""
