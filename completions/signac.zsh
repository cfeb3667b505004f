#compdef signac signac-cli
# Written by 'make generated' from the commands, and from tools/shells/engine.zsh; not to be edited.

# Sets the names of the commands of a group.
_signac_commands() {
    case "$1" in
        "")
        names=(
            'init:Create a project.'
            'job:Print the id or the path of a job, and create it.'
            'find:Find jobs by their state points and documents.'
            'statepoint:Print state points.'
            'document:Print job documents, and change them.'
            'diff:Print how the state points of jobs differ.'
            'neighbors:Print the jobs next to a job along each parameter.'
            'schema:Print the keys of the state points, with types and values.'
            'view:Link to the jobs under readable names.'
            'export:Copy jobs to a directory or archive under readable names.'
            'import:Make jobs of the directories in a directory or an archive.'
            'rm:Remove jobs, or clear them.'
            'move:Move jobs into another project.'
            'clone:Copy jobs into another project.'
            'sync:Bring the jobs and documents of one project into another.'
            'check:Find what is damaged, and repair it.'
            'status:Show what is known of the project at a glance.'
            'update-cache:Write the index and the cache file, for fast queries.'
            'config:Show and change the configuration.'
            'migrate:Give a project of an older layout the present one.'
            'shell:Run Python with the project at hand.'
            'completion:Print the completion script for a shell.'
        )
        ;;
        "config")
        names=(
            'set:Set a key.'
            'show:Print a key, or everything.'
            'unset:Delete a key or a section.'
            'verify:Find mistakes.'
        )
        ;;
        *) names=() ;;
    esac
}

