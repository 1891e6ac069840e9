from django.apps import AppConfig


class Clinic(AppConfig):
    name = "lissive.clinic"
    label = "clinic"
    default_auto_field = "django.db.models.BigAutoField"
