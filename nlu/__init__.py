"""What was meant: training data, the intent engine and the readers of Indonesian values. Pure."""
