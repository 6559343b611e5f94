"""The lake: open Delta tables of all observations and events.

Appends are durable before they are acknowledged, exactly once where a source numbers its rows; queries read the list
of active files, so a compaction never disturbs them.
"""
