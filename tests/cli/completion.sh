#!/bin/bash
# orrery completion: bash's own function is driven as bash drives it, and zsh's as far as zsh is there.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 2 "$ORRERY" completion
expect_exit 2 "$ORRERY" completion tcsh
expect_text err 'bash or zsh'
expect_exit 0 "$ORRERY" completion zsh
mv out _orrery
expect_exit 0 "$ORRERY" completion bash
expect_silence err
bash -n out || fail "the script for bash is wrong"
# shellcheck disable=SC1091 # the script under test
. ./out

touch one.yaml two.csv three.txt && mkdir inner
ln -s "$ORRERY" orrery

# completes LINE WANT...: what bash offers at the end of LINE has each WANT, !WANT it has not; words are
# parted as readline does, at blanks and at "=".
completes() {
    local line=$1 words want
    shift
    words=${line//=/ = }
    read -ra COMP_WORDS <<<"$words"
    [[ $words != *" " || ${COMP_WORDS[-1]} == = ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line}
    COMPREPLY=(stale)
    _orrery
    for want; do
        case $want in
        !*) ! printf '%s\n' "${COMPREPLY[@]}" | grep -qxF -- "${want#!}" ||
            fail "'$line' offers ${want#!}" ;;
        *) printf '%s\n' "${COMPREPLY[@]}" | grep -qxF -- "$want" ||
            fail "'$line' does not offer $want but ${COMPREPLY[*]}" ;;
        esac
    done
}

completes './orrery ' run check list schema completion help '!stale'
completes './orrery va' validate !run
completes './orrery help sea' search
completes './orrery --v' --version
completes './orrery run --' --set --json --trace --help
completes './orrery fit --f' --folds !--json
completes './orrery run ' one.yaml inner !two.csv
completes './orrery replay ' two.csv inner !one.yaml
completes './orrery run --json one.yaml --out ' inner !one.yaml
completes './orrery run one.yaml --trace ' one.yaml three.txt
completes './orrery list sched' schedules schedulers !gpus
completes './orrery run --network ' fluid alpha-beta
completes './orrery run --network=fl' fluid !--network=fluid
completes './orrery run --fold ' on off
completes './orrery collective --node dgx-h' dgx-h100 !dgx-2
completes './orrery run --set pl' plan= plan. placement= placement.
completes './orrery run --set plan.ten' plan.tensor= plan.tensor_parallel.
completes './orrery run -s plan.overlap.' plan.overlap.data= plan.overlap.pipeline=
completes './orrery run --set=plan.ten' plan.tensor=
completes './orrery run --set plan.schedule=' 1f1b zb-h1 dualpipe
completes './orrery run --set plan.schedule=zb' zb-v !1f1b
completes './orrery run --set fold=' true false
completes './orrery run --set model=llama-3.1' llama-3.1-8b llama-3.1-405b
completes './orrery run --set plan.tensor=4 --js' --json
completes './orrery run --set campaign.checkpoint.interval=' young daly
completes './orrery run --set network=f' fluid
completes './orrery nothing ' '!run'
completes './orrery run --set plan.nothing.' '!plan.nothing.'
completes './orrery completion ' bash zsh
completes './orrery import ' '!gpus'
completes './orrery import vidur ' one.yaml three.txt

# A shell that nobody typed into: readline itself asks, when a real bash gets the key.
if command -v script >/dev/null; then
    printf '. ./out\nPS1=\nbind "set completion-query-items 0" "set page-completions off"\n' >start
    printf 'orrery run --set plan.schedule=dualpipe-\t\nexit\n' |
        PATH=$PWD:$PATH script -qec "bash --noprofile --rcfile start -i" /dev/null >typed 2>&1
    grep -q 'plan.schedule=dualpipe-v' typed || fail "a typed line was not completed:" "$(cat typed)"
fi

if command -v zsh >/dev/null; then
    zsh -n _orrery || fail "the script for zsh is wrong"
else
    echo "zsh is not installed: its script is not looked at"
fi
finish
