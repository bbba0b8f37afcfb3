"""`ft.judge` and `foretaste evaluate`: protocols on any log, peers beside, reports to read and to keep."""
