"""The decision, the certificate from draft to signature, and the page that verifies it."""
