"""The clinic's own page, who may certify there, times that can be booked, and booking."""
