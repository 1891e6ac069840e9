"""How exact, how fast and how large? What `lissive bench` measures, on the machine that it runs on.

Accuracy is measured with speed, always: a fast wrong answer is worth nothing.
"""
