# Completion of signac for fish.
# Written by 'make generated' from the commands, and from tools/shells/engine.fish; not to be edited.

# Prints the commands of a group.
function __signac_commands
    switch "$argv"
        case ''
            printf '%s\t%s\n' 'init' 'Create a project.'
            printf '%s\t%s\n' 'job' 'Print the id or the path of a job, and create it.'
            printf '%s\t%s\n' 'find' 'Find jobs by their state points and documents.'
            printf '%s\t%s\n' 'statepoint' 'Print state points.'
            printf '%s\t%s\n' 'document' 'Print job documents, and change them.'
            printf '%s\t%s\n' 'diff' 'Print how the state points of jobs differ.'
            printf '%s\t%s\n' 'neighbors' 'Print the jobs next to a job along each parameter.'
            printf '%s\t%s\n' 'schema' 'Print the keys of the state points, with types and values.'
            printf '%s\t%s\n' 'view' 'Link to the jobs under readable names.'
            printf '%s\t%s\n' 'export' 'Copy jobs to a directory or archive under readable names.'
            printf '%s\t%s\n' 'import' 'Make jobs of the directories in a directory or an archive.'
            printf '%s\t%s\n' 'rm' 'Remove jobs, or clear them.'
            printf '%s\t%s\n' 'move' 'Move jobs into another project.'
            printf '%s\t%s\n' 'clone' 'Copy jobs into another project.'
            printf '%s\t%s\n' 'sync' 'Bring the jobs and documents of one project into another.'
            printf '%s\t%s\n' 'check' 'Find what is damaged, and repair it.'
            printf '%s\t%s\n' 'status' 'Show what is known of the project at a glance.'
            printf '%s\t%s\n' 'update-cache' 'Write the index and the cache file, for fast queries.'
            printf '%s\t%s\n' 'config' 'Show and change the configuration.'
            printf '%s\t%s\n' 'migrate' 'Give a project of an older layout the present one.'
            printf '%s\t%s\n' 'shell' 'Run Python with the project at hand.'
            printf '%s\t%s\n' 'completion' 'Print the completion script for a shell.'
        case 'config'
            printf '%s\t%s\n' 'set' 'Set a key.'
            printf '%s\t%s\n' 'show' 'Print a key, or everything.'
            printf '%s\t%s\n' 'unset' 'Delete a key or a section.'
            printf '%s\t%s\n' 'verify' 'Find mistakes.'
    end
end

