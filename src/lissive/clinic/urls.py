"""The addresses. None of them carries anything of a patient but a random key."""

from lissive.clinic import accounts, answers, cases, pages, patients, records, today, treatments, users
from lissive.clinic.booking import bookings, public, staff, times
from lissive.clinic.certify import decision, verify
from lissive.clinic.certify import pages as certificates
from lissive.clinic.dates import calendar, law, lists, renew, review
from lissive.clinic.intake import views as intake
from lissive.clinic.visit import page as visit
from lissive.clinic.visit import queue

urlpatterns = [
    *today.urls,
    *patients.urls,
    *treatments.urls,
    *cases.urls,
    *answers.urls,
    *records.urls,
    *queue.urls,
    *visit.urls,
    *decision.urls,
    *certificates.urls,
    *verify.urls,
    *users.urls,
    *accounts.urls,
    *public.urls,
    *bookings.urls,
    *staff.urls,
    *times.urls,
    *intake.urls,
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
