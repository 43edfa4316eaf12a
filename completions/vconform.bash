# bash completion of vconform; written by bun run completions
_vconform() {
  local word=$2 before=$3
  compopt -o filenames 2>/dev/null
  case $before in
    -r|--rule|--max-findings) COMPREPLY=(); return ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-r --rule -q --quick --max-findings --json --junit --tap -h --help --version" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -F _vconform vconform
