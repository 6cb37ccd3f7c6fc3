"""What happens to a message, step by step: receive, read, match, route, deliver; compose, send, await.

Each step reads what it needs, decides, and returns `Changes`; it writes nothing itself. Steps are safe to run twice.
"""
