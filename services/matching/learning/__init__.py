"""Learning: the weights of an affinity, fitted offline to logged decisions."""
