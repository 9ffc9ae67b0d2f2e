"""The numbers that define the network: known without torch, which takes seconds to load."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

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
            ValueError: a field is missing, unknown, no integer, or out of the range 0..512.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            raise ValueError(f"architecture fields are {sorted(values)}, expected {sorted(names)}")
        for name, value in values.items():
            low = 0 if name == "deep_width" or name.startswith("blocks") else 1
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= 512:
                raise ValueError(f"architecture field {name} is {value!r}, expected {low}..512")
        return cls(**{name: int(str(values[name])) for name in names})

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the weights of `ResidualTransformer`."""
        found: dict[str, tuple[int, ...]] = {}

        def conv_norm(name: str, inputs: int, outputs: int) -> None:
            found.update({f"{name}.0.weight": (outputs, inputs, 3, 3)} | _norm(f"{name}.1", outputs))

        def blocks(name: str, count: int, width: int) -> None:
            for number in range(count):
                conv_norm(f"{name}.{number}.first", width, width)
                conv_norm(f"{name}.{number}.second", width, width)

        conv_norm("stem", 48, self.width)
        blocks("body_in", self.blocks_in, self.width)
        if self.deep_width:
            conv_norm("deep.down", self.width, self.deep_width)
            blocks("deep.blocks", self.blocks_deep, self.deep_width)
            found["deep.up.weight"] = (self.width, self.deep_width, 1, 1)
        blocks("body_out", self.blocks_out, self.width)
        found["to_half.weight"] = (self.head_width, self.width, 3, 3)
        found |= _norm("to_half_norm", self.head_width)
        conv_norm("refine", self.head_width, self.head_width)
        return found | {
            "to_full.weight": (3, self.head_width, 3, 3),
            "to_full.bias": (3,),
            "brightness": (1,),
        }


def _norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}
