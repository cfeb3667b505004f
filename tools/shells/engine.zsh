_signac_is_option() {
    [[ -z $ended && $1 == -?* && ! ( $1 == -[.0-9]* && $1 != -[01] ) ]]
}

# Takes note of a word in front of the cursor.
_signac_read() {
    local word=$1 letters
    if [[ $takes == one ]]; then
        takes=nothing
        [[ $option == (-C|--project-dir) ]] && directories+=("$word")
    elif [[ -z $ended && $word == -- ]]; then
        ended=1 takes=nothing
    elif _signac_is_option "$word"; then
        takes=nothing tokens=()
        case $word in
            --project-dir=*) directories+=("${word#*=}") ;;
            --*=*) ;;
            --*) option=$word && _signac_option "$command" "$option" ;;
            *)
                # Flags may be joined, and the last option may have its value attached.
                letters=${word[2,-1]}
                while [[ $takes == nothing && -n $letters ]]; do
                    option=-${letters[1]} letters=${letters[2,-1]}
                    _signac_option "$command" "$option"
                done
                if [[ $takes != nothing && -n $letters ]]; then
                    takes=nothing
                    [[ $option == -C ]] && directories+=("$letters")
                fi
                ;;
        esac
    elif [[ $takes == all ]]; then
        tokens+=("$word")
    elif [[ $takes == maybe && ( $kind != number || $word =~ '^[-+]?[0-9]+$' ) ]]; then
        takes=nothing
    else
        takes=nothing
        _signac_commands "$command"
        if (( ${names[(I)${(b)word}:*]} )); then
            command=${command:+$command }$word
        else
            arguments+=("$word")
            _signac_stops "$command" && ended=1
        fi
    fi
}

# Offers what there is of a kind.
_signac_offer() {
    local -a found
    case $kind in
        words\ *) compadd -- ${=kind#words } ;;
        directories) _files -/ ;;
        files) _files ;;
        text|number|"") _message "$kind" ;;
        *)
            if [[ $kind == ids && $PREFIX == */* ]]; then
                _files -/
                return
            fi
            [[ $kind == filter && -n $compstate[quote] ]] && kind=conditions
            found=(${(f)"$("$program" __complete $kind $directories -- "$tokens[@]" "${(Q)PREFIX}" 2>/dev/null </dev/null)"})
            if [[ $found[1] == *= ]]; then
                compadd -V candidates -S "" -a found
            else
                compadd -V candidates -a found
            fi
            ;;
    esac
}

_signac() {
    emulate -L zsh
    setopt extended_glob
    local program=${(Q)words[1]/#\~/$HOME} command="" option="" takes=nothing kind="" ended="" word
    local -a names directories tokens arguments
    for word in "${(@Q)words[2,CURRENT-1]}"; do _signac_read "$word"; done

    if [[ $takes == one ]]; then
        _signac_offer
    elif [[ -z $ended && $PREFIX == --*=* ]]; then
        _signac_option "$command" "${PREFIX%%=*}"
        compset -P '*='
        tokens=()
        _signac_offer
    elif [[ $PREFIX == -* ]] && _signac_is_option "$PREFIX-"; then
        _signac_options "$command"
        _describe -o option names
    elif [[ $takes == all || ( $takes == maybe && $kind != number ) ]]; then
        _signac_offer
    else
        _signac_commands "$command"
        if (( $#names )); then
            _describe command names
        else
            _signac_argument "$command" $(( $#arguments + 1 ))
            tokens=()
            [[ $kind == filter ]] && tokens=("$arguments[@]")
            _signac_offer
        fi
    fi
}

# In a file of the function path this is the completion itself; evaluated, it has to be announced.
if [[ $funcstack[1] == _signac ]]; then
    _signac "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _signac signac signac-cli
fi
