"""What to watch for: rules over committed observations, and the warnings they raise, change and clear.

The thinking is in :mod:`cityloop.watch.evaluate`, which does no I/O; the service makes its decisions durable.
"""
