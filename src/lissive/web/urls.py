"""The addresses. None of them carries anything of a case."""

from django.urls import path

from lissive.web import article, pages, views

urlpatterns = [
    path("", pages.start, name="start"),
    path("questions", views.questions, name="questions"),
    path("answer", views.answered, name="answer"),
    path("what-if", views.what_if, name="what-if"),
    path("open", views.opened, name="open"),
    path("file/<str:name>", views.file, name="file"),
    path("forecast", views.forecast, name="forecast"),
    path("forecast/<str:key>", views.forecast_of, name="forecast-of"),
    path("article", article.article, name="article"),
    path("about", pages.about, name="about"),
]

handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found
handler429 = pages.too_many
handler500 = pages.fault
