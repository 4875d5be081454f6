from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "gengyun.web"
    label = "web"
