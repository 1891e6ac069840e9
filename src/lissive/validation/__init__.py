"""Validation of the model: published concentrations, targets, sensitivity and identifiability."""
