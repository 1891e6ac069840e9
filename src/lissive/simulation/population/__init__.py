"""One's own population model: a table of THETA, OMEGA and SIGMA for any model; PRED, IPRED, DV, NONMEM's rows, a VPC.

read.py reads the table, draw.py draws individuals, rows.py writes them as NONMEM would, vpc.py compares with data.
"""
