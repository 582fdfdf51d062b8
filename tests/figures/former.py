"""The mapping of run configurations to those that the committed results were made with.

Before there was one kind of configuration, a run of an experiment was a training configuration and,
beside it, a "trial": what is done to data and steps, and what is measured. Key by key:

former                      now
trial.dials                 dials (text: without held_out, always as many windows as size)
trial.arm, .rho             arm, rho
trial.stablemax             loss "stablemax" (formerly beside loss "cross-entropy")
trial.perp                  perp_grad
trial.weight_decay, .dropout  weight_decay, dropout
trial.probes                "probe" in observe
trial.blocks                "layers" in observe
trial.every_loss            "full_loss" in observe
trial.sketch                K of "sketch=K" in observe, 0 without
(always measured)           "alignment", "groups", "held_out" in observe

In the results themselves: antiphase (of another definition) is antiphase_detrended; edge_low and
edge_high of the forecasts are low and high. In the settings of the experiments "forecast" and
"measured", "search" says what were constants of the bridge then: 300 starts, 8 refined, 4 rounds,
refits of 30 evaluations.
"""

import hashlib
import json

from realnet.config import SPARSE


def former(config):
    """The former description of a run, as its JSON was hashed."""
    train = {k: v for k, v in config.as_dict().items() if k not in SPARSE}
    stablemax = config.loss == "stablemax"
    sketch = [word.partition("=")[2] for word in config.observe if word.startswith("sketch")]
    trial = {
        "dials": {k: v for k, v in config.dials.items() if k != "held_out"},
        "arm": config.arm,
        "rho": config.rho,
        "stablemax": stablemax,
        "perp": config.perp_grad,
        "weight_decay": config.weight_decay,
        "dropout": config.dropout,
        "probes": "probe" in config.observe,
        "blocks": "layers" in config.observe,
        "every_loss": "full_loss" in config.observe,
        "sketch": int(sketch[0]) if sketch else 0,
    }
    return train | {"loss": "cross-entropy" if stablemax else config.loss, "trial": trial}


def former_hash(configs):
    """Their SHA-256, as the manifest had it."""
    rows = [[list(key), former(config)] for key, config in configs.items()]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
