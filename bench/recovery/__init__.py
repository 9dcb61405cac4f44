"""How fast work goes on after a kill, how fast a backlog goes, and that memory stays flat meanwhile."""
