#!/bin/bash
# orrery new: what it writes passes check and run for models x nodes x kinds, says what keys mean, and
# overwrites nothing.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 0 "$ORRERY" new -o small.yaml
expect_text err 'next: orrery run small.yaml'
expect_silence out
expect_exit 0 "$ORRERY" run small.yaml
cp small.yaml before
expect_exit 2 "$ORRERY" new --serve -o small.yaml
expect_text err 'not overwritten'
cmp -s small.yaml before || fail "a file was overwritten"
expect_exit 2 "$ORRERY" new --model llama-3.1-80b
expect_text err "did you mean 'llama-3.1-8b'|did you mean 'llama-3.1-70b'"
expect_exit 2 "$ORRERY" new --node dgx-h10
expect_text err "did you mean 'dgx-h100'"
expect_exit 2 "$ORRERY" new --train --serve
expect_exit 2 "$ORRERY" new --gpus -1
expect_exit 2 "$ORRERY" new small.yaml
expect_exit 1 "$ORRERY" new --model gpt3-175b --gpus 8 --node dgx-a100-40gb -o not.yaml
expect_text err 'fits on 8 GPUs'
[ ! -e not.yaml ] || fail "what does not fit was written"

expect_exit 2 "$ORRERY" new --survive --model mixtral-8x7b -o not.yaml
expect_text err 'experts is not modelled'
[ ! -e not.yaml ] || fail "what is not modelled was written"

# made MODEL NODE KIND [GPUS]: is written, checks, runs, and so does it with the keys that it offers.
made() {
    rm -f made.yaml
    expect_exit 0 "$ORRERY" new "--$3" --model "$1" --node "$2" ${4:+--gpus $4} -o made.yaml
    expect_exit 0 "$ORRERY" check made.yaml
    expect_exit 0 "$ORRERY" run made.yaml
    grep -q "^model: $1 " made.yaml || fail "$*: another model"
    [ -z "${4:-}" ] || grep -q "^  gpus: $4 " made.yaml || fail "$*: other GPUs"
    grep -q '^  tensor: .*# [a-zA-Z]' made.yaml || fail "$*: a key without a comment"
    sed 's/^# \([a-z_]*: \)/\1/' made.yaml >offered.yaml
    ! cmp -s made.yaml offered.yaml || fail "$*: offers no keys"
    expect_exit 0 "$ORRERY" check offered.yaml
}
for model in gpt2-124m llama-3.1-8b mixtral-8x7b; do
    for node in dgx-h100 dgx-a100-80gb; do
        for kind in train serve survive; do
            [ $model-$kind = mixtral-8x7b-survive ] || made $model $node $kind
        done
    done
done
made llama-3.1-70b dgx-h100 train 512
made llama-3.1-70b dgx-1-v100 serve
made gpt3-175b dgx-a100-80gb train 1024
made gpt2-1.5b rtx-4090-server train 4
made llama-3.1-8b mi300x-platform serve 8

# On a terminal it asks, and takes what is typed; in a pipe it never does.
expect_exit 0 "$ORRERY" new
! grep -q 'orrery list models)' err || fail "it asks in a pipe"
if command -v script >/dev/null; then
    printf 'serve\ngpt2-124m\n\n8\nasked.yaml\n' |
        script -qec "$ORRERY new" /dev/null >typed 2>&1
    grep -q '^model: gpt2-124m' asked.yaml && grep -q '^serve:' asked.yaml ||
        fail "what was typed is not in the file:" "$(cat typed)"
fi
finish
