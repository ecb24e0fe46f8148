"""Pure rules of registration: what a thing is, when it may change, how an edition's slots follow from its days."""
