"""The clinic's workbench: patients, cases and what was answered, with a trail of who saw and did what.

`rights` says who may do what, `access.enter` is the first line of every view, `audit` the trail, `work` what takes
longer than a page. The law, safety, evidence and forecast come from `lissive.answer`, as everywhere.
"""
