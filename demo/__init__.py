"""The demo: a whole edition like ITECAM's of 2018, run through the embedded stack and checked."""
