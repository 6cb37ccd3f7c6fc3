"""The only place that joins ports to store, connectors and clock: from a workspace folder to a running gateway.

Nothing is decided here; each part is made once, in the order of its needs, and closed in the reverse one.
"""
