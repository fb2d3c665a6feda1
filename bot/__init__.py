"""The running program: channels, the turn loop, the sender and the command line."""
