#!/bin/bash
# `kernels: {table: FILE}`: measurements price the step, the profile what lies outside, and the report
# says how often each did.
. "$(dirname "$0")/../support/cli.sh"

cat >scenario.yaml <<'YAML'
model: llama-3.1-8b
cluster: {node: dgx-h100, gpus: 8}
plan:
  {base: megatron-core-2024, tensor: 2, data: 4, micro_batch: 1, global_batch: 8, sequence_length: 4096}
YAML

# products FACTOR: all products of the layers of that plan, 600 TFLOP/s and 5 us over FACTOR, between
# 32 and 160000 on each side.
products() {
    echo 'op,dtype,m,n,k,seconds'
    for m in 32 512 4096 65536; do
        for n in 32 512 4096 65536 160000; do
            for k in 32 512 4096 65536 160000; do
                awk -v m=$m -v n=$n -v k=$k -v f="$1" 'BEGIN {
                    printf "gemm,bf16,%d,%d,%d,%.9g\n", m, n, k, (5e-6 + 2 * m * n * k / 600e12) * f }'
            done
        done
    done
}

expect_exit 0 "$ORRERY" run scenario.yaml --json
without=$(json_value step_time_s)
! grep -q measured_table out || fail "a table where there is none:" "$(grep measured_table out)"

products 1 >table.csv
expect_exit 0 "$ORRERY" run scenario.yaml --set kernels.table=table.csv --json
expect_json
once=$(json_value step_time_s)
expect_text out '"measured_table"'
[ "$(json_value shapes)" = 100 ] || fail "shapes of gemm: $(json_value shapes)"
[ "$(json_value queries)" -gt 100 ] || fail "queries of gemm: $(json_value queries)"
[ "$(json_value interpolated)" -gt 100 ] || fail "interpolated: $(json_value interpolated)"

# The same in a file, relative to the scenario and not to the current folder; twice as slow.
mkdir -p elsewhere
products 2 >elsewhere/slow.csv
{
    cat scenario.yaml
    echo 'kernels: {table: [slow.csv]}'
} >elsewhere/slow.yaml
expect_exit 0 "$ORRERY" run elsewhere/slow.yaml --json
twice=$(json_value step_time_s)
awk -v a="$without" -v b="$once" -v c="$twice" 'BEGIN { exit !(a != b && c > 1.3 * b && c < 2 * b) }' ||
    fail "step without a table $without s, with one $once s, with one twice as slow $twice s"
expect_exit 0 "$ORRERY" run elsewhere/slow.yaml
expect_text out 'measured table, gemm \(100 shapes\): of [0-9]+'
expect_text out 'outside and left to profile h100$'

# Shapes outside fall back; without any inside the step is that of the profile.
printf 'op,dtype,m,n,k,seconds\ngemm,bf16,3,3,3,1\n' >tiny.csv
expect_exit 0 "$ORRERY" run scenario.yaml --set kernels.table=tiny.csv --json
[ "$(json_value step_time_s)" = "$without" ] || fail "a table that answers nothing changes the step"
expect_text out '"outside" : [1-9]'
expect_exit 0 "$ORRERY" run scenario.yaml --set 'kernels={base: a100, table: tiny.csv}'
expect_text out 'outside and left to profile a100'

# Layers of a model, which is named, or found beside the profile.
mkdir -p profile/tp2
printf 'model: meta-llama/Llama-3.1-8B\n' >profile/meta.yaml
{
    echo 'layer,tokens,time_us'
    for tokens in 1 64 4096; do
        for layer in qkv_proj o_proj gate_up_proj down_proj layernorm; do
            echo "$layer,$tokens,$((tokens + 5))"
        done
    done
} >profile/tp2/dense.csv
cp profile/tp2/dense.csv .
expect_exit 0 "$ORRERY" run scenario.yaml --set kernels.table=profile/tp2/dense.csv --json
[ "$(json_value measured)" -gt 0 ] || fail "no layer was recognised"
found=$(json_value measured)
expect_exit 0 "$ORRERY" run scenario.yaml --json \
    --set 'kernels.table={file: dense.csv, model: llama-3.1-8b, tensor: 2}'
[ "$(json_value measured)" = "$found" ] || fail "named: $(json_value measured), found: $found"
expect_exit 2 "$ORRERY" run scenario.yaml --set kernels.table=dense.csv
expect_text err 'dense\.csv:1: the rows name layers of a model'
expect_exit 2 "$ORRERY" run scenario.yaml \
    --set 'kernels.table={file: dense.csv, model: llama-9, tensor: 2}'
expect_text err 'llama-9'

# What is wrong is told with its place.
printf 'op,dtype,m,n,k,seconds\ngemm,bf16,1,2,3,1\ngemm,bf16,1,2,3,NaN\n' >bad.csv
expect_exit 2 "$ORRERY" run scenario.yaml --set kernels.table=bad.csv
expect_text err 'bad\.csv:3: seconds must be a number'
expect_exit 2 "$ORRERY" run scenario.yaml --set kernels.table=none.csv
expect_text err 'none\.csv: cannot be read: no such file'
printf 'op,dtype,m,n,k,seconds\n' >none.csv
expect_exit 2 "$ORRERY" run scenario.yaml --set kernels.table=none.csv
expect_text err 'no row of these tables is a product, a call of attention or a layer of experts'
expect_exit 2 "$ORRERY" run scenario.yaml --set 'kernels.table=[]'
expect_exit 2 "$ORRERY" run scenario.yaml --set 'kernels.table={path: a}'
expect_exit 2 "$ORRERY" run scenario.yaml --set 'kernels={table: table.csv, clock: 1}'
expect_text err "unknown key 'clock'"
finish
