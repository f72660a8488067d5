"""Update bundles and sticks for the tests."""

import subprocess
from pathlib import Path

from machine import ROOT

MIB = 1 << 20
ROOT_SLOT = (1 + 64 + 32) * MIB
BOOT_SLOT = (1 + 64) * MIB
"""Where slot A lies in an image (image/lib/common.sh)."""


def slot(image: Path, offset: int, out: Path) -> Path:
    """A slot's squashfs, cut out of an image."""
    with image.open("rb") as file:
        file.seek(offset + 40)
        size = int.from_bytes(file.read(8), "little")
        file.seek(offset)
        out.write_bytes(file.read(-(-size // 4096) * 4096))
    return out


def broken(image: Path, folder: Path) -> Path:
    """A bundle, well signed, of a system that starts and whose server does not."""
    root, boot = folder / "root", folder / "boot"
    _run("unsquashfs", "-quiet", "-no-progress", "-dest", root, slot(image, ROOT_SLOT, folder / "a.img"))
    _run("unsquashfs", "-quiet", "-no-progress", "-dest", boot, slot(image, BOOT_SLOT, folder / "b.img"))
    program = root / "usr" / "bin" / "appliance"
    program.write_text("#!/bin/sh\necho broken on purpose >&2\nexit 1\n")
    new_root, new_boot = folder / "root.img", folder / "boot.img"
    _run("mksquashfs", root, new_root, "-quiet", "-no-progress", "-comp", "zstd", "-Xcompression-level", "1")
    size = new_root.stat().st_size
    said = _run("veritysetup", "format", new_root, new_root, f"--hash-offset={size}", "--salt=00")
    (found,) = [line.split()[-1] for line in said.splitlines() if line.startswith("Root hash")]
    (boot / "slot.cfg").write_text(f"verity={found}:00:{size // 4096}\n")
    _run(
        "mksquashfs",
        boot,
        new_boot,
        "-quiet",
        "-no-progress",
        "-comp",
        "gzip",
        "-noI",
        "-noD",
        "-noF",
        "-noX",
    )
    return sign(folder / "broken.raucb", "9.9.9", new_boot, new_root)


def sign(out: Path, version: str, boot: Path, root: Path) -> Path:
    key, certificate = (ROOT / "build" / "work" / "keys" / "paths").read_text().split()
    _run(ROOT / "image" / "lib" / "bundle", out, version, boot, root, key, certificate)
    return out


def stranger(folder: Path, boot: Path, root: Path) -> Path:
    """A bundle that somebody else signed."""
    key, certificate = folder / "stranger.key", folder / "stranger.pem"
    _run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Somebody",
        "-keyout", key, "-out", certificate,
    )  # fmt: skip
    out = folder / "stranger.raucb"
    _run(ROOT / "image" / "lib" / "bundle", out, "6.6.6", boot, root, key, certificate)
    return out


def stick(out: Path, files: dict[str, Path]) -> Path:
    """A FAT stick with these files."""
    size = sum(path.stat().st_size for path in files.values()) // MIB + 64
    with out.open("wb") as file:
        file.truncate(size * MIB)
    _run("mkfs.vfat", "-F", "32", "-n", "STICK", out)
    for name, path in files.items():
        _run("mcopy", "-i", out, path, f"::{name}")
    return out


def _run(*command: str | Path) -> str:
    path = "/usr/sbin:/sbin:/usr/bin:/bin"
    return subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": path}).stdout
