"""The terminal door: thin commands that read what was typed, call the library and print its answer.

Exit codes: 0 answered, 1 answered with findings, 2 the input is wrong, 130 interrupted.

    lissive simulate examples/one_compartment.ant --until 24 --every 1 --out run.csv
"""
