# bash completion of vclonezilla; written by bun run completions
_vclonezilla() {
  local word=$2 before=$3
  compopt -o filenames 2>/dev/null
  case $before in
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "--json -h --help --version" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -F _vclonezilla vclonezilla
