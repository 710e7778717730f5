#!/bin/bash
# HTML reports in a real browser: tests/support/report_page.mjs says what it looks at.
. "$(dirname "$0")/../support/cli.sh"

# expect_page NAME CHARTS COMMAND...: the report that COMMAND --report writes, with charts of CHARTS.
expect_page() {
    local name=$1 charts=$2
    shift 2
    expect_exit "${status:-0}" "$@" --report "$name.html"
    grep -q 'id="scenario"' "$name.html" || fail "$name.html does not show its scenario"
    [ -z "$chromium" ] || pages+=("$name.html" "$charts")
}

chromium=$(command -v chromium || command -v chromium-browser)
command -v node >/dev/null || chromium=
pages=()

expect_page quickstart accounts,ledger,timeline,microbatch,memory,memory-over-time,roofline,knobs,uncertainty \
    "$ORRERY" run "$ROOT/scenarios/quickstart.yaml"
expect_text out '^Step time'
status=1 expect_page too-large memory "$ORRERY" run "$ROOT/scenarios/training/llama-3.1-70b-too-large.yaml"
expect_page one-gpu accounts,timeline,roofline "$ORRERY" run "$ROOT/scenarios/training/gpt2-one-gpu.yaml" \
    --set 'description=a <b>bold</b> claim & more'
! grep -q '<b>bold' one-gpu.html || fail "a description is not escaped"
grep -q -- '--set description=a &lt;b&gt;' one-gpu.html || fail "the change is not shown"

# --out writes the same page; a page that cannot be written is a fault of the command line.
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --out folder
cmp quickstart.html folder/report.html || fail "--out writes another page than --report"
expect_exit 2 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --report nowhere/page.html
expect_exit 2 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --what-if --report page.html

if ! grep -q '<div class="chart"' quickstart.html; then
    grep -q 'The charts are left out:' quickstart.html || fail "there are no charts, and nothing says why"
    echo "this build has no charting library: charts are not looked at"
    [ $failures -gt 0 ] || exit 77
fi
if [ -z "$chromium" ]; then
    echo "there is no chromium or no node: pages are not looked at"
    [ $failures -gt 0 ] || exit 77
fi
node "$ROOT/tests/support/report_page.mjs" "$chromium" "${pages[@]}" || fail "a page is not as it should be"

# Shown a page that is wrong in many places, it has to find them.
sed -e 's|</header>|<img src="http://127.0.0.1:9/x.png"><p style="width:500px;color:#999">pale and wide</p></header>|' \
    -e 's|setTimeout(step, 0);$|console.error("a fault");|' -e 's|<td>stage 0</td>|<td>stage 9</td>|' \
    too-large.html >broken.html
expect_exit 1 node "$ROOT/tests/support/report_page.mjs" "$chromium" broken.html ledger
for finding in '127.0.0.1:9' 'a fault' 'px too wide' 'contrast of' 'shows stage 9 for stage 0' 'no figure ledger' \
    'not drawn'; do
    expect_text out "$finding"
done
finish
