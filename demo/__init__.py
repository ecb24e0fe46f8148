"""The demo: an edition like ITECAM's of 2018, run on the embedded stack and verified."""
