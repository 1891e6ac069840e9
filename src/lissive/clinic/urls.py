"""The addresses. None of them carries anything of a patient but a random key."""

from django.urls import include, path

from lissive.clinic import answers, cases, pages, patients, records, today, treatments, users

urlpatterns = [
    *today.urls,
    *patients.urls,
    *treatments.urls,
    *cases.urls,
    *answers.urls,
    *records.urls,
    *users.urls,
    path("account/", include("allauth.urls")),
]

handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found
handler500 = pages.fault
