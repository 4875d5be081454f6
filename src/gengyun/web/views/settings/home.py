"""The front page of the settings."""

from gengyun.web.access import page
from gengyun.web.views.settings.common import show


@page(None)
def home(request):
    return show(request, "settings/home.html", "")
