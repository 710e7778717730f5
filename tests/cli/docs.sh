#!/bin/bash
# docs_page.sh, shown pages that are wrong in one place each, has to find it; --update mends what is shown.
. "$(dirname "$0")/../support/cli.sh"

page_test=$ROOT/tests/docs/docs_page.sh

# expect STATUS [TEXT]: the page on stdin, checked, exits so and says TEXT.
expect() {
    cat >page.md
    expect_exit "$1" env ROOT="$ROOT" ORRERY="$ORRERY" ORRERY_UPDATE_GOLDEN="${update:-}" bash "$page_test" "$folder/page.md"
    [ $# = 1 ] || expect_text out "$2"
}

spares() {
    printf '```\n$ ./orrery spares --units 152 --mtbf "289 h" --away "2.2 h"\n'
    cat
    printf '```\n'
}

expect_exit 0 "$ORRERY" spares --units 152 --mtbf '289 h' --away '2.2 h'
cp out right
expect 0 < <(spares <right)
expect 1 'page.md:1: the output shown' < <(sed 's/1[.]157/1.158/' right | spares)
expect 1 'page.md:1: the output shown' < <(sed '$d' right | spares)
expect 0 < <((sed '$d' right && echo ...) | spares)
expect 0 < <((echo ... && tail -n 1 right) | spares)
expect 1 'page.md:1: the output shown' < <((echo ... && sed -n 2p right) | spares)
expect 1 'page.md:1: the output shown' < <((echo ... && tail -n 1 right | tr 0-9 7) | spares)
expect 1 'page.md:1: the output shown' < <(spares </dev/null)
expect 0 <<<$'```\n$ echo "$ a token"\n$ a token\n$ echo 2\n2\n```'
expect 1 'is not among' < <((echo ... && echo 'nobody prints this') | spares)

update=1 expect 0 < <((echo ... && tail -n 1 right | tr 0-9 7) | spares)
cmp -s page.md <((echo ... && tail -n 1 right) | spares) || fail "the page is not mended:" "$(cat page.md)"

# Exit status, lists of commands, and what a comment says above a block.
expect 1 'exit 2 instead of 0 or 1' <<<$'```\n./orrery run nowhere.yaml   a remark\n```'
expect 0 <<<$'<!-- docs: exit 2 -->\n```\n./orrery run nowhere.yaml   a remark\n```'
expect 1 'exit 0 instead of 2' <<<$'<!-- docs: exit 2 -->\n```\n./orrery list models   a remark\n```'
expect 0 <<<$'<!-- docs: not run -->\n```\n$ ./orrery run nowhere.yaml\n```'
expect 0 'skipped, no nowhere.yaml' <<<$'<!-- docs: needs nowhere.yaml -->\n```\n$ ./orrery run nowhere.yaml\n```'
ORRERY_LONG=1 expect 1 'exit 2' <<<$'<!-- docs: long -->\n```\n$ ./orrery run nowhere.yaml\n```'
ORRERY_LONG=0 expect 0 'ORRERY_LONG=1' <<<$'<!-- docs: long -->\n```\n$ ./orrery run nowhere.yaml\n```'
expect 1 'does not end' <<<$'```\ntext'

# Scenarios, files and parts of scenarios.
quick=scenarios/quickstart.yaml
wrap() {
    printf '%s\n```yaml\n' "$1" && cat && printf '```\n'
}
expect 0 < <(wrap '' <"$ROOT/$quick")
expect 1 'orrery check finds fault' < <(sed 's/tensor: 8/tensor: 7/' "$ROOT/$quick" | wrap '')
expect 0 < <(wrap '<!-- docs: file my.yaml -->' <"$ROOT/$quick"; printf '```\n./orrery check my.yaml\n```\n')
expect 0 < <(wrap "<!-- docs: part of $quick -->" <<<$'plan:\n  tensor: 4\n  data: 2')
expect 1 "unknown key 'tensro'" < <(wrap "<!-- docs: part of $quick -->" <<<$'plan:\n  tensro: 4')
expect 1 'korthikanti-17' < <(wrap "<!-- docs: part of $quick -->" <<<$'model: korthikanti-17')

# What a command writes stays in the folder it runs in, whatever the name.
mkdir -p root/{docs,models,topology,kernels,strategies,scenarios} shared/{published,kernel_data}
for file in root/README.md root/scenarios/a.yaml shared/published/rows.json shared/kernel_data/table.csv; do
    echo kept >"$file"
done
printf '```\n$ for f in README.md scenarios/a.yaml rows.json table.csv orrery; do echo lost >$f; done\n```\n' >page.md
expect_exit 0 env ROOT="$folder/root" ORRERY="$ORRERY" bash "$page_test" "$folder/page.md"
[ "$(cat root/README.md root/scenarios/a.yaml shared/*/* | sort -u)" = kept ] || fail "a command of a page wrote outside its folder"

# Links.
expect 0 <<<$'# A `head-ing` of 2\n[to it](#a-head-ing-of-2), [out](https://example.org), [beside](page.md#a-head-ing-of-2)'
expect 1 'names no heading' <<<$'# A heading\n[to it](#another)'
expect 1 'leads nowhere' <<<'[away](nowhere.md)'
finish
