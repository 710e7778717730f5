#!/bin/bash
# Execution traces: the example as text, JSON and files; traces in JSON; what is refused, by file and node.
. "$(dirname "$0")/../support/cli.sh"

example=$ROOT/scenarios/training/chakra-transformer.yaml
expect_exit 0 "$ORRERY" check "$example"
expect_exit 0 "$ORRERY" run "$example"
expect_text out '^chakra-transformer: execution trace of 16 ranks on 2 x dgx-h100$'
expect_text out '^  608 nodes, 64 collectives, 0 sends; computation by roofline; communication on the network fluid$'
expect_text out '^Total time +[0-9.]+ ms$'
expect_text out '^  exposed all-reduce +[0-9.]+ %'
expect_silence err
expect_exit 0 "$ORRERY" run "$example" --json --out folder --trace trace.json
expect_json
[ "$(json_value ranks)" = 16 ] || fail "ranks: $(json_value ranks)"
for file in report.txt result.json ranks.csv trace.json; do
    [ -s "folder/$file" ] || fail "folder/$file is not written"
done
[ "$(wc -l <folder/ranks.csv)" = 17 ] || fail 'ranks.csv has not a line a rank'
cmp -s trace.json folder/trace.json || fail 'two timelines of one run differ'

# Two ranks in JSON: 5 us of computation and 3 us at the other, which waits; speed 2 halves both.
node() {
    echo "{\"Id\": $1, \"Name\": \"$2\", \"NodeType\": $3, \"is_cpu_op\": false, \"data_deps\": [$4]${5-}}"
}
graph() {
    local IFS=,
    echo "{\"workload_graph\": [$*]}"
}
sum=', "comm_type": 0, "comm_size": 1048576'
graph "$(node 0 work 4 '' ', "runtime": 5')" "$(node 1 sum 7 0 "$sum")" >t.0.json
graph "$(node 0 work 4 '' ', "runtime": 3')" "$(node 1 sum 7 0 "$sum")" >t.1.json
cat >two.yaml <<'END'
cluster: {node: dgx-h100, gpus: 2}
execution_trace: {files: t.%d.json}
END
expect_exit 0 "$ORRERY" run two.yaml --json
expect_text out '"waiting for other ranks" : 1.999.*e-06|"waiting for other ranks" : 2.0.*e-06|"waiting for other ranks" : 0.000002'
whole=$(json_value total_time_s)
expect_exit 0 "$ORRERY" run two.yaml --json --set execution_trace.speed=2
half=$(json_value total_time_s)
awk "BEGIN { d = ($whole - $half) * 1e9; exit !(d > 2499 && d < 2501) }" || fail "speed: $whole s, then $half s"
expect_exit 0 "$ORRERY" run two.yaml --set 'execution_trace.files=[t.0.json, t.1.json]'
gzip -c t.0.json >u.0.json && cp t.1.json u.1.json
expect_exit 0 "$ORRERY" run two.yaml --json --set execution_trace.files=u.%d.json
[ "$(json_value total_time_s)" = "$whole" ] || fail 'a packed trace reads unlike a plain one'

# Nodes that name a group which a file tells.
graph "$(node 0 sum 7 '' "$sum, \"pg_name\": \"7\"")" >g.0.json && cp g.0.json g.1.json
expect_exit 2 "$ORRERY" run two.yaml --set execution_trace.files=g.%d.json
expect_text err "g.0.json: node 0 'sum': nobody says who is in process group '7'"
echo '{"7": [0, 1]}' >groups.json
expect_exit 0 "$ORRERY" run two.yaml --set execution_trace.files=g.%d.json --set execution_trace.groups=groups.json
echo '{"7": [0]}' >groups.json
expect_exit 2 "$ORRERY" run two.yaml --set execution_trace.files=g.%d.json --set execution_trace.groups=groups.json
expect_text err "rank 1 is not in process group '7'"

# What is refused.
head -c 900 "$ROOT/scenarios/training/traces/transformer.0.et" >cut.0.et
cp "$ROOT/scenarios/training/traces/transformer.1.et" cut.1.et
expect_exit 2 "$ORRERY" run two.yaml --set execution_trace.files=cut.%d.et
expect_text err 'cut.0.et: byte [0-9]+: a message of [0-9]+ bytes, of which [0-9]+ are there: the file is cut short'
expect_exit 2 "$ORRERY" run two.yaml --set execution_trace.files=none.%d.et
expect_text err 'none.0.et: the trace of rank 0 is not there'
expect_exit 2 "$ORRERY" run two.yaml --set cluster.gpus=1
expect_text err 'the trace has 2 ranks, cluster.gpus are 1'
expect_exit 2 "$ORRERY" check two.yaml --set execution_trace.files=t.json
expect_text err "'files' must be a file name with %d for the rank, or a list of files"
expect_exit 2 "$ORRERY" check two.yaml --set execution_trace.algorithm=rings
expect_text err "rings"
expect_exit 2 "$ORRERY" check two.yaml --set model=llama-3-8b
expect_text err 'a scenario with execution_trace: has no model:'
expect_exit 2 "$ORRERY" run two.yaml --what-if
expect_exit 2 "$ORRERY" compare two.yaml two.yaml
graph "$(node 0 work 4 1 ', "runtime": 5')" "$(node 1 more 4 0)" >c.0.json && cp t.1.json c.1.json
expect_exit 2 "$ORRERY" run two.yaml --set execution_trace.files=c.%d.json
expect_text err "c.0.json: node 0 'work': waits for itself: 0 -> 1 -> 0"
finish
