"""Pure rules of the change feed: the public part of an event, its place in a feed, and cursors."""
