# Completion of signac for bash.
# Written by 'make generated' from the commands, and from tools/shells/engine.bash; not to be edited.

# Sets the names of the commands of a group.
_signac_commands() {
    case "$1" in
        "") names="init job find statepoint document diff neighbors schema view export import rm move clone sync check status update-cache config migrate shell completion" ;;
        "config") names="set show unset verify" ;;
        *) names="" ;;
    esac
}

# Sets the names of the options of a command.
_signac_options() {
    case "$1" in
        "init") names="--json" ;;
        "job") names="-c --create -p --path -w --workspace --json --jsonl -0 --null" ;;
        "find") names="-s --show --sp --doc -p --pretty -1 --one-line --path --sort --reverse -L --limit --count -f --filter -j --job-id --shard -e --exit-status --allow-eval --json --jsonl --format --table --plain -0 --null" ;;
        "statepoint") names="-f --filter -j --job-id -p --pretty -i --indent -s --sort --allow-eval --json --jsonl --format --table --plain -0 --null" ;;
        "document") names="-f --filter -j --job-id --set --unset -n --dry-run -p --pretty -i --indent -s --sort --allow-eval --json --jsonl --format --table --plain -0 --null" ;;
        "diff") names="-f --filter -j --job-id -p --pretty -i --indent -e --exit-status --allow-eval --json --jsonl --format --table --plain -0 --null" ;;
        "neighbors") names="-f --filter -j --job-id --ignore --allow-eval --json --jsonl" ;;
        "schema") names="-x --exclude-const -t --depth -p --precision -r --max-num-range -f --filter -j --job-id --allow-eval --json --table --plain" ;;
        "view") names="-p --prefix -f --filter -j --job-id -n --dry-run --allow-eval --json" ;;
        "export") names="--move -f --filter -j --job-id --force -n --dry-run --allow-eval --json" ;;
        "import") names="--move --sync --sync-interactive --skip-existing -n --dry-run --json" ;;
        "rm") names="-f --filter -j --job-id -c --clear -i --interactive -n --dry-run --allow-eval --json" ;;
        "move") names="-f --filter -j --job-id -e --exit-status -n --dry-run --allow-eval --json" ;;
        "clone") names="-f --filter -j --job-id -e --exit-status -n --dry-run --allow-eval --json" ;;
        "sync") names="-a --archive -r --recursive -l --links -p --perms -o --owner -g --group -t --times -x --exclude -I --ignore-times --size-only --round-times -u --update -s --strategy -k --key --all-keys --no-keys -m --merge --force --parallel --stats -H --human-readable -f --filter -j --job-id -n --dry-run --allow-eval --json" ;;
        "check") names="--repair -n --dry-run --json" ;;
        "status") names="--json" ;;
        "update-cache") names="--check --clear --json" ;;
        "config") names="-g --global -l --local -f --force" ;;
        "config set") names="-g --global -l --local -f --force --json" ;;
        "config show") names="-g --global -l --local -f --force --json" ;;
        "config unset") names="-g --global -l --local -f --force --json" ;;
        "config verify") names="-g --global -l --local -f --force --json" ;;
        "migrate") names="-r --root-directory -n --dry-run --json" ;;
        "shell") names="-c --command -f --filter -j --job-id --allow-eval" ;;
        *) names="" ;;
    esac
    names+=" -C --project-dir -v --verbose --verbosity -q --quiet --debug -y --yes --color --no-progress -V --version -h --help"
}