# Prints the options of a command.
function __signac_options
    switch "$argv"
        case 'init'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'job'
            printf '%s\t%s\n' '-c' 'Create the job if it does not exist.'
            printf '%s\t%s\n' '--create' 'Create the job if it does not exist.'
            printf '%s\t%s\n' '-p' 'Print the path of the job directory instead of the id.'
            printf '%s\t%s\n' '--path' 'Print the path of the job directory instead of the id.'
            printf '%s\t%s\n' '-w' 'The same as --path.'
            printf '%s\t%s\n' '--workspace' 'The same as --path.'
            printf '%s\t%s\n' '--json' 'Print id, path, and whether the job was created, as JSON.'
            printf '%s\t%s\n' '--jsonl' 'Print such an object per line.'
            printf '%s\t%s\n' '-0' 'End each record with NUL instead of a newline.'
            printf '%s\t%s\n' '--null' 'End each record with NUL instead of a newline.'
        case 'find'
            printf '%s\t%s\n' '-s' 'Show state point and document (0 is off).'
            printf '%s\t%s\n' '--show' 'Show state point and document (0 is off).'
            printf '%s\t%s\n' '--sp' 'Show the state point, or these keys of it.'
            printf '%s\t%s\n' '--doc' 'Show the document, or these keys of it.'
            printf '%s\t%s\n' '-p' 'Show as Python data, DEPTH levels (3) deep.'
            printf '%s\t%s\n' '--pretty' 'Show as Python data, DEPTH levels (3) deep.'
            printf '%s\t%s\n' '-1' 'Show as JSON, each on one line.'
            printf '%s\t%s\n' '--one-line' 'Show as JSON, each on one line.'
            printf '%s\t%s\n' '--path' 'Print paths instead of ids; add them to records.'
            printf '%s\t%s\n' '--sort' 'Sort by id, sp.KEY, doc.KEY; -KEY: descending.'
            printf '%s\t%s\n' '--reverse' 'Reverse the order.'
            printf '%s\t%s\n' '-L' 'Print the first N jobs only.'
            printf '%s\t%s\n' '--limit' 'Print the first N jobs only.'
            printf '%s\t%s\n' '--count' 'Print how many jobs there are.'
            printf '%s\t%s\n' '-f' 'The same as FILTER.'
            printf '%s\t%s\n' '--filter' 'The same as FILTER.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--shard' 'Take part I (0 to N-1) of the jobs, always the same.'
            printf '%s\t%s\n' '-e' 'Exit with status 3 when nothing is found.'
            printf '%s\t%s\n' '--exit-status' 'Exit with status 3 when nothing is found.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print one JSON array.'
            printf '%s\t%s\n' '--jsonl' 'Print one JSON object per line.'
            printf '%s\t%s\n' '--format' 'Print lines such as \'{id} {sp.a} {doc.b:.3f}\'.'
            printf '%s\t%s\n' '--table' 'Print a table.'
            printf '%s\t%s\n' '--plain' 'Print the text of a pipe on a terminal, too.'
            printf '%s\t%s\n' '-0' 'End each record with NUL instead of a newline.'
            printf '%s\t%s\n' '--null' 'End each record with NUL instead of a newline.'
        case 'statepoint'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '-p' 'Print Python data, DEPTH (3) levels; 0 is off.'
            printf '%s\t%s\n' '--pretty' 'Print Python data, DEPTH (3) levels; 0 is off.'
            printf '%s\t%s\n' '-i' 'Print as JSON, indented by N (2) blanks.'
            printf '%s\t%s\n' '--indent' 'Print as JSON, indented by N (2) blanks.'
            printf '%s\t%s\n' '-s' 'Sort the keys.'
            printf '%s\t%s\n' '--sort' 'Sort the keys.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print one JSON array.'
            printf '%s\t%s\n' '--jsonl' 'Print one JSON object per line.'
            printf '%s\t%s\n' '--format' 'Print lines such as \'{id} {sp.a} {doc.b:.3f}\'.'
            printf '%s\t%s\n' '--table' 'Print a table.'
            printf '%s\t%s\n' '--plain' 'Print the text of a pipe on a terminal, too.'
            printf '%s\t%s\n' '-0' 'End each record with NUL instead of a newline.'
            printf '%s\t%s\n' '--null' 'End each record with NUL instead of a newline.'
        case 'document'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--set' 'Set a key to a number, string or JSON; repeatable.'
            printf '%s\t%s\n' '--unset' 'Delete a key; repeatable.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '-p' 'Print Python data, DEPTH (3) levels; 0 is off.'
            printf '%s\t%s\n' '--pretty' 'Print Python data, DEPTH (3) levels; 0 is off.'
            printf '%s\t%s\n' '-i' 'Print as JSON, indented by N (2) blanks.'
            printf '%s\t%s\n' '--indent' 'Print as JSON, indented by N (2) blanks.'
            printf '%s\t%s\n' '-s' 'Sort the keys.'
            printf '%s\t%s\n' '--sort' 'Sort the keys.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print one JSON array.'
            printf '%s\t%s\n' '--jsonl' 'Print one JSON object per line.'
            printf '%s\t%s\n' '--format' 'Print lines such as \'{id} {sp.a} {doc.b:.3f}\'.'
            printf '%s\t%s\n' '--table' 'Print a table.'
            printf '%s\t%s\n' '--plain' 'Print the text of a pipe on a terminal, too.'
            printf '%s\t%s\n' '-0' 'End each record with NUL instead of a newline.'
            printf '%s\t%s\n' '--null' 'End each record with NUL instead of a newline.'
        case 'diff'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '-p' 'Print Python data, DEPTH (3) levels; 0 is all.'
            printf '%s\t%s\n' '--pretty' 'Print Python data, DEPTH (3) levels; 0 is all.'
            printf '%s\t%s\n' '-i' 'Print as JSON, indented by N (2) blanks.'
            printf '%s\t%s\n' '--indent' 'Print as JSON, indented by N (2) blanks.'
            printf '%s\t%s\n' '-e' 'Exit with status 3 when there are differences.'
            printf '%s\t%s\n' '--exit-status' 'Exit with status 3 when there are differences.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print one JSON array.'
            printf '%s\t%s\n' '--jsonl' 'Print one JSON object per line.'
            printf '%s\t%s\n' '--format' 'Print lines such as \'{id} {sp.a} {doc.b:.3f}\'.'
            printf '%s\t%s\n' '--table' 'Print a table.'
            printf '%s\t%s\n' '--plain' 'Print the text of a pipe on a terminal, too.'
            printf '%s\t%s\n' '-0' 'End each record with NUL instead of a newline.'
            printf '%s\t%s\n' '--null' 'End each record with NUL instead of a newline.'
        case 'neighbors'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--ignore' 'Do not compare these keys of state points.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print one JSON array.'
            printf '%s\t%s\n' '--jsonl' 'Print one JSON object per line.'
        case 'schema'
            printf '%s\t%s\n' '-x' 'Leave out keys with one value in all selected jobs.'
            printf '%s\t%s\n' '--exclude-const' 'Leave out keys with one value in all selected jobs.'
            printf '%s\t%s\n' '-t' 'Print nested Python data, N levels; 0 is flat.'
            printf '%s\t%s\n' '--depth' 'Print nested Python data, N levels; 0 is flat.'
            printf '%s\t%s\n' '-p' 'Round the numbers that are shown to N decimals.'
            printf '%s\t%s\n' '--precision' 'Round the numbers that are shown to N decimals.'
            printf '%s\t%s\n' '-r' 'Of more than N (5) values show first and last.'
            printf '%s\t%s\n' '--max-num-range' 'Of more than N (5) values show first and last.'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print one JSON object, with all values.'
            printf '%s\t%s\n' '--table' 'Print a table.'
            printf '%s\t%s\n' '--plain' 'Print the text of a pipe on a terminal, too.'
        case 'view'
            printf '%s\t%s\n' '-p' 'The directory of the view (\'view\').'
            printf '%s\t%s\n' '--prefix' 'The directory of the view (\'view\').'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'export'
            printf '%s\t%s\n' '--move' 'Move the jobs, to a directory.'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--force' 'Replace an archive that exists.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'import'
            printf '%s\t%s\n' '--move' 'Move the directories.'
            printf '%s\t%s\n' '--sync' 'Synchronize with jobs that exist already.'
            printf '%s\t%s\n' '--sync-interactive' 'Synchronize by Python code that is typed.'
            printf '%s\t%s\n' '--skip-existing' 'Leave out jobs that exist already.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'rm'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '-c' 'Keep the jobs; delete their files and empty their documents.'
            printf '%s\t%s\n' '--clear' 'Keep the jobs; delete their files and empty their documents.'
            printf '%s\t%s\n' '-i' 'Ask before each job.'
            printf '%s\t%s\n' '--interactive' 'Ask before each job.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'move'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '-e' 'Exit with status 3 if a job is present there already.'
            printf '%s\t%s\n' '--exit-status' 'Exit with status 3 if a job is present there already.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'clone'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '-e' 'Exit with status 3 if a job is present there already.'
            printf '%s\t%s\n' '--exit-status' 'Exit with status 3 if a job is present there already.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'sync'
            printf '%s\t%s\n' '-a' 'The same as -rltpog.'
            printf '%s\t%s\n' '--archive' 'The same as -rltpog.'
            printf '%s\t%s\n' '-r' 'Go into sub-directories.'
            printf '%s\t%s\n' '--recursive' 'Go into sub-directories.'
            printf '%s\t%s\n' '-l' 'Copy links as links.'
            printf '%s\t%s\n' '--links' 'Copy links as links.'
            printf '%s\t%s\n' '-p' 'Preserve permissions.'
            printf '%s\t%s\n' '--perms' 'Preserve permissions.'
            printf '%s\t%s\n' '-o' 'Preserve the owner.'
            printf '%s\t%s\n' '--owner' 'Preserve the owner.'
            printf '%s\t%s\n' '-g' 'Preserve the group.'
            printf '%s\t%s\n' '--group' 'Preserve the group.'
            printf '%s\t%s\n' '-t' 'Preserve modification times; needs -p.'
            printf '%s\t%s\n' '--times' 'Preserve modification times; needs -p.'
            printf '%s\t%s\n' '-x' 'Leave out files of such names (all); repeatable.'
            printf '%s\t%s\n' '--exclude' 'Leave out files of such names (all); repeatable.'
            printf '%s\t%s\n' '-I' 'Compare the content of files.'
            printf '%s\t%s\n' '--ignore-times' 'Compare the content of files.'
            printf '%s\t%s\n' '--size-only' 'Take files of equal size for equal.'
            printf '%s\t%s\n' '--round-times' 'Compare times in whole seconds.'
            printf '%s\t%s\n' '-u' 'The same as -s update.'
            printf '%s\t%s\n' '--update' 'The same as -s update.'
            printf '%s\t%s\n' '-s' 'Overwrite files: always, never, update, ask.'
            printf '%s\t%s\n' '--strategy' 'Overwrite files: always, never, update, ask.'
            printf '%s\t%s\n' '-k' 'Overwrite such keys of documents; repeatable.'
            printf '%s\t%s\n' '--key' 'Overwrite such keys of documents; repeatable.'
            printf '%s\t%s\n' '--all-keys' 'Overwrite all keys that differ.'
            printf '%s\t%s\n' '--no-keys' 'Overwrite no keys.'
            printf '%s\t%s\n' '-m' 'Do not compare the schemas.'
            printf '%s\t%s\n' '--merge' 'Do not compare the schemas.'
            printf '%s\t%s\n' '--force' 'Do not compare the schemas.'
            printf '%s\t%s\n' '--parallel' 'Use N threads (as many as there are processors).'
            printf '%s\t%s\n' '--stats' 'Print how much was copied.'
            printf '%s\t%s\n' '-H' 'Print volumes with units.'
            printf '%s\t%s\n' '--human-readable' 'Print volumes with units.'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'check'
            printf '%s\t%s\n' '--repair' 'Repair what can be repaired without losing data.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'status'
            printf '%s\t%s\n' '--json' 'Print one JSON object.'
        case 'update-cache'
            printf '%s\t%s\n' '--check' 'Write nothing; the exit status is 3 unless all is up to date.'
            printf '%s\t%s\n' '--clear' 'Delete what has been written down.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'config'
            printf '%s\t%s\n' '-g' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '--global' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '-l' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '--local' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '-f' 'Let \'set\' and \'unset\' change the schema version of a project.'
            printf '%s\t%s\n' '--force' 'Let \'set\' and \'unset\' change the schema version of a project.'
        case 'config set'
            printf '%s\t%s\n' '-g' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '--global' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '-l' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '--local' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '-f' 'Let \'set\' and \'unset\' change the schema version of a project.'
            printf '%s\t%s\n' '--force' 'Let \'set\' and \'unset\' change the schema version of a project.'
            printf '%s\t%s\n' '--json' 'Print one JSON document.'
        case 'config show'
            printf '%s\t%s\n' '-g' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '--global' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '-l' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '--local' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '-f' 'Let \'set\' and \'unset\' change the schema version of a project.'
            printf '%s\t%s\n' '--force' 'Let \'set\' and \'unset\' change the schema version of a project.'
            printf '%s\t%s\n' '--json' 'Print one JSON document.'
        case 'config unset'
            printf '%s\t%s\n' '-g' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '--global' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '-l' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '--local' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '-f' 'Let \'set\' and \'unset\' change the schema version of a project.'
            printf '%s\t%s\n' '--force' 'Let \'set\' and \'unset\' change the schema version of a project.'
            printf '%s\t%s\n' '--json' 'Print one JSON document.'
        case 'config verify'
            printf '%s\t%s\n' '-g' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '--global' 'The configuration of the user, ~/.signacrc.'
            printf '%s\t%s\n' '-l' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '--local' 'The configuration of the project, .signac/config.'
            printf '%s\t%s\n' '-f' 'Let \'set\' and \'unset\' change the schema version of a project.'
            printf '%s\t%s\n' '--force' 'Let \'set\' and \'unset\' change the schema version of a project.'
            printf '%s\t%s\n' '--json' 'Print one JSON document.'
        case 'migrate'
            printf '%s\t%s\n' '-r' 'The directory of the project; the current one by default.'
            printf '%s\t%s\n' '--root-directory' 'The directory of the project; the current one by default.'
            printf '%s\t%s\n' '-n' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--dry-run' 'Say what would be done, and change nothing.'
            printf '%s\t%s\n' '--json' 'Print a report as one JSON object.'
        case 'shell'
            printf '%s\t%s\n' '-c' 'Run CODE.'
            printf '%s\t%s\n' '--command' 'Run CODE.'
            printf '%s\t%s\n' '-f' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '--filter' 'Select the jobs that match a filter.'
            printf '%s\t%s\n' '-j' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--job-id' 'Select jobs by id; \'-\' reads standard input.'
            printf '%s\t%s\n' '--allow-eval' 'Let $where in a filter run Python code.'
    end
    printf '%s\t%s\n' '-C' 'Act as if started in DIR [SIGNAC_PROJECT_DIR].'
    printf '%s\t%s\n' '--project-dir' 'Act as if started in DIR [SIGNAC_PROJECT_DIR].'
    printf '%s\t%s\n' '-v' 'Tell more; may be repeated [SIGNAC_LOG].'
    printf '%s\t%s\n' '--verbose' 'Tell more; may be repeated [SIGNAC_LOG].'
    printf '%s\t%s\n' '--verbosity' 'Tell more; may be repeated [SIGNAC_LOG].'
    printf '%s\t%s\n' '-q' 'Tell nothing but results and errors.'
    printf '%s\t%s\n' '--quiet' 'Tell nothing but results and errors.'
    printf '%s\t%s\n' '--debug' 'Show a traceback after an error.'
    printf '%s\t%s\n' '-y' 'Answer every question with yes [SIGNAC_YES].'
    printf '%s\t%s\n' '--yes' 'Answer every question with yes [SIGNAC_YES].'
    printf '%s\t%s\n' '--color' 'Use colours: auto, always, never [SIGNAC_COLOR].'
    printf '%s\t%s\n' '--no-progress' 'Draw no progress bars [SIGNAC_NO_PROGRESS].'
    printf '%s\t%s\n' '-V' 'Show the version and exit.'
    printf '%s\t%s\n' '--version' 'Show the version and exit.'
    printf '%s\t%s\n' '-h' 'Show this help and exit.'
    printf '%s\t%s\n' '--help' 'Show this help and exit.'
