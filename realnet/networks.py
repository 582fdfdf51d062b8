"""Small networks by name: MLP, CNN, VGG-like, ResNet-18-like, ResNet-8, ViT, GPT."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from linmodel.arguments import typed
from linmodel.errors import InvalidInput, integer, refuse
from realnet.data.samples import Shape

MOST_LAYERS = 10_000
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "elu": nn.ELU,
}


@dataclass(frozen=True, slots=True)
class Style:
    """Width, depth, activation and normalisation, as the configuration has them."""

    width: int
    depth: int
    activation: str = "tanh"
    norm: str = "none"

    def act(self) -> nn.Module:
        return _ACTIVATIONS[self.activation]()

    def normalise(self, channels: int) -> list[nn.Module]:
        if self.norm == "batch":
            return [nn.BatchNorm2d(channels)]
        if self.norm == "group":
            return [nn.GroupNorm(math.gcd(8, channels), channels)]
        return []


@typed
def mlp(shape: Shape, style: Style) -> nn.Module:
    """Flatten, `depth` hidden layers of `width` units, a linear read-out. No normalisation."""
    if style.norm != "none":
        refuse("norm", style.norm, "none, for net mlp")
    layers: list[nn.Module] = [nn.Flatten()]
    inputs = shape.channels * shape.height * shape.width
    for _ in range(style.depth):
        layers += [nn.Linear(inputs, style.width), style.act()]
        inputs = style.width
    return nn.Sequential(*layers, nn.Linear(inputs, shape.n_classes))


def _conv(inputs: int, outputs: int, style: Style, stride: int = 1) -> list[nn.Module]:
    bias = style.norm == "none"
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)
    return [convolution, *style.normalise(outputs)]


@typed
def cnn(shape: Shape, style: Style) -> nn.Module:
    """`depth` blocks of 3 x 3 convolution, activation, 2 x 2 mean pooling; a linear read-out."""
    _fits(shape, 2**style.depth)
    layers: list[nn.Module] = []
    inputs = shape.channels
    for block in range(style.depth):
        outputs = style.width * 2**block
        layers += [*_conv(inputs, outputs, style), style.act(), nn.AvgPool2d(2)]
        inputs = outputs
    features = inputs * (shape.height >> style.depth) * (shape.width >> style.depth)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, shape.n_classes))


@typed
def vgg(shape: Shape, style: Style) -> nn.Module:
    """VGG-like: `depth` stages of two 3 x 3 convolutions and pooling, widths doubling."""
    _fits(shape, 2**style.depth)
    layers: list[nn.Module] = []
    inputs = shape.channels
    for stage in range(style.depth):
        outputs = style.width * 2**stage
        layers += [*_conv(inputs, outputs, style), style.act()]
        layers += [*_conv(outputs, outputs, style), style.act(), nn.AvgPool2d(2)]
        inputs = outputs
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, shape.n_classes)]
    return nn.Sequential(*layers, *head)


class Residual(nn.Module):
    """x + F(x), with a 1 x 1 projection of x where the shape changes."""

    def __init__(self, inputs: int, outputs: int, style: Style, stride: int) -> None:
        super().__init__()
        first = [*_conv(inputs, outputs, style, stride), style.act()]
        self.branch = nn.Sequential(*first, *_conv(outputs, outputs, style))
        same = inputs == outputs and stride == 1
        self.skip = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride=stride)
        self.activation = style.act()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.skip(x) + self.branch(x))


@typed
def resnet(shape: Shape, style: Style) -> nn.Module:
    """ResNet-18-like: `depth` stages of two residual blocks (18 layers at depth 4)."""
    return _stages(shape, style, blocks=2)


@typed
def resnet8(shape: Shape, style: Style) -> nn.Module:
    """`depth` stages of one residual block: ResNet-8 at depth 3."""
    return _stages(shape, style, blocks=1)


def _stages(shape: Shape, style: Style, blocks: int) -> nn.Module:
    _fits(shape, 2 ** (style.depth - 1))
    layers: list[nn.Module] = [*_conv(shape.channels, style.width, style), style.act()]
    inputs = style.width
    for stage in range(style.depth):
        outputs = style.width * 2**stage
        layers.append(Residual(inputs, outputs, style, stride=1 if stage == 0 else 2))
        layers += [Residual(outputs, outputs, style, stride=1) for _ in range(blocks - 1)]
        inputs = outputs
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, shape.n_classes)]
    return nn.Sequential(*layers, *head)


class Block(nn.Module):
    """A transformer block: layer norm, attention, layer norm, two-layer perceptron, residual."""

    def __init__(self, width: int, heads: int, style: Style, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), style.act(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        mixed = self.mix(self.first(x)).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.perceptron(self.second(x))


def _blocks(style: Style, causal: bool) -> nn.Sequential:
    if style.norm != "none":
        refuse("norm", style.norm, "none: a transformer has its own layer norm")
    heads = max(1, style.width // 16)
    if style.width % heads:
        refuse("width", style.width, "a multiple of 16, for a transformer")
    return nn.Sequential(*(Block(style.width, heads, style, causal) for _ in range(style.depth)))


class ViT(nn.Module):
    """A small vision transformer: square patches, learned positions, mean over the tokens."""

    def __init__(self, shape: Shape, style: Style) -> None:
        super().__init__()
        patch = next((p for p in (4, 7, 2) if shape.height % p == 0 == shape.width % p), 1)
        tokens = (shape.height // patch) * (shape.width // patch)
        self.patches = nn.Conv2d(shape.channels, style.width, patch, stride=patch)
        self.positions = nn.Parameter(0.02 * torch.randn(1, tokens, style.width))
        self.blocks = _blocks(style, causal=False)
        self.head = nn.Sequential(
            nn.LayerNorm(style.width), nn.Linear(style.width, shape.n_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.positions
        return self.head(self.blocks(tokens).mean(1))


class GPT(nn.Module):
    """A small causal transformer: token ids (N, T) to logits (N, T, vocabulary)."""

    def __init__(self, shape: Shape, style: Style) -> None:
        super().__init__()
        self.tokens = nn.Embedding(shape.n_classes, style.width)
        self.positions = nn.Parameter(0.02 * torch.randn(1, shape.context, style.width))
        self.blocks = _blocks(style, causal=True)
        self.head = nn.Sequential(
            nn.LayerNorm(style.width), nn.Linear(style.width, shape.n_classes)
        )

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.blocks(self.tokens(ids) + self.positions[:, : ids.shape[1]]))


def _fits(shape: Shape, factor: int) -> None:
    if min(shape.height, shape.width) < factor:
        refuse("depth", f"halving {shape.height} x {shape.width} to nothing", "a smaller depth")


_BUILDERS: dict[str, tuple[Callable[[Shape, Style], nn.Module], int, int]] = {
    "mlp": (mlp, 100, 2),
    "cnn": (cnn, 8, 2),
    "vgg": (vgg, 16, 3),
    "resnet": (resnet, 16, 3),
    "resnet8": (resnet8, 16, 3),
    "vit": (ViT, 64, 3),
    "gpt": (GPT, 64, 3),
}


@typed
def build_network(
    name: str,
    shape: Shape,
    *,
    width: int | None = None,
    depth: int | None = None,
    activation: str = "tanh",
    norm: str = "none",
    seed: int = 0,
) -> nn.Module:
    """The network `name`, float32, on the CPU, its weights drawn from `seed` alone.

    Raises InvalidInput for an unknown name (lists what exists) and for input it does not take.
    """
    if name not in _BUILDERS:
        refuse("net", name, "one of " + ", ".join(_BUILDERS))
    if activation not in _ACTIVATIONS:
        refuse("activation", activation, "one of " + ", ".join(_ACTIVATIONS))
    make, default_width, default_depth = _BUILDERS[name]
    if (name == "gpt") != (shape.context > 0):
        raise InvalidInput(
            f"net {name!r} does not take this data: gpt takes text, the rest images."
        )
    width = default_width if width is None else integer("width", width, low=1)
    depth = default_depth if depth is None else integer("depth", depth, low=1)
    if depth > MOST_LAYERS:
        refuse("depth", depth, f"1 to {MOST_LAYERS:,}", "Deeper ones take for ever to be made.")
    style = Style(width, depth, activation, norm)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(integer("seed", seed, low=0))
        return make(shape, style)
