# Splits the line up to the cursor as the shell does. Sets words, without their quotes and without redirections; quote,
# the one that is still open; start, the number of characters of the last word that readline leaves alone; redirected,
# if that word is the file of a redirection.
_signac_split() {
    local line=${COMP_LINE:0:COMP_POINT} word="" inside="" character i
    words=() quote="" start=0 redirected=""
    for ((i = 0; i < ${#line}; i++)); do
        character=${line:i:1}
        if [[ $quote ]]; then
            if [[ $character == "$quote" ]]; then
                quote="" start=${#word}
            elif [[ $quote$character == \"\\ && ${line:i+1:1} == ?([\"\\\$\`]) ]]; then
                i=$((i + 1))
                word+=${line:i:1}
            else
                word+=$character
            fi
            continue
        fi
        case $character in
            [[:blank:]])
                if [[ $inside ]]; then
                    if [[ ! $redirected ]]; then words+=("$word"); fi
                    redirected=""
                fi
                word="" inside="" start=0
                continue
                ;;
            "<" | ">")
                # A word in front of it ends there, unless it is the number of a descriptor.
                if [[ $inside && ! $redirected && $word != @(+([0-9])|&) ]]; then words+=("$word"); fi
                word="" inside="" start=0 redirected=1
                continue
                ;;
            \' | \") quote=$character start=${#word} ;;
            \\)
                i=$((i + 1))
                word+=${line:i:1}
                ;;
            *)
                if [[ $redirected && ! $inside && $character == ["&|"] ]]; then continue; fi
                word+=$character
                if [[ $COMP_WORDBREAKS == *"$character"* ]]; then start=${#word}; fi
                ;;
        esac
        inside=1
    done
    words+=("$word")
}

_signac_is_option() {
    [[ ! $ended && $1 == -?* && ! ($1 == -[.0-9]* && $1 != -[01]) ]]
}

# Takes note of a word in front of the cursor.
_signac_read() {
    local word=$1 letters
    if [[ $takes == one ]]; then
        takes=nothing
        if [[ $option == @(-C|--project-dir) ]]; then directories+=("$word"); fi
    elif [[ ! $ended && $word == -- ]]; then
        ended=1 takes=nothing
    elif _signac_is_option "$word"; then
        takes=nothing tokens=()
        case $word in
            --project-dir=*) directories+=("${word#*=}") ;;
            --*=*) ;;
            --*) option=$word && _signac_option "$command" "$option" ;;
            *)
                # Flags may be joined, and the last option may have its value attached.
                letters=${word:1}
                while [[ $takes == nothing && $letters ]]; do
                    option=-${letters:0:1} letters=${letters:1}
                    _signac_option "$command" "$option"
                done
                if [[ $takes != nothing && $letters ]]; then
                    takes=nothing
                    if [[ $option == -C ]]; then directories+=("$letters"); fi
                fi
                ;;
        esac
    elif [[ $takes == all ]]; then
        tokens+=("$word")
    elif [[ $takes == maybe && ($kind != number || $word == ?([-+])+([0-9])) ]]; then
        takes=nothing
    else
        takes=nothing
        _signac_commands "$command"
        if [[ $names && " $names " == *" $word "* ]]; then
            command=${command:+$command }$word
        else
            arguments+=("$word")
            if _signac_stops "$command"; then ended=1; fi
        fi
    fi
}

# Sets quoted to a text as it has to be written behind the open quote, or without one.
_signac_quote() {
    local text=$1 character i
    quoted=$text
    if [[ ! $quote ]]; then
        if [[ $text == *[!a-zA-Z0-9_./,:+%=-]* ]]; then printf -v quoted %q "$text"; fi
    elif [[ $text == *[\'\"\\\$\`\!]* ]]; then
        quoted=""
        for ((i = 0; i < ${#text}; i++)); do
            character=${text:i:1}
            case $quote$character in
                "''") quoted+="'\\''" ;;
                \"[\"\\\$\`]) quoted+=\\$character ;;
                '"!') quoted+=\"\'!\'\" ;; # the history is expanded between double quotes, too
                *) quoted+=$character ;;
            esac
        done
        # Readline closes the quote, unless it finds one at the end.
        if [[ $quoted == *"$quote" ]]; then quoted+=$quote; fi
    fi
}

# Offers what there is of a kind, with attached in front.
_signac_offer() {
    local candidates=() candidate quoted
    case $kind in
        words\ *) read -ra candidates <<<"${kind#words }" ;;
        directories)
            compopt -o dirnames
            return
            ;;
        files)
            compopt -o bashdefault -o default
            return
            ;;
        text | number | "") return ;;
        *)
            if [[ $kind == ids && $current == */* ]]; then
                compopt -o dirnames
                return
            fi
            if [[ $kind == filter && $quote ]]; then kind=conditions; fi
            mapfile -t candidates < <(
                "$program" __complete "$kind" "${directories[@]}" -- "${tokens[@]}" "$current" 2>/dev/null </dev/null
            )
            compopt -o nosort 2>/dev/null
            if [[ ${candidates[0]} == *= ]]; then compopt -o nospace; fi
            ;;
    esac
    for candidate in "${candidates[@]}"; do
        if [[ $candidate == "$current"* ]]; then
            candidate=$attached$candidate
            _signac_quote "${candidate:start}"
            COMPREPLY+=("$quoted")
        fi
    done
}

_signac() {
    local IFS=$' \t\n' words quote start redirected i
    _signac_split
    # Variables may be set in front of the command.
    while [[ ${words[0]} == *=* ]]; do words=("${words[@]:1}"); done
    local program=${words[0]/#\~/$HOME} last=$((${#words[@]} - 1))
    local current=${words[last]} attached=""
    local command="" option="" takes=nothing kind="" ended="" names=""
    local directories=() tokens=() arguments=()
    for ((i = 1; i < last; i++)); do _signac_read "${words[i]}"; done

    COMPREPLY=()
    if [[ $redirected ]]; then
        kind=files
        _signac_offer
    elif [[ $takes == one ]]; then
        _signac_offer
    elif [[ ! $ended && $current == --*=* ]]; then
        _signac_option "$command" "${current%%=*}"
        attached=${current%%=*}= current=${current#*=} tokens=()
        _signac_offer
    elif _signac_is_option "$current-" && [[ $current == -* ]]; then
        _signac_options "$command"
        kind="words $names"
        _signac_offer
    elif [[ $takes == all || ($takes == maybe && $kind != number) ]]; then
        _signac_offer
    else
        _signac_commands "$command"
        if [[ $names ]]; then
            kind="words $names"
        else
            _signac_argument "$command" "$((${#arguments[@]} + 1))"
            if [[ $kind == filter ]]; then tokens=("${arguments[@]}"); else tokens=(); fi
        fi
        _signac_offer
    fi
}

complete -F _signac signac signac-cli
