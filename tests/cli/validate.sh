#!/bin/bash
# `orrery validate`: rows of a table and of folders, errors by source, what is skipped and why.
. "$(dirname "$0")/../support/cli.sh"

# row ID EXTRA: a row of one A100, with EXTRA members.
row() {
    cat <<END
{"id": "$1", "source": "A paper, Table 1", "num_gpus": 1, "gpus_per_node": 8, "tp": 1, "pp": 1,
 "cp": 1, "dp": 1, "sp": false, "zero_stage": 0, "micro_batch": 1, "global_batch": 4,
 "framework": "Megatron-LM 2022", "target_iteration_time_s": 0.5, "target_kind": "measured",
 "model": {"name": "small", "layers": 4, "hidden": 1024, "heads": 16, "kv_heads": 16, "head_dim": 64,
           "ffn": 4096, "vocab": 51200, "seq_len": 1024, "gated_mlp": false},
 "setup": {"gpu": "a100-sxm-80gb", "scale_up_gpus": 8, "nic_gbps_per_gpu": 200.0, "dtype": "bf16",
           "recompute": "none", "schedule": "none", "overlap": {"dp": null, "tp": null}}$2}
END
}

{
    echo '['
    row good ''
    echo ,
    row no/target ', "target_iteration_time_s": null'
    echo ,
    row wrong-type ', "micro_batch": true, "tp": "two"'
    echo ,
    row no-such-gpu ', "setup": {"gpu": "abacus"}'
    echo ,
    row no-stages ', "pp": 0'
    echo ,
    row ../escape ''
    echo ', 7, null, {}, {"id": 3, "model": [], "setup": 1}'
    echo ']'
} >rows.json

expect_exit 0 "$ORRERY" validate --rows rows.json
expect_silence err
expect_text out '^good +[0-9.]+ +0\.5000 '
expect_text out 'no/target: the row has no target_iteration_time_s'
expect_text out "wrong-type: '(micro_batch|tp)' must be a whole number"
expect_text out "no-such-gpu: no node of the catalog holds GPU 'abacus'"
expect_text out 'row 7: is no object'
expect_text out '^A paper +2 '
expect_text out '^costs and schedule: inside 90 % interval: [0-2] of 2 \([0-9.]+ %\); mean half-width [0-9.]+ %$'

expect_exit 0 "$ORRERY" validate --rows rows.json --json --write made
expect_json
[ "$(json_value rows)" = '[' ] || fail "no rows"
[ "$(grep -c '"reason"' out)" = 8 ] || fail "$(grep -c '"reason"' out) rows skipped instead of 8"
expect_text out '"mean_abs_error_fraction" : [0-9.]+'
expect_text out '"A paper, Table 1" :'
expect_text out '"inside_interval" : (true|false)'
expect_text out '"mean_half_width_fraction" : 0\.[0-9]+'
expect_text out '"matrix_products_fitted" : 0\.[0-9]+'
error=$(json_value error_fraction)

# Errors behind intervals can be fitted, and come back as YAML of the catalogs' keys.
expect_exit 0 "$ORRERY" validate --rows rows.json --set uncertainty=prior --fit-errors 0.5
expect_text out '^# fitted on all: inside [0-2] of 2 '
expect_text out '^matrix_products: 0\.0[0-9]+$'
expect_text out '^megatron-lm-2022: \{model_error: 0\.[0-9]+\}  # 2 rows$'
expect_exit 2 "$ORRERY" validate --rows rows.json --fit-errors -1

# An override reaches every row.
expect_exit 0 "$ORRERY" validate --rows rows.json --json --set plan.recompute=full
[ "$(json_value error_fraction)" != "$error" ] || fail "--set changed nothing"
expect_exit 2 "$ORRERY" validate --rows rows.json --write made --set plan.recompute=full

# What was written is a folder to validate, with the same outcome; nothing was written beside it.
ls made >names
printf '_.._escape.yaml\ngood.yaml\n' | cmp - names || fail "wrote $(cat names)"
head -n 1 made/good.yaml | grep -q 'A paper, Table 1' || fail "good.yaml does not begin with its source"
expect_exit 0 "$ORRERY" check made/good.yaml
expect_exit 0 "$ORRERY" validate made --json --only good
expect_json
[ "$(json_value error_fraction)" = "$error" ] || fail "the written scenario differs from its row"

# A scenario without expect: is skipped, a wrong one as well.
printf 'nothing: here\n' >made/wrong.yaml
sed '/^expect:/,$d' made/good.yaml >made/silent.yaml
expect_exit 0 "$ORRERY" validate made
expect_text out 'wrong: .*unknown key'
expect_text out 'expects no figure'

# All that is published can be predicted.
expect_exit 0 "$ORRERY" validate --json
expect_json
grep -q '"skipped" : \[\]' out || fail "published scenarios are skipped"
cp out first
expect_exit 0 "$ORRERY" validate --json
cmp first out || fail "two runs differ"

# Tables that are none, folders that are none, options that contradict each other.
echo '[{"id": ' >broken.json
expect_exit 2 "$ORRERY" validate --rows broken.json
expect_text err 'broken\.json'
echo '{"lines": []}' >object.json
expect_exit 2 "$ORRERY" validate --rows object.json
expect_text err 'must hold an array'
: >empty.json
expect_exit 2 "$ORRERY" validate --rows empty.json
expect_exit 2 "$ORRERY" validate --rows no_such.json
expect_exit 2 "$ORRERY" validate no_such_folder
mkdir hollow
expect_exit 2 "$ORRERY" validate hollow
expect_exit 2 "$ORRERY" validate --write made
expect_exit 2 "$ORRERY" validate made --rows rows.json
echo '[]' >none.json
expect_exit 0 "$ORRERY" validate --rows none.json --json
expect_json
finish
