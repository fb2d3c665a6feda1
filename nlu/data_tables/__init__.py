"""Tables that the readers of values load once. Origin, version and licence of each stand in the note beside it."""
