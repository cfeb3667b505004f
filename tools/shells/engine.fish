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
