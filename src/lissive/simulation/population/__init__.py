"""One's own population model: a table of THETA, OMEGA and SIGMA for any model; PRED, IPRED, DV, NONMEM's rows, a VPC.

lines.py reads the rows of the table, read.py checks the whole, draw.py draws individuals, rows.py writes them as
NONMEM would, vpc.py compares with data.
"""