# Sets the names of the options of a command.
_signac_options() {
    case "$1" in
        "init")
        names=(
            '--json:Print a report as one JSON object.'
        )
        ;;
        "job")
        names=(
            '-c:Create the job if it does not exist.'
            '--create:Create the job if it does not exist.'
            '-p:Print the path of the job directory instead of the id.'
            '--path:Print the path of the job directory instead of the id.'
            '-w:The same as --path.'
            '--workspace:The same as --path.'
            '--json:Print id, path, and whether the job was created, as JSON.'
            '--jsonl:Print such an object per line.'
            '-0:End each record with NUL instead of a newline.'
            '--null:End each record with NUL instead of a newline.'
        )
        ;;
        "find")
        names=(
            '-s:Show state point and document (0 is off).'
            '--show:Show state point and document (0 is off).'
            '--sp:Show the state point, or these keys of it.'
            '--doc:Show the document, or these keys of it.'
            '-p:Show as Python data, DEPTH levels (3) deep.'
            '--pretty:Show as Python data, DEPTH levels (3) deep.'
            '-1:Show as JSON, each on one line.'
            '--one-line:Show as JSON, each on one line.'
            '--path:Print paths instead of ids; add them to records.'
            '--sort:Sort by id, sp.KEY, doc.KEY; -KEY: descending.'
            '--reverse:Reverse the order.'
            '-L:Print the first N jobs only.'
            '--limit:Print the first N jobs only.'
            '--count:Print how many jobs there are.'
            '-f:The same as FILTER.'
            '--filter:The same as FILTER.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '--shard:Take part I (0 to N-1) of the jobs, always the same.'
            '-e:Exit with status 3 when nothing is found.'
            '--exit-status:Exit with status 3 when nothing is found.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print one JSON array.'
            '--jsonl:Print one JSON object per line.'
            '--format:Print lines such as '\''{id} {sp.a} {doc.b:.3f}'\''.'
            '--table:Print a table.'
            '--plain:Print the text of a pipe on a terminal, too.'
            '-0:End each record with NUL instead of a newline.'
            '--null:End each record with NUL instead of a newline.'
        )
        ;;
        "statepoint")
        names=(
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '-p:Print Python data, DEPTH (3) levels; 0 is off.'
            '--pretty:Print Python data, DEPTH (3) levels; 0 is off.'
            '-i:Print as JSON, indented by N (2) blanks.'
            '--indent:Print as JSON, indented by N (2) blanks.'
            '-s:Sort the keys.'
            '--sort:Sort the keys.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print one JSON array.'
            '--jsonl:Print one JSON object per line.'
            '--format:Print lines such as '\''{id} {sp.a} {doc.b:.3f}'\''.'
            '--table:Print a table.'
            '--plain:Print the text of a pipe on a terminal, too.'
            '-0:End each record with NUL instead of a newline.'
            '--null:End each record with NUL instead of a newline.'
        )
        ;;
        "document")
        names=(
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '--set:Set a key to a number, string or JSON; repeatable.'
            '--unset:Delete a key; repeatable.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '-p:Print Python data, DEPTH (3) levels; 0 is off.'
            '--pretty:Print Python data, DEPTH (3) levels; 0 is off.'
            '-i:Print as JSON, indented by N (2) blanks.'
            '--indent:Print as JSON, indented by N (2) blanks.'
            '-s:Sort the keys.'
            '--sort:Sort the keys.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print one JSON array.'
            '--jsonl:Print one JSON object per line.'
            '--format:Print lines such as '\''{id} {sp.a} {doc.b:.3f}'\''.'
            '--table:Print a table.'
            '--plain:Print the text of a pipe on a terminal, too.'
            '-0:End each record with NUL instead of a newline.'
            '--null:End each record with NUL instead of a newline.'
        )
        ;;
        "diff")
        names=(
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '-p:Print Python data, DEPTH (3) levels; 0 is all.'
            '--pretty:Print Python data, DEPTH (3) levels; 0 is all.'
            '-i:Print as JSON, indented by N (2) blanks.'
            '--indent:Print as JSON, indented by N (2) blanks.'
            '-e:Exit with status 3 when there are differences.'
            '--exit-status:Exit with status 3 when there are differences.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print one JSON array.'
            '--jsonl:Print one JSON object per line.'
            '--format:Print lines such as '\''{id} {sp.a} {doc.b:.3f}'\''.'
            '--table:Print a table.'
            '--plain:Print the text of a pipe on a terminal, too.'
            '-0:End each record with NUL instead of a newline.'
            '--null:End each record with NUL instead of a newline.'
        )
        ;;
        "neighbors")
        names=(
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '--ignore:Do not compare these keys of state points.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print one JSON array.'
            '--jsonl:Print one JSON object per line.'
        )
        ;;
        "schema")
        names=(
            '-x:Leave out keys with one value in all selected jobs.'
            '--exclude-const:Leave out keys with one value in all selected jobs.'
            '-t:Print nested Python data, N levels; 0 is flat.'
            '--depth:Print nested Python data, N levels; 0 is flat.'
            '-p:Round the numbers that are shown to N decimals.'
            '--precision:Round the numbers that are shown to N decimals.'
            '-r:Of more than N (5) values show first and last.'
            '--max-num-range:Of more than N (5) values show first and last.'
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print one JSON object, with all values.'
            '--table:Print a table.'
            '--plain:Print the text of a pipe on a terminal, too.'
        )
        ;;
        "view")
        names=(
            '-p:The directory of the view ('\''view'\'').'
            '--prefix:The directory of the view ('\''view'\'').'
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "export")
        names=(
            '--move:Move the jobs, to a directory.'
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '--force:Replace an archive that exists.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "import")
        names=(
            '--move:Move the directories.'
            '--sync:Synchronize with jobs that exist already.'
            '--sync-interactive:Synchronize by Python code that is typed.'
            '--skip-existing:Leave out jobs that exist already.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "rm")
        names=(
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '-c:Keep the jobs; delete their files and empty their documents.'
            '--clear:Keep the jobs; delete their files and empty their documents.'
            '-i:Ask before each job.'
            '--interactive:Ask before each job.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "move")
        names=(
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '-e:Exit with status 3 if a job is present there already.'
            '--exit-status:Exit with status 3 if a job is present there already.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "clone")
        names=(
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '-e:Exit with status 3 if a job is present there already.'
            '--exit-status:Exit with status 3 if a job is present there already.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "sync")
        names=(
            '-a:The same as -rltpog.'
            '--archive:The same as -rltpog.'
            '-r:Go into sub-directories.'
            '--recursive:Go into sub-directories.'
            '-l:Copy links as links.'
            '--links:Copy links as links.'
            '-p:Preserve permissions.'
            '--perms:Preserve permissions.'
            '-o:Preserve the owner.'
            '--owner:Preserve the owner.'
            '-g:Preserve the group.'
            '--group:Preserve the group.'
            '-t:Preserve modification times; needs -p.'
            '--times:Preserve modification times; needs -p.'
            '-x:Leave out files of such names (all); repeatable.'
            '--exclude:Leave out files of such names (all); repeatable.'
            '-I:Compare the content of files.'
            '--ignore-times:Compare the content of files.'
            '--size-only:Take files of equal size for equal.'
            '--round-times:Compare times in whole seconds.'
            '-u:The same as -s update.'
            '--update:The same as -s update.'
            '-s:Overwrite files: always, never, update, ask.'
            '--strategy:Overwrite files: always, never, update, ask.'
            '-k:Overwrite such keys of documents; repeatable.'
            '--key:Overwrite such keys of documents; repeatable.'
            '--all-keys:Overwrite all keys that differ.'
            '--no-keys:Overwrite no keys.'
            '-m:Do not compare the schemas.'
            '--merge:Do not compare the schemas.'
            '--force:Do not compare the schemas.'
            '--parallel:Use N threads (as many as there are processors).'
            '--stats:Print how much was copied.'
            '-H:Print volumes with units.'
            '--human-readable:Print volumes with units.'
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '--allow-eval:Let $where in a filter run Python code.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "check")
        names=(
            '--repair:Repair what can be repaired without losing data.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "status")
        names=(
            '--json:Print one JSON object.'
        )
        ;;
        "update-cache")
        names=(
            '--check:Write nothing; the exit status is 3 unless all is up to date.'
            '--clear:Delete what has been written down.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "config")
        names=(
            '-g:The configuration of the user, ~/.signacrc.'
            '--global:The configuration of the user, ~/.signacrc.'
            '-l:The configuration of the project, .signac/config.'
            '--local:The configuration of the project, .signac/config.'
            '-f:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
            '--force:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
        )
        ;;
        "config set")
        names=(
            '-g:The configuration of the user, ~/.signacrc.'
            '--global:The configuration of the user, ~/.signacrc.'
            '-l:The configuration of the project, .signac/config.'
            '--local:The configuration of the project, .signac/config.'
            '-f:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
            '--force:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
            '--json:Print one JSON document.'
        )
        ;;
        "config show")
        names=(
            '-g:The configuration of the user, ~/.signacrc.'
            '--global:The configuration of the user, ~/.signacrc.'
            '-l:The configuration of the project, .signac/config.'
            '--local:The configuration of the project, .signac/config.'
            '-f:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
            '--force:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
            '--json:Print one JSON document.'
        )
        ;;
        "config unset")
        names=(
            '-g:The configuration of the user, ~/.signacrc.'
            '--global:The configuration of the user, ~/.signacrc.'
            '-l:The configuration of the project, .signac/config.'
            '--local:The configuration of the project, .signac/config.'
            '-f:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
            '--force:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
            '--json:Print one JSON document.'
        )
        ;;
        "config verify")
        names=(
            '-g:The configuration of the user, ~/.signacrc.'
            '--global:The configuration of the user, ~/.signacrc.'
            '-l:The configuration of the project, .signac/config.'
            '--local:The configuration of the project, .signac/config.'
            '-f:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
            '--force:Let '\''set'\'' and '\''unset'\'' change the schema version of a project.'
            '--json:Print one JSON document.'
        )
        ;;
        "migrate")
        names=(
            '-r:The directory of the project; the current one by default.'
            '--root-directory:The directory of the project; the current one by default.'
            '-n:Say what would be done, and change nothing.'
            '--dry-run:Say what would be done, and change nothing.'
            '--json:Print a report as one JSON object.'
        )
        ;;
        "shell")
        names=(
            '-c:Run CODE.'
            '--command:Run CODE.'
            '-f:Select the jobs that match a filter.'
            '--filter:Select the jobs that match a filter.'
            '-j:Select jobs by id; '\''-'\'' reads standard input.'
            '--job-id:Select jobs by id; '\''-'\'' reads standard input.'
            '--allow-eval:Let $where in a filter run Python code.'
        )
        ;;
        "completion")
        names=(
        )
        ;;
        *) names=() ;;
    esac
    names+=(
            '-C:Act as if started in DIR [SIGNAC_PROJECT_DIR].'
            '--project-dir:Act as if started in DIR [SIGNAC_PROJECT_DIR].'
            '-v:Tell more; may be repeated [SIGNAC_LOG].'
            '--verbose:Tell more; may be repeated [SIGNAC_LOG].'
            '--verbosity:Tell more; may be repeated [SIGNAC_LOG].'
            '-q:Tell nothing but results and errors.'
            '--quiet:Tell nothing but results and errors.'
            '--debug:Show a traceback after an error.'
            '-y:Answer every question with yes [SIGNAC_YES].'
            '--yes:Answer every question with yes [SIGNAC_YES].'
            '--color:Use colours: auto, always, never [SIGNAC_COLOR].'
            '--no-progress:Draw no progress bars [SIGNAC_NO_PROGRESS].'
            '-V:Show the version and exit.'
            '--version:Show the version and exit.'
            '-h:Show this help and exit.'
            '--help:Show this help and exit.'
    )
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
