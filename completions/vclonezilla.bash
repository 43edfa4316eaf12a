# bash completion of vclonezilla; written by bun run completions
_vclonezilla() {
  local word=$2 before=$3
  compopt -o filenames 2>/dev/null
  case $before in
    -m|--mountpoint|--index-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-m --mountpoint -d --debug_fuse --verify --log --index-dir --no-index-cache --verify-folder -q --quiet --json -h --help --version" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -F _vclonezilla vclonezilla
