"""The web chat page: a channel like the others, for a cheap phone on a bad network."""