end

# Prints how many values an option of a command takes, and their kind.
function __signac_option
    switch "$argv"
        case '* -C' '* --project-dir'
            echo one
            echo 'directories'
        case '* --color'
            echo one
            echo 'words auto always never'
        case 'find -s' 'find --show'
            echo maybe
            echo 'number'
        case 'find --sp'
            echo all
            echo 'statepoint-keys'
        case 'find --doc'
            echo all
            echo 'document-keys'
        case 'find -p' 'find --pretty'
            echo maybe
            echo 'number'
        case 'find --sort'
            echo one
            echo 'order-keys'
        case 'find -L' 'find --limit'
            echo one
            echo 'number'
        case 'find -f' 'find --filter'
            echo all
            echo 'filter'
        case 'find -j' 'find --job-id'
            echo all
            echo 'ids'
        case 'find --shard'
            echo one
            echo 'text'
        case 'find --format'
            echo one
            echo 'text'
        case 'statepoint -f' 'statepoint --filter'
            echo all
            echo 'filter'
        case 'statepoint -j' 'statepoint --job-id'
            echo all
            echo 'ids'
        case 'statepoint -p' 'statepoint --pretty'
            echo maybe
            echo 'number'
        case 'statepoint -i' 'statepoint --indent'
            echo maybe
            echo 'number'
        case 'statepoint --format'
            echo one
            echo 'text'
        case 'document -f' 'document --filter'
            echo all
            echo 'filter'
        case 'document -j' 'document --job-id'
            echo all
            echo 'ids'
        case 'document --set'
            echo one
            echo 'assignments'
        case 'document --unset'
            echo one
            echo 'document-keys'
        case 'document -p' 'document --pretty'
            echo maybe
            echo 'number'
        case 'document -i' 'document --indent'
            echo maybe
            echo 'number'
        case 'document --format'
            echo one
            echo 'text'
        case 'diff -f' 'diff --filter'
            echo all
            echo 'filter'
        case 'diff -j' 'diff --job-id'
            echo all
            echo 'ids'
        case 'diff -p' 'diff --pretty'
            echo maybe
            echo 'number'
        case 'diff -i' 'diff --indent'
            echo maybe
            echo 'number'
        case 'diff --format'
            echo one
            echo 'text'
        case 'neighbors -f' 'neighbors --filter'
            echo all
            echo 'filter'
        case 'neighbors -j' 'neighbors --job-id'
            echo all
            echo 'ids'
        case 'neighbors --ignore'
            echo all
            echo 'statepoint-keys'
        case 'schema -t' 'schema --depth'
            echo one
            echo 'number'
        case 'schema -p' 'schema --precision'
            echo one
            echo 'number'
        case 'schema -r' 'schema --max-num-range'
            echo one
            echo 'number'
        case 'schema -f' 'schema --filter'
            echo all
            echo 'filter'
        case 'schema -j' 'schema --job-id'
            echo all
            echo 'ids'
        case 'view -p' 'view --prefix'
            echo maybe
            echo 'directories'
        case 'view -f' 'view --filter'
            echo all
            echo 'filter'
        case 'view -j' 'view --job-id'
            echo all
            echo 'ids'
        case 'export -f' 'export --filter'
            echo all
            echo 'filter'
        case 'export -j' 'export --job-id'
            echo all
            echo 'ids'
        case 'rm -f' 'rm --filter'
            echo all
            echo 'filter'
        case 'rm -j' 'rm --job-id'
            echo all
            echo 'ids'
        case 'move -f' 'move --filter'
            echo all
            echo 'filter'
        case 'move -j' 'move --job-id'
            echo all
            echo 'ids'
        case 'clone -f' 'clone --filter'
            echo all
            echo 'filter'
        case 'clone -j' 'clone --job-id'
            echo all
            echo 'ids'
        case 'sync -x' 'sync --exclude'
            echo maybe
            echo 'text'
        case 'sync -s' 'sync --strategy'
            echo one
            echo 'words always never update Ask ask'
        case 'sync -k' 'sync --key'
            echo one
            echo 'text'
        case 'sync --parallel'
            echo maybe
            echo 'number'
        case 'sync -f' 'sync --filter'
            echo all
            echo 'filter'
        case 'sync -j' 'sync --job-id'
            echo all
            echo 'ids'
        case 'migrate -r' 'migrate --root-directory'
            echo one
            echo 'directories'
        case 'shell -c' 'shell --command'
            echo one
            echo 'text'
        case 'shell -f' 'shell --filter'
            echo all
            echo 'filter'
        case 'shell -j' 'shell --job-id'
            echo all
            echo 'ids'
        case '*'
            echo nothing
            echo
    end
