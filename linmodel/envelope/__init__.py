"""F11: explicit two-sided bounds of the state and the sharpness along the flow."""

from linmodel.envelope.negative import envelope_negative
from linmodel.envelope.two_sided import (
    Box,
    Envelope,
    PrecisionExhausted,
    envelope,
    envelope_in_tau,
    sharpness_of,
)

__all__ = [
    "Box",
    "Envelope",
    "PrecisionExhausted",
    "envelope",
    "envelope_in_tau",
    "envelope_negative",
    "sharpness_of",
]
