"""The observatory: an edition's capacities, needs and clusters, in counts that identify no organisation."""
