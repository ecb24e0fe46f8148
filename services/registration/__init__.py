"""Registration: organisations, participants, profiles, editions and match requests, over HTTP."""
