# shellcheck shell=sh
# Sourced by demo and test: brings Bun, the dependencies and the system's tools, all without a
# question. Leaves the caller in the project's root, with `bun` on PATH.

BUN_VERSION=1.4.5
BUN_HOME=.cache/bun

# What for, the command that must be there, the Debian package it comes from.
TOOLS='
demo fusermount3      fuse3
demo debugfs          e2fsprogs
test losetup          mount
test pgrep            procps
test strace           strace
test qemu-img         qemu-utils
test mkfs.ext4        e2fsprogs
test partclone.extfs  partclone
test ntfsclone        ntfs-3g
test mkfs.fat         dosfstools
test mcopy            mtools
test mkfs.exfat       exfatprogs
test mount.exfat-fuse exfat-fuse
test fuse2fs          fuse2fs
test mkfs.xfs         xfsprogs
test mkfs.btrfs       btrfs-progs
test mkfs.f2fs        f2fs-tools
test mkapfs           apfsprogs
test mkfs.reiser4     reiser4progs
test man              man-db
test debootstrap      debootstrap
test zsh              zsh
test fish             fish
test zstd             zstd
test pigz             pigz
test xz               xz-utils
test bzip2            bzip2
test lz4              lz4
test lzop             lzop
test lzip             lzip
test plzip            plzip
test pbzip2           pbzip2
test sfdisk           fdisk
test sgdisk           gdisk
test b3sum            b3sum
test xxhsum           xxhash
test pvcreate         lvm2
test parted           parted
test ocs-sr           clonezilla
test qemu-system-x86_64 qemu-system-x86
'

say() {
  printf 'setup: %s\n' "$*"
}

# Runs a command in silence; shows what it printed only if it fails.
quietly() {
  quietly_status=0
  quietly_output=$("$@" 2>&1 </dev/null) || quietly_status=$?
  if [ "$quietly_status" -ne 0 ]; then
    printf '%s\n' "$quietly_output" >&2
    say "failed with status $quietly_status: $*" >&2
  fi
  return "$quietly_status"
}

# setup_all PURPOSE...: everything that the purposes need.
setup_all() {
  # Where Debian keeps mkfs, losetup and their like; an ordinary user's PATH lacks it.
  PATH="$PWD/$BUN_HOME/node_modules/.bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin"
  export PATH
  setup_bun
  say "dependencies, as bun.lock has them"
  quietly bun install --frozen-lockfile || exit 1
  setup_tools "$@"
}

setup_bun() {
  if has_bun; then
    say "Bun $(bun --version)"
    return
  fi
  if ! command -v npm >/dev/null; then
    say "there is no Bun $BUN_VERSION, and no npm to get it with" >&2
    exit 1
  fi
  say "Bun $BUN_VERSION from npm, into $BUN_HOME"
  quietly npm install --prefix "$BUN_HOME" --no-audit --no-fund "bun@$BUN_VERSION" || exit 1
  if ! has_bun; then
    say "the Bun in $BUN_HOME does not run" >&2
    exit 1
  fi
}

has_bun() {
  bun_found=$(bun --version 2>/dev/null) || return 1
  [ "$(printf '%s\n' "$BUN_VERSION" "$bun_found" | sort -V | head -n 1)" = "$BUN_VERSION" ]
}

setup_tools() {
  packages=$(missing_packages "$@")
  if [ -z "$packages" ]; then
    say "the system has every tool for: $*"
  elif [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    say "from Debian: $packages"
    # shellcheck disable=SC2086 # one word a package
    install_packages $packages || say "going on without; what needs them is skipped"
  else
    say "missing, and only root can install: $packages"
    say "what needs them is skipped; to have it: sudo apt-get install $packages"
  fi
}

# The packages of all commands that are not there, on one line.
missing_packages() {
  printf '%s' "$TOOLS" | while read -r purpose tool package; do
    case " $* " in
      *" $purpose "*) command -v "$tool" >/dev/null || printf '%s\n' "$package" ;;
    esac
  done | sort -u | paste -s -d ' '
}

install_packages() {
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  quietly apt-get update && quietly apt-get install -y --no-install-recommends "$@"
}

cd "$(dirname "$0")/.." || exit 1