end

# Prints the kind of a positional argument of a command.
function __signac_argument
    switch "$argv"
        case 'init 1'
            echo 'directories'
        case 'job 1'
            echo 'text'
        case 'find *'
            echo 'filter'
        case 'statepoint *'
            echo 'ids'
        case 'document *'
            echo 'ids'
        case 'diff *'
            echo 'ids'
        case 'neighbors *'
            echo 'ids'
        case 'view 1'
            echo 'text'
        case 'export 1'
            echo 'files'
        case 'export 2'
            echo 'text'
        case 'import 1'
            echo 'files'
        case 'import 2'
            echo 'text'
        case 'rm *'
            echo 'ids'
        case 'move 1'
            echo 'directories'
        case 'move *'
            echo 'ids'
        case 'clone 1'
            echo 'directories'
        case 'clone *'
            echo 'ids'
        case 'sync 1'
            echo 'directories'
        case 'sync 2'
            echo 'directories'
        case 'config set 1'
            echo 'text'
        case 'config set *'
            echo 'text'
        case 'config show *'
            echo 'text'
        case 'config unset 1'
            echo 'text'
        case 'shell 1'
            echo 'files'
        case 'shell *'
            echo 'files'
        case 'completion 1'
            echo 'words bash zsh fish'
    end
end

