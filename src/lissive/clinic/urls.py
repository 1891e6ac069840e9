"""The addresses. None of them carries anything of a patient but a random key."""

from lissive.clinic import accounts, answers, cases, pages, patients, records, today, treatments, users
from lissive.clinic.dates import calendar, law, lists, renew, review

urlpatterns = [
    *today.urls,
    *patients.urls,
    *treatments.urls,
    *cases.urls,
    *answers.urls,
    *records.urls,
    *users.urls,
    *accounts.urls,
    *lists.urls,
    *law.urls,
    *calendar.urls,
    *renew.urls,
    *review.urls,
]

handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found
handler429 = pages.too_many
handler500 = pages.fault
