"""The demo: an ERP sandbox that is a real process, and the walk that checks every effect from outside."""
