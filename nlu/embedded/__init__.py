"""The embedded intent engine: features, its training in a child process, and the model run with numpy alone."""
