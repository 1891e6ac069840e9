"""RODAS: a stiff one-step method of order 4 with an embedded one of order 3, stiffly accurate, L-stable.

Source: Hairer and Wanner, Solving Ordinary Differential Equations II (2nd ed. 1996), section IV.7 and the
coefficient set METH=1 of their program RODAS. In the transformed variables U of that section each stage
costs one evaluation of the rates and one solve with the same factors:

    (1/(h gamma) - J) U_i = f(t + ALPHA_i h, y + sum_j A_ij U_j) + sum_j C_ij/h U_j + GAMMA_i h df/dt
"""

GAMMA = 0.25
ALPHA = (0.0, 0.386, 0.21, 0.63, 1.0, 1.0)
TIME_SLOPE = (0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0)
_A5 = (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950)
A: tuple[tuple[float, ...], ...] = (
    (),
    (1.544,),
    (0.9466785280815826, 0.2557011698983284),
    (3.314825187068521, 2.896124015972201, 0.9986419139977817),
    _A5,
    (*_A5, 1.0),
)
C: tuple[tuple[float, ...], ...] = (
    (),
    (-5.6688,),
    (-2.430093356833875, -0.2063599157091915),
    (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
    (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
    (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
)
# y(t + s h) = (1-s) y0 + s (y1 + (1-s) (D1.U + s D2.U))
DENSE = (
    (10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662),
    (-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872),
)
ORDER = 4
