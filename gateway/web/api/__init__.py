"""REST, version 1: the table of routes, what each takes and answers, and the handlers behind it."""
