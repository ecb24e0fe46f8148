"""Portal: the pages of participants, organisers, desk and wall, from the topics and as the person who is signed in."""
