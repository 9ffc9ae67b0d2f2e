"""A microphone, heard through sounddevice."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from stylize_live.errors import SourceError, UsageError
from stylize_live.install_hints import install_command
from stylize_live.lifecycle import Closeable
from stylize_live.media.encode.audio_encoder import RATES
from stylize_live.system.capture_rights import ask_for_microphone, how_to_allow
from stylize_live.system.clock import monotonic

_PORTAUDIO = "sudo apt install libportaudio2"  # other systems' packages of sounddevice bring it
_MISSING = (
    f"a microphone needs sounddevice: {install_command('sounddevice')} "
    f"(on Debian and Ubuntu also: {_PORTAUDIO})"
)
# Windows lists each microphone under four interfaces, the names of most cut off; this one has all of them.
_WASAPI = "Windows WASAPI"
_MOST_CHUNKS = 4096  # that wait for somebody to take them; some forty seconds
_BELIEVABLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SoundChunk:
    """A chunk of sound.

    Attributes:
        moment: of its first sample, in monotonic seconds.
        samples: (N, channels) float32 in [-1, 1].
    """

    moment: float
    samples: npt.NDArray[np.float32]


class _Device:
    """One that is open, for all who listen to it; the system calls `_hear` in a thread of its own.

    Raises `SourceError` where it cannot be opened, or macOS does not allow it.
    """

    def __init__(self, sounddevice: ModuleType, device: Any) -> None:
        self.name = str(device["name"])
        self.rate = min(RATES, key=lambda known: abs(known - float(device["default_samplerate"])))
        self.channels = min(2, int(device["max_input_channels"]))
        self.listeners: list[deque[SoundChunk]] = []
        if ask_for_microphone() == "refused":  # it would be silent, without an error
            raise SourceError(f"microphone {self.name} is not allowed: {how_to_allow('Microphone')}")
        try:
            self.stream = sounddevice.InputStream(
                device=device["index"],
                samplerate=self.rate,
                channels=self.channels,
                dtype="float32",
                callback=self._hear,
                extra_settings=_host_settings(sounddevice, device),
            )
            self.stream.start()
        except sounddevice.PortAudioError as error:
            raise SourceError(f"microphone {self.name}: {error}; is it allowed, and not in use?") from None

    def _hear(self, samples: npt.NDArray[np.float32], count: int, timing: Any, status: object) -> None:
        age = timing.currentTime - timing.inputBufferAdcTime
        if not 0 < age < _BELIEVABLE_SECONDS:  # some systems do not tell
            age = count / self.rate
        chunk = SoundChunk(monotonic() - age, samples.copy())
        for listener in self.listeners:
            listener.append(chunk)


_open: dict[int, _Device] = {}  # by number: a system may give a device only once
_opening = threading.Lock()


class Microphone(Closeable):
    """Collects sound in the system's own thread until somebody takes it.

    Several may be open of one device: each gets all that is heard from then on.

    Attributes:
        name: what the system calls it.
        rate: samples a second.
        channels: 1 or 2.

    Args:
        wanted: "auto" for the system's choice, or a number, a name or a part of one. On Windows, names are
            those of WASAPI; with another interface's behind it ("headset MME") it is that one.

    Raises:
        UsageError: sounddevice is not installed, or none or several fit.
        SourceError: it cannot be opened, or macOS does not allow it.
    """

    def __init__(self, wanted: str) -> None:
        sounddevice = _load_sounddevice()
        device = _find_device(sounddevice, wanted)
        self._number = int(device["index"])
        self._chunks: deque[SoundChunk] = deque(maxlen=_MOST_CHUNKS)
        with _opening:
            found = _open.get(self._number)
            if found is None or not found.stream.active:  # one that was unplugged may be back
                found = _open[self._number] = _Device(sounddevice, device)
            found.listeners = [*found.listeners, self._chunks]
        self._device = found
        self.name, self.rate, self.channels = found.name, found.rate, found.channels

    @property
    def working(self) -> bool:
        """Whether it still hears; unplugged ones do not."""
        return bool(self._device.stream.active)

    def take(self) -> list[SoundChunk]:
        """What was heard since the last call, in order."""
        return [self._chunks.popleft() for _ in range(len(self._chunks))]

    def close(self) -> None:
        """Give the microphone back. May be called twice."""
        device = self._device
        with _opening:
            device.listeners = [one for one in device.listeners if one is not self._chunks]
            if device.listeners:
                return
            if _open.get(self._number) is device:
                del _open[self._number]
        device.stream.close()


def list_microphones() -> dict[str, str]:
    """Names of microphones by their numbers, as `Microphone` takes them; those plugged in since the first
    call may be missing.

    Raises:
        UsageError: sounddevice or PortAudio is not installed.
    """
    devices = _load_sounddevice().query_devices()
    return {str(one["index"]): str(one["name"]) for one in devices if one["max_input_channels"] > 0}


def check_microphone(wanted: str) -> None:
    """See that there is such a microphone. Raises `UsageError` as `Microphone` does; opens nothing."""
    _find_device(_load_sounddevice(), wanted)


def _load_sounddevice() -> ModuleType:
    try:
        import sounddevice
    except ImportError:
        raise UsageError(_MISSING) from None
    except OSError:
        raise UsageError(f"a microphone needs PortAudio (Debian and Ubuntu: {_PORTAUDIO})") from None
    module: ModuleType = sounddevice
    return module


def _find_device(sounddevice: ModuleType, wanted: str) -> Any:
    for which in _queries(sounddevice, wanted):
        try:
            return sounddevice.query_devices(which, kind="input")
        except (ValueError, sounddevice.PortAudioError):
            continue
    inputs = [device for device in sounddevice.query_devices() if device["max_input_channels"] > 0]
    if not inputs:
        raise UsageError("no microphone is connected; connect one, or go without")
    raise UsageError(
        f"{wanted!r} does not name one microphone; available: {_describe_microphones(sounddevice, inputs)}"
    )


def _queries(sounddevice: ModuleType, wanted: str) -> list[int | str | None]:
    """What sounddevice is to be asked for, one after the other until it knows one."""
    if wanted.isdigit():
        return [int(wanted)]
    wasapi = next((api for api in sounddevice.query_hostapis() if api["name"] == _WASAPI), None)
    if wanted == "auto":
        chosen = -1 if wasapi is None else int(wasapi["default_input_device"])
        return [None] if chosen < 0 else [chosen, None]
    if wasapi is None:
        return [wanted]
    return [f"{wanted}, {_WASAPI}", f"{wanted} {_WASAPI}", wanted]  # that name, a part of one, as it is


def _describe_microphones(sounddevice: ModuleType, devices: list[Any]) -> str:
    """Numbers and names, with the interface where there are several."""
    apis = [str(api["name"]) for api in sounddevice.query_hostapis()]
    several = len({device["hostapi"] for device in devices}) > 1
    return "; ".join(
        f"{device['index']}: {device['name']}" + (f", {apis[device['hostapi']]}" if several else "")
        for device in devices
    )


def _host_settings(sounddevice: ModuleType, device: Any) -> Any:
    """Has WASAPI convert rates and channels, which it alone of the interfaces refuses to do unasked."""
    if sounddevice.query_hostapis()[device["hostapi"]]["name"] != _WASAPI:
        return None
    return sounddevice.WasapiSettings(auto_convert=True)
