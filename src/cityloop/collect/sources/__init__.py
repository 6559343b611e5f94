"""Sources: the wires on which departments' data arrive by themselves; each is acknowledged after the durable commit.

One thread a source. A streaming wire (MQTT, JetStream) listens until it is stopped, a polled one (database, HTTP pull,
folder) runs by its schedule. What a source remembers lies in the operational store or in the lake's own log, so a kill
at any moment neither loses nor doubles a row.
"""
