"""What `gengyun web` serves: tracking and Django's pages on one port."""

from gengyun.config.wsgi import application as pages_application
from gengyun.tracking.server import Server

application = Server(pages_application)
