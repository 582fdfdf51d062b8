"""What a training run is: one frozen, validated description. Needs no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from linmodel.errors import integer, real, refuse

NETWORKS = ("mlp", "cnn", "vgg", "resnet", "vit", "gpt")
LOSSES = ("cross-entropy", "mse")
OPTIMISERS = ("gd", "sgd", "momentum", "adam", "sam", "flow")
SCHEDULES = ("constant", "linear-decay", "cosine")
ACTIVATIONS = ("tanh", "relu", "gelu", "elu")
NORMALISATIONS = ("none", "group", "batch")
DTYPES = ("float32", "float64")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A run is determined by this, the versions and the device.

    `step_size` (eta) times the number of steps is the time unit of every curve. `size` is the
    number of training samples (None: all that the data set has), `batch_size` None is full batch
    (which `gd` and `flow` require). `every`: steps from one sharpness evaluation to the next.
    `width`, `depth`: None takes the network's own default. `clip`: the gradient's largest norm.
    Cross-entropy is the mean over the samples; mse is 1/(2N) sum_i ||f(x_i) - onehot(y_i)||^2.
    """

    data: str = "mnist5k"
    net: str = "mlp"
    loss: str = "mse"
    step_size: float = 0.05
    steps: int = 600
    size: int | None = 1000
    optimiser: str = "gd"
    batch_size: int | None = None
    momentum: float = 0.9
    beta2: float = 0.999
    sam_radius: float = 0.05
    clip: float | None = None
    schedule: str = "constant"
    warmup: int = 0
    label_smoothing: float = 0.0
    width: int | None = None
    depth: int | None = None
    activation: str = "tanh"
    norm: str = "none"
    seed: int = 0
    every: int = 10
    eigenvalues: int = 1
    tolerance: float = 1e-3
    chunk_size: int | None = None
    dtype: str = "float32"
    device: str = "auto"

    def __post_init__(self) -> None:
        self._check_names()
        self._check_numbers()
        self._check_together()

    def _check_names(self) -> None:
        choices = {
            "net": NETWORKS,
            "loss": LOSSES,
            "optimiser": OPTIMISERS,
            "schedule": SCHEDULES,
            "activation": ACTIVATIONS,
            "norm": NORMALISATIONS,
            "dtype": DTYPES,
            "device": DEVICES,
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                refuse(name, getattr(self, name), "one of " + ", ".join(allowed))

    def _check_numbers(self) -> None:
        put = object.__setattr__
        put(self, "step_size", real("step_size", self.step_size, above=0.0))
        put(self, "tolerance", real("tolerance", self.tolerance, above=0.0))
        if self.tolerance >= 1:
            refuse("tolerance", self.tolerance, "a number in (0, 1)", "1e-3 is the default.")
        put(self, "sam_radius", real("sam_radius", self.sam_radius, above=0.0))
        for name in ("momentum", "beta2", "label_smoothing"):
            value = real(name, getattr(self, name), low=0.0)
            if value >= 1:
                refuse(name, value, "a number in [0, 1)")
            put(self, name, value)
        if self.clip is not None:
            put(self, "clip", real("clip", self.clip, above=0.0))
        for name in ("steps", "every", "eigenvalues"):
            put(self, name, integer(name, getattr(self, name), low=1))
        for name in ("seed", "warmup"):
            put(self, name, integer(name, getattr(self, name), low=0))
        for name in ("size", "batch_size", "width", "depth", "chunk_size"):
            if getattr(self, name) is not None:
                put(self, name, integer(name, getattr(self, name), low=1))

    def _check_together(self) -> None:
        if self.optimiser in ("gd", "flow") and self.batch_size is not None:
            refuse(
                f"batch_size with optimiser {self.optimiser}",
                self.batch_size,
                "no batch size: this optimiser is full batch",
                "Take optimiser sgd.",
            )
        if self.optimiser == "sgd" and self.batch_size is None:
            refuse("batch_size with optimiser sgd", None, "a whole number >= 1", "Or optimiser gd.")
        if self.loss == "mse" and self.net == "gpt":
            refuse("loss", self.loss, "cross-entropy, for net gpt")

    def as_dict(self) -> dict[str, object]:
        """The fields as JSON can hold them."""
        return asdict(self)


def from_dict(values: dict[str, object]) -> TrainConfig:
    """The inverse of `TrainConfig.as_dict`. Raises InvalidInput on unknown or wrong fields."""
    known = {field.name for field in fields(TrainConfig)}
    unknown = sorted(set(values) - known)
    if unknown:
        refuse("configuration fields", unknown, "fields among " + ", ".join(sorted(known)))
    return TrainConfig(**values)  # type: ignore[arg-type]
