"""One module for each claim or task: what it puts to the test, its flags' defaults, and what it reports."""
