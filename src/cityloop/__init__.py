"""cityloop: a digital urban management information system that closes the loop.

The rooms are sub-packages; ``docs/concepts.md`` tells what each is for and what may pass between them.
"""

__version__ = "0.1.0"
