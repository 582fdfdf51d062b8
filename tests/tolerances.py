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
