"""The numbers and layers that define the network: known without torch, which takes seconds to load."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from stylize_live.nets.layers import (
    ConvNorm,
    Layer,
    Layout,
    PointwiseUpsample,
    Residual,
    Shapes,
    ToPixels,
    UpsampleNorm,
)

# Sides are filled up to a multiple of this and cropped at the end.
STRIDE = 8
# Shares of red, green and blue in brightness (Rec. 709).
LUMA = (0.2126, 0.7152, 0.0722)
# Of the input's brightness that was added to the end of every network before it became a weight.
FULL_BRIGHTNESS = 2.0
NORM_EPSILON = 1e-5  # added to variances
# SPLIT[phase][r][t]: how much of source pixel r - 1 the tap t of a 3-tap kernel sees when the source
# is first doubled bilinearly (weights 3/4 and 1/4) and the output pixel has that phase.
SPLIT = (
    ((0.75, 0.25, 0.00), (0.25, 0.75, 0.75), (0.00, 0.00, 0.25)),
    ((0.25, 0.00, 0.00), (0.75, 0.75, 0.25), (0.00, 0.25, 0.75)),
)


@dataclass(frozen=True, slots=True)
class Architecture:
    """Numbers that define a network; stored in every checkpoint.

    Attributes:
        width: channels at quarter resolution.
        deep_width: channels at eighth resolution; 0 leaves that stage out.
        head_width: channels at half resolution.
        blocks_in: residual blocks at quarter resolution before the deep stage.
        blocks_deep: residual blocks at eighth resolution.
        blocks_out: residual blocks at quarter resolution after the deep stage.
    """

    width: int = 48
    deep_width: int = 64
    head_width: int = 24
    blocks_in: int = 1
    blocks_deep: int = 3
    blocks_out: int = 1

    def to_dict(self) -> dict[str, int]:
        """The fields as a plain dictionary, as checkpoints store them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> Architecture:
        """Inverse of :meth:`to_dict`.

        Raises:
            ValueError: a field is missing, unknown, not an integer, or out of the range 0..512.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            raise ValueError(f"architecture fields are {sorted(values)}, expected {sorted(names)}")
        for name, value in values.items():
            low = 0 if name == "deep_width" or name.startswith("blocks") else 1
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= 512:
                raise ValueError(f"architecture field {name} is {value!r}, expected {low}..512")
        return cls(**{name: int(str(values[name])) for name in names})

    def layout(self) -> Layout:
        """The network's layers: the one place where they are written down."""
        # Not in eight bits: the first, whose inputs are pixels, and the way down, which takes a thirtieth of
        # the time and makes a tenth to a fifth of the error.
        stem = ConvNorm("stem.0", 48, self.width, norm="stem.1", int8=False)
        body = _blocks("body_in", self.blocks_in, self.width)
        if self.deep_width:
            width, deep = self.width, self.deep_width
            down = ConvNorm("deep.down.0", width, deep, norm="deep.down.1", stride=2, int8=False)
            up = PointwiseUpsample("deep.up", deep, width)
            body += (Residual((down, *_blocks("deep.blocks", self.blocks_deep, deep), up)),)
        body += _blocks("body_out", self.blocks_out, self.width)
        body += (
            UpsampleNorm("to_half", self.width, self.head_width, norm="to_half_norm"),
            ConvNorm("refine.0", self.head_width, self.head_width, norm="refine.1"),
        )
        return Layout(stem, body, ToPixels("to_full", self.head_width, 3, brightness="brightness"))

    def shapes(self) -> Shapes:
        """Names and shapes of the weights."""
        return self.layout().shapes()


def _blocks(name: str, count: int, width: int) -> tuple[Layer, ...]:
    return tuple(_block(f"{name}.{number}", width) for number in range(count))


def _block(name: str, width: int) -> Residual:
    first = ConvNorm(f"{name}.first.0", width, width, norm=f"{name}.first.1")
    second = ConvNorm(f"{name}.second.0", width, width, norm=f"{name}.second.1", relu=False)
    return Residual((first, second))
