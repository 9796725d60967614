# complete.bash SCRIPT WORD... - what the completion script offers for the last of the words, a line each.
# As bash does, the = of --option=VALUE is a word.
source "$1"
shift
COMP_WORDS=()
for word in "$@"; do
    if [[ $word == --*=* ]]; then
        COMP_WORDS+=("${word%%=*}" "=")
        [ -z "${word#*=}" ] || COMP_WORDS+=("${word#*=}")
    else
        COMP_WORDS+=("$word")
    fi
done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_thorax
printf "%s\n" "${COMPREPLY[@]}" | sort
