
# Bash cuts words at `=` and `:` where COMP_WORDBREAKS has them, as it does unless told otherwise.
# The function above is asked about whole words, and answers lose what stands before the cut.
_windtunnel() {
    local line=${COMP_LINE:0:COMP_POINT} cword=$COMP_CWORD at word rest whole=()
    for ((at = 0; at <= cword; at++)); do
        rest=${line#"${line%%[![:blank:]]*}"}
        word=${COMP_WORDS[at]}
        # The cursor may stand inside the last word.
        ((at == cword)) && word=$rest
        if ((at == 0)) || [[ $rest != "$line" || $at -eq $cword && -z $line ]]; then
            whole+=("$word")
        else
            whole[${#whole[@]} - 1]+=$word
        fi
        line=${rest#"$word"}
    done

    local COMP_CWORD=$((${#whole[@]} - 1))
    local typed=${whole[COMP_CWORD]} quote=
    case $typed in [\"\']*) quote=${typed:0:1} typed=${typed:1} ;; esac
    local -a COMP_WORDS=("${whole[@]}")
    _clap_complete_windtunnel "$1" "$typed" "$3"

    local cuts=${COMP_WORDBREAKS//[^=:]/}
    if [[ -z $quote && -n $cuts && $typed == *[$cuts]* ]]; then
        local cut=${typed%"${typed##*[$cuts]}"}
        COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    fi
}
complete -o nospace -o bashdefault -F _windtunnel windtunnel
