"""Parts of the task `sentences`: readers of files, and the rules that turn text into tokens."""
