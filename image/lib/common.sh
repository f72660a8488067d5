# What all steps share: names, places, sizes, and how they speak. Sourced by image/build.
# Every setting can be given in the environment.
ROOT_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
IMAGE_DIR=$ROOT_DIR/image
VERSION=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$ROOT_DIR/appliance/__init__.py")
NAME=satchel-$VERSION-arm64
OUT=${SATCHEL_OUT:-$ROOT_DIR/build/image}
WORK=${SATCHEL_WORK:-$ROOT_DIR/build/work}
CACHE=${SATCHEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/satchel-image}

SUITE=trixie
PYTHON=python3.13
TRIPLET=aarch64-linux-gnu
COMPATIBLE=satchel-arm64

# Bytes follow from the sources alone: this is the only time that the image knows.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$ROOT_DIR" log -1 --format=%ct)}
export LC_ALL=C.UTF-8 TZ=UTC

# Partitions, in MiB. The data partition grows at the first boot.
ESP_SIZE=64 BOOT_SIZE=32 ROOT_SIZE=256 DATA_SIZE=64
DISK_GUID=8f1d2a60-5a7c-4e0e-9b1f-5a7c4e1d0001
DATA_TYPE=6f1e6b1c-2f0b-4a53-8d0e-5a7c4e1d0da7
DATA_UUID=8f1d2a60-5a7c-4e0e-9b1f-5a7c4e1d0006

APT_DIR=$CACHE/apt
APT=(env APT_CONFIG="$APT_DIR/apt.conf")
UNREACHABLE=3   # exit code: the mirror is not in reach and nothing is cached

say() { printf '%s\n' "$*"; }
fail() {
    printf 'image: %s\n' "$1" >&2
    [ "${2:-1}" != $UNREACHABLE ] || touch "$WORK/unreachable"
    exit "${2:-1}"
}

# fetch PACKAGE...: the paths of their .deb files, in the order asked for, downloaded where they are missing.
fetch() {
    local package file
    mkdir -p "$CACHE/debs"
    for package in "$@"; do
        file=$("${APT[@]}" apt-get --print-uris -qq download "$package" | awk '{print $2}')
        [ -n "$file" ] || fail "there is no package $package"
        [ -f "$CACHE/debs/$file" ] ||
            (cd "$CACHE/debs" && timeout 900 "${APT[@]}" apt-get -qq download "$package") ||
            fail "$package cannot be downloaded" $UNREACHABLE
        printf '%s\n' "$CACHE/debs/$file"
    done
}

# age DIRECTORY: every file in it gets the image's one time.
age() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }
