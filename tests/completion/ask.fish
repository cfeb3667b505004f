# ask.fish LINE...: what fish offers behind each line, each answer ended by a line {{end}}.

source $SCRIPT
for line in $argv
    complete -C $line | string replace -r '\t.*' ''
    echo '{{end}}'
end
