# bash completion of vpartclone; written by bun run completions
_vpartclone() {
  local word=$2 before=$3
  compopt -o filenames 2>/dev/null
  case $before in
    -m|--mountpoint|--index-dir|--unmount) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --log|--restore) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    -i|--index_size) COMPREPLY=(); return ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-m --mountpoint --files --ntfs-backup-boot -d --debug_fuse -v --verbose --json -c --crc_check --verify --log --index --index-dir --no-index-cache --restore --force --discard -q --quiet --mounts --unmount -i --index_size -h --help --version" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -F _vpartclone vpartclone
