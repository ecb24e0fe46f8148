"""HTTP out: the pages, and the forms that they send."""
