#!/bin/bash
# docs_page.sh PAGE.md...: holds pages of documentation against the program.
#
# What is looked at, block by block (``` to ```):
#   - a block with lines `$ COMMAND` shows commands and what they print, stdout and stderr together. Each is
#     run and has to print the lines beneath it, and to exit 0 or 1. A line that begins with ... stands for
#     any number of lines.
#   - a block of lines `./orrery ...` is a list of commands, each perhaps followed by three spaces and a
#     remark. Each has to exit 0 or 1.
#   - a block of ```yaml is a whole scenario and has to pass `orrery check`.
#   - other blocks are only text.
# A comment on the line above the block, `<!-- docs: WORD, WORD -->`, says more:
#   file NAME          the block is written to NAME, where the later commands of the page find it
#   part of SCENARIO   the YAML is a fragment: laid over SCENARIO (overlay.awk) it has to pass
#   exit N             the commands exit N
#   needs FILE         skipped where FILE, or a program of that name, is absent
#   long               skipped unless ORRERY_LONG=1 is in the environment
#   not run            text only, although it looks like one of the above
# Links to files and headings have to lead somewhere.
#
# Commands run in a folder that looks like the root of the repository; tables of measured rows,
# which are not shipped, lie in it by their names where ../shared has them. With
# ORRERY_UPDATE_GOLDEN=1 (tests/run --update) the output shown is rewritten (renew.awk).
[ $# -gt 0 ] || exit 77
pages=("$@")
tools=$(cd "$(dirname "$0")" && pwd)
. "$tools/../support/cli.sh"

# Copies, no links: a command may write to any name, and root writes to files that are read-only.
mkdir tree && printf '#!/bin/sh\nexec "%s" "$@"\n' "$ORRERY" >tree/orrery && chmod +x tree/orrery
cp -r "$ROOT"/{README.md,docs,models,topology,kernels,strategies,scenarios} tree/
# Scenarios of failures read traces in ../shared by that path.
[ ! -d "$ROOT/../shared/failures" ] || { mkdir shared && cp -r --no-preserve=mode "$ROOT/../shared/failures" shared/; }
for table in "$ROOT"/../shared/published/*.json; do
    [ ! -e "$table" ] || cp --no-preserve=mode "$table" tree/
done

# told WORD: prints what follows WORD in the comment above the block; status 1 where it is not there.
told() {
    [[ ", $directive," =~ ,\ "$1"([^,]*), ]] && echo "${BASH_REMATCH[1]# }"
}

is_skipped() {
    local file
    if file=$(told needs) && [ ! -e "tree/$file" ] && ! command -v "$file" >needed; then
        echo "$page:$line: skipped, no $file"
    elif told long >/dev/null && [ "${ORRERY_LONG:-0}" != 1 ]; then
        echo "$page:$line: skipped, ORRERY_LONG=1 would run it"
    else
        told 'not run' >/dev/null
    fi
}

# run_command COMMAND: what it prints becomes the file printed.
run_command() {
    local status want
    (cd tree && PATH=$PWD:$PATH exec timeout 300 bash -c "$1") >printed 2>&1 </dev/null
    status=$?
    want=$(told 'exit') || want='0 1'
    [[ " $want " = *" $status "* ]] ||
        fail "$page:$line: exit $status instead of ${want/ / or }: $1" "$(head -n 5 printed)"
}

# answer COMMAND: runs it; block.new gets what is to be shown beneath it, given what is (the file shown).
answer() {
    [ -n "$1" ] || return
    run_command "$1"
    awk -f "$tools/renew.awk" shown printed >>block.new ||
        fail "$page:$line: this is not among what '$1' prints:" "$(cat shown)"
    : >shown
}

# is_command LINE: output may begin with a dollar as well, so what follows it has to be something to run.
is_command() {
    local word=${1#'$ '}
    [ "$word" != "$1" ] || return
    word=${word%% *}
    [ -z "$command" ] || [[ $word = [A-Z]*=* ]] || (cd tree && command -v "$word" >found)
}

# Commands and their output: block.new becomes the block as it ought to be.
check_console() {
    local command='' text is_open=''
    : >block.new && : >shown
    while IFS= read -r text; do
        if [ -n "$is_open" ]; then
            command+=$'\n'$text
        elif is_command "$text"; then
            answer "$command"
            command=${text#'$ '}
        else
            printf '%s\n' "$text" >>shown && continue
        fi
        printf '%s\n' "$text" >>block.new
        [[ $text = *\\ ]] && is_open=1 || is_open=''
    done <block
    answer "$command"
    [ -n "${ORRERY_UPDATE_GOLDEN:-}" ] || diff -u block block.new >difference ||
        fail "$page:$line: the output shown (-) is not what is printed (+):" "$(tail -n +3 difference)"
}

check_list() {
    local command
    while IFS= read -r command; do
        run_command "${command%%   *}"
    done <block
}

# A scenario, or a part of one laid over a whole one.
check_yaml() {
    local base
    if base=$(told 'part of'); then
        awk -f "$tools/overlay.awk" block "tree/$base" >tree/.part.yaml
    else
        cp block tree/.part.yaml
    fi
    (cd tree && ./orrery check .part.yaml) >printed 2>&1 ||
        fail "$page:$line: orrery check finds fault with this scenario:" "$(cat printed)"
}

# One block, in the file block; block.new becomes what it ought to be.
check_block() {
    local name
    cp block block.new
    if name=$(told file); then
        cp block "tree/$name"
    fi
    is_skipped && return
    if grep -q '^\$ ' block; then
        check_console
    elif [ "$language" = yaml ]; then
        check_yaml
    elif ! grep -qv '^\./orrery ' block; then
        check_list
    fi
}

# Links [..](FILE), [..](FILE#heading) and [..](#heading) of the page.
check_links() {
    local link target heading
    grep -oE '\]\([^) ]+\)' "$page" | sed 's/^](//; s/)$//' | grep -vE '^[a-z]+:' >links
    while IFS= read -r link; do
        target=${link%%#*} && heading=${link#"$target"}
        target=$(dirname "$page")/${target:-$(basename "$page")}
        [ -e "$target" ] || fail "$page: the link $link leads nowhere"
        [ -z "$heading" ] || sed -n 's/^##* //p' "$target" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-' | grep -qx "${heading#\#}" ||
            fail "$page: the link $link names no heading"
    done <links
}

check_page() {
    local text number=0 inside='' directive='' language line
    : >page.new
    while IFS= read -r text; do
        number=$((number + 1))
        if [ -n "$inside" ] && [ "$text" != '```' ]; then
            printf '%s\n' "$text" >>block
            continue
        elif [ -n "$inside" ]; then
            check_block
            cat block.new >>page.new
            inside='' directive=''
        elif [[ $text = '```'* ]]; then
            inside=1 line=$number language=${text#'```'}
            : >block
        elif [[ $text =~ ^'<!-- docs: '(.*)' -->'$ ]]; then
            directive=${BASH_REMATCH[1]}
        else
            directive=''
        fi
        printf '%s\n' "$text" >>page.new
    done <"$page"
    [ -z "$inside" ] || fail "$page:$line: this block does not end"
    [ -z "${ORRERY_UPDATE_GOLDEN:-}" ] || cmp -s page.new "$page" || cp page.new "$page"
    check_links
}

for page in "${pages[@]}"; do
    [[ $page = /* ]] || page=$ROOT/$page
    check_page
done
finish
