"""The HTTP border: REST for suppliers and ERPs, health, metrics. It asks pipeline and query port, never a table."""

from gateway.web.application import application
from gateway.web.server import Server, serve
from gateway.web.services import Services

__all__ = ["Server", "Services", "application", "serve"]
