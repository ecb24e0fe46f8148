"""Portal: the pages of participants, organisers, desk and wall, from the topics and as the signed-in person."""
