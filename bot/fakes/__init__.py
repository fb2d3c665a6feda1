"""Stand-ins for the platforms, strict about what the platforms refuse.

They know nothing of the rest of the house: a fake that shared code with the adapters would share their mistakes.
"""
