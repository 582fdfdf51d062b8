"""Every tolerance that the tests use, in one place, each with its reason.

Import the name; never write a bare number into a test. Make one smaller freely; never make one
larger to turn a test green.
"""

# Relative error of closed-form algebra in float64: a few dozen roundings.
ALGEBRA = 1e-12

# Issue's accuracy for flow and sharpness: relative, with a floor of 1e-6 of the state's size.
FLOW = 1e-9
FLOW_FLOOR = 1e-6

# Means and variances of float32 pixels, summed in float64: one single-precision rounding each.
SINGLE = 1e-5

# Dense Hessian by differences of a cubic gradient in float64: cancellation over h = 0.05.
DIFFERENCES = 1e-9

# The full network integrated by DOP853 at rtol 1e-13: its own global error on these problems.
FULL_FLOW = 1e-9

# Curve's value at an event time: root found on dense output to about 1e-12 of the time span.
EVENT_TIME = 1e-9

# Second moments of 60,000 samples: entries have standard error below 0.02 * 4.
MOMENTS = 0.12

# c against its slow value epsilon B / (alpha o^2): next term of relative order B / (alpha o^2).
SLOW_MANIFOLD = 1e-5

# What the certified flow promises: width of its enclosures relative to what they enclose.
CERTIFIED_WIDTH = 1e-12

# A dip read off a time grid or from an event: quadratic in the grid's relative spacing.
DIP_GRID = 1e-3

# Sharpness of a network in float32 against its dense Hessian in float64: the tracker's default.
SHARPNESS = 1e-3

# The same in float64 with the tracker's tolerance set to 1e-6: Rayleigh quotients, not roundoff.
SHARPNESS_TIGHT = 1e-6

# One float32 gradient step against the same step written plainly: sums in another order.
FLOAT32_STEP = 1e-5

# A hundred float64 descent steps near the edge against the same loop written plainly: rounding in
# another order, kept or shrunk by each step, not multiplied.
SAME_STEPS = 1e-9

# Two closed forms in float64 against each other: condition of exponentials over long times.
CLOSED_FORM = 1e-10

# The envelope's own allowance for rounding is 1e-10 on each side, times the curve's condition.
ENVELOPE = 1e-8

# The flow kernel's promise for sharpness, relative: its series are cut at 4e-9 a step.
KERNEL_SHARPNESS = 1e-8

# The path kernel's states, relative to the state's size: its series are cut at 1e-12 a step.
KERNEL_STATE = 1e-10

# The lanes' own exponential: degree 11 on [-ln(2)/2, ln(2)/2].
LANE_EXP = 2e-14

# Descent past 2/eta amplifies roundings (fused or not) for a while before it settles.
DESCENT_CHAOS = 1e-6

# log|o| is a sum over steps; it can run to 1e4 and more.
DESCENT_LOG = 1e-8

# 200-step averages of descent with noise 1e-3 in o against the central flow: measured 2.6%.
CENTRAL_FLOW = 0.04

# The bridge's fast toy curve: the sweeps' kernel (1e-8), as relative error of the sharpness.
BRIDGE_TOY = 1e-7

# The compiled spectral flow: tolerance 1e-9 a step, as relative error of the sharpness.
SPECTRAL_KERNEL = 1e-7

# Parameters refitted from a toy curve with 2% noise at 60 points, as a difference of logarithms:
# their standard deviation there is 2-5%.
BRIDGE_RECOVERY = 0.15

# Edge time read off a small-step curve, against descent that takes 20 to 60 steps to it (S1: they
# differ by O(eta)).
BRIDGE_READ = 0.1

# The same with the lag that two runs show: what is left is O(eta^2).
BRIDGE_LAG = 0.02

# Finder of opposing groups: the largest share of false alarms that is promised.
FALSE_ALARMS = 0.05

# Moments of 20 x 20,000 normal draws: five standard errors of the noisiest (kurtosis, sqrt(24/n)).
NORMAL_TAILS = 0.04

# Two exact derivatives of one float64 network, summed in another order.
AUTOGRAD = 1e-9

# Sums of float32 derivatives over a few dozen samples; also the eigensolver's tolerance there.
SINGLE_RUN = 1e-4

# The torch path runs the kernels' own formulas: only roundings differ, and descent carries them on.
DEVICE = 1e-10

# A float32 basis kept over hundreds of updates: roundoff of 1e-7 an update, adding up, not growing.
ORTHONORMAL = 1e-4
# A vector of 7e4 numbers by 12 float32 rows, over its length: rows are 1e-6 from orthonormal.
EXPRESSED = 1e-5
# Dense float64 algebra of 30 unknowns, condition up to 1e6 times: 1e-16 of each.
DENSE = 1e-9

# Sums of 1e7 float32: panels of 65,536 terms in float32 (1e-7 each), their sums in float64.
SUMMED = 1e-5

# The explorer's central flow against linmodel's: two integrators of the same flow, each to 1e-11.
CENTRAL_TWIN = 1e-9

# Intervals on a transformed scale against plain Student ones, where no bound is near: second order
# in half width over distance to the bound.
NEAR_STUDENT = 0.05

# Single samples' slopes and curvatures against central differences of their losses over h = 1e-4 in
# float64: h^2 times derivatives of up to 1e3, and rounding over h^2.
SAMPLE_DIFFERENCES = 1e-5

# Critical step size: the line search's own tolerance.
CRITICAL_STEP = 0.01

# One step of descent in double precision, relative: a few roundings; the sums do not cancel there.
ROUNDING_OF_A_STEP = 1e-12

# Descent 6,000 steps after a start in the region of G4e or G4f, relative to B and c0: the slowest
# of those drawn still relaxes, at |1 - eta alpha c^2| per step a hair below 1.
AT_REST = 0.05

# A difference of gradients against the product: truncation by the third derivative at 1e-3 |w|
# and the rounding of the parameters, eps |w| / h, in float32; both far less in float64.
GRADIENT_DIFFERENCE = 1e-3
GRADIENT_DIFFERENCE_DOUBLE = 1e-6

# Two processes' float32 sums against one process's, in other chunks: order of summation alone.
PROCESSES = 1e-6
