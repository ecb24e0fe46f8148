"""Pure rules of registration: the entities, their changes, and the slots that follow from the days of an edition."""
