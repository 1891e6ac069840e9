"""The fast solver: many subjects of one model side by side in vector registers.

It knows equations and nothing of pharmacology. `build` turns equations into machine code; `Kernel.start`
makes a batch of subjects; `Batch.advance` takes them onward through their doses.

>>> from lissive.model.equations import Equations
>>> from lissive.model.expression import Graph
>>> g = Graph()
>>> x = g.symbol("x")
>>> decay = Equations("decay", g, ("x",), (g.neg(x),), (g.const(1.0),), {}, {"x": x})
>>> seen = build(decay, ["x"]).start(1).advance(1.0, times=[1.0])
>>> round(float(seen.values[0, 0, 0]), 3)
0.368
"""

from lissive.simulation.engine.doses import Doses
from lissive.simulation.engine.kernel import Batch, Kernel, Seen, build
from lissive.simulation.engine.tableau import NAME as METHOD
from lissive.simulation.engine.tolerances import MAX_STEPS, Tolerances
from lissive.simulation.engine.why import STATUS

__all__ = ["MAX_STEPS", "METHOD", "STATUS", "Batch", "Doses", "Kernel", "Seen", "Tolerances", "build"]