# Whether a command has no options behind its first argument.
function __signac_stops
    switch "$argv"
        case 'config'
            return 0
        case 'shell'
            return 0
        case '*'
            return 1
    end
end

function __signac_is_option --no-scope-shadowing
    test -z "$ended"
    and string match -qr -- '^-.' "$argv[1]"
    and not string match -qr -- '^-([.2-9]|[01].)' "$argv[1]"
end

# Prints what there is of a kind.
function __signac_offer --no-scope-shadowing
    switch "$kind"
        case 'words *'
            string split ' ' -- $kind | tail -n +2
        case directories
            __fish_complete_directories "$current" ''
        case files
            __fish_complete_path "$current"
        case '' text number
            return
        case '*'
            if test "$kind" = ids; and string match -q -- '*/*' "$current"
                __fish_complete_directories "$current" ''
                return
            end
            if test "$kind" = filter; and test -n "$quote"
                set kind conditions
            end
            command $words[1] __complete $kind $directories -- $tokens "$current" 2>/dev/null </dev/null
    end
end

function __signac
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l quote (string match -r -- '^[\'"]|(?<==)[\'"]' "$current")
    set current (string replace -ra -- '[\'"]|\\\\(?=.)' '' "$current")
    set -l command
    set -l option
    set -l takes nothing
    set -l kind
    set -l ended
    set -l directories
    set -l tokens
    set -l arguments
    set -l answer
    for word in $words[2..-1]
        if test $takes = one
            set takes nothing
            if contains -- $option -C --project-dir
                set -a directories $word
            end
        else if test -z "$ended"; and test "$word" = --
            set ended 1
            set takes nothing
        else if __signac_is_option "$word"
            set takes nothing
            set tokens
            switch $word
                case '--project-dir=*'
                    set -a directories (string replace -- --project-dir= '' $word)
                case '--*=*'
                case '--*'
                    set option $word
                    set answer (__signac_option "$command $option")
                    set takes $answer[1]
                    set kind $answer[2]
                case '*'
                    # Flags may be joined, and the last option may have its value attached.
                    set -l letters (string sub -s 2 -- $word)
                    while test $takes = nothing; and test -n "$letters"
                        set option -(string sub -l 1 -- $letters)
                        set letters (string sub -s 2 -- $letters)
                        set answer (__signac_option "$command $option")
                        set takes $answer[1]
                        set kind $answer[2]
                    end
                    if test $takes != nothing; and test -n "$letters"
                        set takes nothing
                        if test $option = -C
                            set -a directories $letters
                        end
                    end
            end
        else if test $takes = all
            set -a tokens $word
        else if test $takes = maybe; and begin
                test "$kind" != number
                or string match -qr -- '^[-+]?[0-9]+$' "$word"
            end
            set takes nothing
        else
            set takes nothing
            if contains -- "$word" (__signac_commands $command | string replace -r '\t.*' '')
                set command (string join ' ' -- $command $word)
            else
                set -a arguments $word
                if __signac_stops "$command"
                    set ended 1
                end
            end
        end
    end

    if test $takes = one
        __signac_offer
    else if test -z "$ended"; and string match -q -- '--*=*' "$current"
        set -l parts (string split -m 1 = -- $current)
        set answer (__signac_option "$command $parts[1]")
        set kind $answer[2]
        set current $parts[2]
        set tokens
        __signac_offer | string replace -r -- '^' "$parts[1]="
    else if __signac_is_option "$current-"; and string match -q -- '-*' "$current"
        __signac_options "$command"
    else if test $takes = all; or begin
            test $takes = maybe
            and test "$kind" != number
        end
        __signac_offer
    else
        set -l below (__signac_commands "$command")
        if test -n "$below"
            printf '%s\n' $below
        else
            set kind (__signac_argument "$command "(math (count $arguments) + 1))
            set tokens
            if test "$kind" = filter
                set tokens $arguments
            end
            __signac_offer
        end
    end
end

complete -c signac -f -k -a '(__signac)'
complete -c signac-cli -f -k -a '(__signac)'
