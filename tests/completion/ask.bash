# ask.bash LINE...: what bash offers behind each line, each answer ended by a line {{end}}.

# shellcheck source=/dev/null
source "$SCRIPT"

# Outside of a real completion there are no options to change. File names are completed by readline itself.
compopt() {
    # shellcheck disable=SC2154
    case $* in
        *dirnames*) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
        *default*) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    esac
}

# Without further characters here, readline replaces the word as a whole.
COMP_WORDBREAKS=$' \t\n'
for line; do
    read -ra COMP_WORDS <<<"$line"
    # shellcheck disable=SC2034
    COMP_LINE=$line COMP_POINT=${#line} COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
    _signac
    printf '%s\n' "${COMPREPLY[@]}" '{{end}}'
done
