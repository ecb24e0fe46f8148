"""Learning: weights of affinities from decisions about pairs."""
