"""The decision, the certificate from draft to signature, and the page that verifies it.

`ground`: the clause, the facts and who stated them. `decision`: certify or decline, the second practitioner, the
letter. `form`: the state's form, field by field. `seal`: signed content, its hash, and what may happen to it after.
`identity`: who signs is who says so. `paper`: PDF and QR. `pages`, `verify`: what is shown to whom.
"""
