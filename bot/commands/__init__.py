"""One module a command: `parser()` says what it takes, `run(...)` does it and returns the exit code."""
