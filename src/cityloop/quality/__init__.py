"""Quality: how good each department's data are, and inspections that turn what is bad into work.

``scheme.py`` and ``slots.py`` decide without I/O what a score is and what was expected; ``meter.py`` measures from
lake, quarantine and tallies; ``breaches.py`` watches feeds all the time; ``inspector.py`` carries an inspection from
its plan to its report, one durable step at a time.
"""
