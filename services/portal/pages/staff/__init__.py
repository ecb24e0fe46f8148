"""Pages of staff: the organiser's console, the desk, the wall and print."""
