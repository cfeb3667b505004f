# ask.zsh LINE...: what zsh offers behind each line, each answer ended by a line {{end}}.

zmodload zsh/zpty
zpty shell 'zsh -f -i'
zpty -w shell "source ${(q)CAPTURE}"
zpty -r shell output '*{{ready*' || exit 1
for line; do
    zpty -w -n shell "$line"$'\t'
    zpty -r shell output '*{{begin*{{end*' || exit 1
    output=${${output##*\{\{begin}%%\{\{end*}
    print -r -- "${output//$'\r'/}"$'\n{{end}}'
    zpty -w -n shell $'\C-u'
done
zpty -d shell
