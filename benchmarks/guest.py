"""A real camera into a real virtual camera: `live` in a small virtual machine, whose kernel has both.

    apt-get install qemu-system-x86 busybox-static kmod gcc make ffmpeg linux-headers-amd64
    python benchmarks/guest.py                        # some minutes with software emulation
    python benchmarks/guest.py --work /tmp/guest      # keeps kernel and modules for the next time

Debian's kernel image and v4l2loopback are downloaded with apt-get and not installed; v4l2loopback is built
against the headers. The machine boots from memory, sees this machine's files read-only, and runs
`guest_show.py` with this very Python: `vivid` is the camera, v4l2loopback the virtual camera, ffmpeg the
program that reads it back.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stylize_live.nets.checkpoint import Checkpoint, StyleInfo, save_checkpoint, weights_of
from stylize_live.nets.transformer import Architecture, ResidualTransformer, initialise

HERE = Path(__file__).resolve().parent
_HEADERS = Path("/usr/src")
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "vivid")
_MINUTES = 40

# Run by busybox as the first process. The root file system is the host's, read-only.
_INIT = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
/bin/busybox mkdir -p /proc /sys /dev /host /bin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
{inserts}
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host
mount --bind /proc /host/proc; mount --bind /sys /host/sys; mount --bind /dev /host/dev
mount -t tmpfs tmpfs /host/media; mkdir /host/media/home /host/media/out /host/dev/shm
mount -t tmpfs tmpfs /host/dev/shm
mount -t 9p -o trans=virtio,version=9p2000.L out /host/media/out
cp /modules/v4l2loopback.ko /host/media/
chroot /host /bin/sh -c 'cd {here} && HOME=/media/home TMPDIR=/media/home PYTHONPATH={path} \
    PYTHONDONTWRITEBYTECODE=1 {python} guest_show.py /media/out' > /dev/ttyS0 2>&1
sync
poweroff -f
"""


def kernel(work: Path) -> tuple[Path, Path, str]:
    """Folder of the unpacked kernel, the v4l2loopback module, and the kernel's release."""
    releases = sorted(
        path.name.removeprefix("linux-headers-") for path in _HEADERS.glob("linux-headers-*-amd64")
    )
    if not releases:
        raise SystemExit("no kernel headers: apt-get install linux-headers-amd64")
    release = releases[-1]
    image, module = work / "image", work / "loopback" / "v4l2loopback.ko"
    if not module.exists():
        _run(work, "apt-get", "download", f"linux-image-{release}", "v4l2loopback-dkms")
        for package, folder in (("linux-image", image), ("v4l2loopback", work / "source")):
            _run(work, "dpkg-deb", "-x", str(next(work.glob(f"{package}*.deb"))), str(folder))
        shutil.copytree(next((work / "source" / "usr" / "src").iterdir()), module.parent)
        _run(work, "make", "-C", f"{_HEADERS}/linux-headers-{release}", f"M={module.parent}", "modules")
        _run(work, "depmod", "-b", str(image), release)
    return image, module, release


def initrd(work: Path, image: Path, module: Path, release: str) -> Path:
    """The machine's first files: busybox, the modules in the order of their loading, and the script."""
    root = work / "initrd"
    shutil.rmtree(root, ignore_errors=True)
    (root / "bin").mkdir(parents=True)
    (root / "modules").mkdir()
    shutil.copy(shutil.which("busybox") or "/bin/busybox", root / "bin" / "busybox")
    (root / "bin" / "sh").symlink_to("busybox")
    inserts: list[str] = []
    for name in _MODULES:
        for path, options in _needed(work, image, release, name):
            shutil.copy(path, root / "modules")
            line = f"insmod /modules/{path.name} {options}"
            if line not in inserts:
                inserts.append(line)
    shutil.copy(module, root / "modules")
    script = _INIT.format(
        inserts="\n".join(inserts), here=HERE, path=HERE.parent, python=sys.executable
    )  # fmt: skip
    (root / "init").write_text(script)
    (root / "init").chmod(0o755)
    archive = work / "initrd.cpio"
    names = subprocess.run(["find", "."], cwd=root, check=True, capture_output=True).stdout
    packed = subprocess.run(
        ["busybox", "cpio", "-o", "-H", "newc"], cwd=root, check=True, input=names, capture_output=True
    )
    archive.write_bytes(packed.stdout)
    return archive


def _needed(work: Path, image: Path, release: str, name: str) -> list[tuple[Path, str]]:
    """A module and those it needs, in order, with options."""
    listed = _run(work, "modprobe", "-d", str(image), "-S", release, "--show-depends", name)
    # One camera without sound, radio and tuner.
    options = "n_devs=1 node_types=0x1 num_inputs=1 input_types=0" if name == "vivid" else ""
    paths = [Path(path) for path in re.findall(r"insmod (\S+)", listed)]
    return [(path, options if path.stem == name else "") for path in paths]


def boot(work: Path, image: Path, archive: Path, release: str, out: Path) -> str:
    """Run the machine until it switches itself off; what it printed."""
    share = "local,security_model=none,multidevs=remap"
    command = [
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2",
        "-m", "4096", "-nographic", "-no-reboot", "-nic", "none",
        "-kernel", str(image / "boot" / f"vmlinuz-{release}"), "-initrd", str(archive),
        "-append", "console=ttyS0 quiet panic=-1",
        "-fsdev", f"{share},id=host,path=/,readonly=on", "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
        "-fsdev", f"{share},id=out,path={out}", "-device", "virtio-9p-pci,fsdev=out,mount_tag=out",
    ]  # fmt: skip
    ended = subprocess.run(
        command, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60 * _MINUTES
    )
    return ended.stdout + ended.stderr


def make_style(path: Path) -> None:
    """A tiny, untrained network."""
    shape = Architecture(width=8, deep_width=8, head_width=8, blocks_in=1, blocks_deep=1, blocks_out=1)
    network = ResidualTransformer(shape)
    initialise(network, 0)
    save_checkpoint(path, Checkpoint(StyleInfo("tiny"), shape, weights_of(network.state_dict())))


def _run(work: Path, *words: str) -> str:
    ended = subprocess.run(words, cwd=work, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{ended.stdout[-1000:]}{ended.stderr[-1000:]}")
    return ended.stdout


def main() -> int:
    """Prepare, boot and tell; 1 where something is not as it must be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, help="folder for kernel and modules, kept")
    parser.add_argument("--out", type=Path, help="folder for frames and logs of the machine")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary) / "work").resolve()
        out = (options.out or Path(temporary) / "out").resolve()
        for folder in (work, out):
            folder.mkdir(parents=True, exist_ok=True)
        (out / "result.json").unlink(missing_ok=True)
        make_style(out / "tiny.safetensors")
        image, module, release = kernel(work)
        said = boot(work, image, initrd(work, image, module, release), release, out)
        if not (out / "result.json").exists():
            print(said[-4000:])
            return 1
        result = json.loads((out / "result.json").read_text())
    for line in result["lines"]:
        print(line)
    return int(not result["good"])


if __name__ == "__main__":
    sys.exit(main())
