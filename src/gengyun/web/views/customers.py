from gengyun.web.access import page
from gengyun.web.render import render


@page()
def show(request):
    return render(request, "customers.html", {})
