"""What every page needs: the person, the navigation, how fresh the data is."""


def page(request):
    return {"user": request.user if hasattr(request, "user") else None}
