"""Dated data of the programme: every figure with its source, its mark and the day it was read."""
