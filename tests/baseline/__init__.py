"""The numbers that the public doors give, kept in `numbers/`, so that work on the code cannot move them unseen.

make baseline          compare with what is kept, list what moved, and keep the new numbers
make baseline-check    the slow half of the comparison; the quick half is among the other tests
"""
