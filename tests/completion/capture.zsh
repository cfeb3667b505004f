# Sourced by an interactive zsh: TAB prints what would be offered, between two marks, instead of completing.

unsetopt beep list_beep
PROMPT='' RPROMPT=''
autoload -Uz compinit && compinit -u -D
source "$SCRIPT"

compadd() {
    local -a captured
    if [[ " ${(j: :)@[1,(i)(-|--)]} " != *" -"[a-zA-Z]#[ADO]* ]]; then
        builtin compadd -O captured "$@"
        (( $#captured )) && print -rl -- $captured
    fi
    builtin compadd "$@"
}

capture() {
    print -r -- '{{''begin'
    _main_complete
    print -r -- '{{''end'
    compstate[insert]='' compstate[list]=''
}

zle -C capture complete-word capture
bindkey '^I' capture
print -r -- '{{''ready'
