"""A small edition of an operator, measured alone and beside abuses of the product by its neighbour."""