# Sets how many values an option of a command takes (nothing, one, maybe, all), and their kind.
_signac_option() {
    case "$1 $2" in
        *" -C" | *" --project-dir") takes=one kind='directories' ;;
        *" --color") takes=one kind='words auto always never' ;;
        "find -s" | "find --show") takes=maybe kind='number' ;;
        "find --sp") takes=all kind='statepoint-keys' ;;
        "find --doc") takes=all kind='document-keys' ;;
        "find -p" | "find --pretty") takes=maybe kind='number' ;;
        "find --sort") takes=one kind='order-keys' ;;
        "find -L" | "find --limit") takes=one kind='number' ;;
        "find -f" | "find --filter") takes=all kind='filter' ;;
        "find -j" | "find --job-id") takes=all kind='ids' ;;
        "find --shard") takes=one kind='text' ;;
        "find --format") takes=one kind='text' ;;
        "statepoint -f" | "statepoint --filter") takes=all kind='filter' ;;
        "statepoint -j" | "statepoint --job-id") takes=all kind='ids' ;;
        "statepoint -p" | "statepoint --pretty") takes=maybe kind='number' ;;
        "statepoint -i" | "statepoint --indent") takes=maybe kind='number' ;;
        "statepoint --format") takes=one kind='text' ;;
        "document -f" | "document --filter") takes=all kind='filter' ;;
        "document -j" | "document --job-id") takes=all kind='ids' ;;
        "document --set") takes=one kind='assignments' ;;
        "document --unset") takes=one kind='document-keys' ;;
        "document -p" | "document --pretty") takes=maybe kind='number' ;;
        "document -i" | "document --indent") takes=maybe kind='number' ;;
        "document --format") takes=one kind='text' ;;
        "diff -f" | "diff --filter") takes=all kind='filter' ;;
        "diff -j" | "diff --job-id") takes=all kind='ids' ;;
        "diff -p" | "diff --pretty") takes=maybe kind='number' ;;
        "diff -i" | "diff --indent") takes=maybe kind='number' ;;
        "diff --format") takes=one kind='text' ;;
        "neighbors -f" | "neighbors --filter") takes=all kind='filter' ;;
        "neighbors -j" | "neighbors --job-id") takes=all kind='ids' ;;
        "neighbors --ignore") takes=all kind='statepoint-keys' ;;
        "schema -t" | "schema --depth") takes=one kind='number' ;;
        "schema -p" | "schema --precision") takes=one kind='number' ;;
        "schema -r" | "schema --max-num-range") takes=one kind='number' ;;
        "schema -f" | "schema --filter") takes=all kind='filter' ;;
        "schema -j" | "schema --job-id") takes=all kind='ids' ;;
        "view -p" | "view --prefix") takes=maybe kind='directories' ;;
        "view -f" | "view --filter") takes=all kind='filter' ;;
        "view -j" | "view --job-id") takes=all kind='ids' ;;
        "export -f" | "export --filter") takes=all kind='filter' ;;
        "export -j" | "export --job-id") takes=all kind='ids' ;;
        "rm -f" | "rm --filter") takes=all kind='filter' ;;
        "rm -j" | "rm --job-id") takes=all kind='ids' ;;
        "move -f" | "move --filter") takes=all kind='filter' ;;
        "move -j" | "move --job-id") takes=all kind='ids' ;;
        "clone -f" | "clone --filter") takes=all kind='filter' ;;
        "clone -j" | "clone --job-id") takes=all kind='ids' ;;
        "sync -x" | "sync --exclude") takes=maybe kind='text' ;;
        "sync -s" | "sync --strategy") takes=one kind='words always never update Ask ask' ;;
        "sync -k" | "sync --key") takes=one kind='text' ;;
        "sync --parallel") takes=maybe kind='number' ;;
        "sync -f" | "sync --filter") takes=all kind='filter' ;;
        "sync -j" | "sync --job-id") takes=all kind='ids' ;;
        "migrate -r" | "migrate --root-directory") takes=one kind='directories' ;;
        "shell -c" | "shell --command") takes=one kind='text' ;;
        "shell -f" | "shell --filter") takes=all kind='filter' ;;
        "shell -j" | "shell --job-id") takes=all kind='ids' ;;
        *) takes=nothing kind="" ;;
    esac
}

# Sets the kind of a positional argument of a command.
_signac_argument() {
    case "$1 $2" in
        "init 1") kind='directories' ;;
        "job 1") kind='text' ;;
        "find "*) kind='filter' ;;
        "statepoint "*) kind='ids' ;;
        "document "*) kind='ids' ;;
        "diff "*) kind='ids' ;;
        "neighbors "*) kind='ids' ;;
        "view 1") kind='text' ;;
        "export 1") kind='files' ;;
        "export 2") kind='text' ;;
        "import 1") kind='files' ;;
        "import 2") kind='text' ;;
        "rm "*) kind='ids' ;;
        "move 1") kind='directories' ;;
        "move "*) kind='ids' ;;
        "clone 1") kind='directories' ;;
        "clone "*) kind='ids' ;;
        "sync 1") kind='directories' ;;
        "sync 2") kind='directories' ;;
        "config set 1") kind='text' ;;
        "config set "*) kind='text' ;;
        "config show "*) kind='text' ;;
        "config unset 1") kind='text' ;;
        "shell 1") kind='files' ;;
        "shell "*) kind='files' ;;
        "completion 1") kind='words bash zsh fish' ;;
        *) kind="" ;;
    esac
}

# Whether a command has no options behind its first argument.
_signac_stops() {
    case "$1" in
        "config") return 0 ;;
        "shell") return 0 ;;
        *) return 1 ;;
    esac
}

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
