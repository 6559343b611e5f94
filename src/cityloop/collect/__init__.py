"""Collect: records come in by feeds, are held against the standard, committed to the lake, and only then acknowledged.

What breaks the standard lies whole in quarantine; what was sent twice is counted and kept once.
"""
