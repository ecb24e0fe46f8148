"""Parts of `bench.matching`: topics, scorers and their peers, tasks, times."""

import services.matching  # noqa: F401 -- numpy must be loaded after it, to work in one thread

Row = dict[str, object]
Table = list[Row]
