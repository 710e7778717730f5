#!/bin/bash
# docs/adding.md: what it adds in C, compiled and run. Its blocks of ```diff are applied to a copy of the
# sources, the files that they touch compiled as the build compiles their neighbours, and linked before
# the libraries of the build, so that they take the place of what is in there. Then its commands run, those
# too that need them. Functions that the page names have to exist.
. "$(dirname "$0")/../support/cli.sh"
page=$ROOT/docs/adding.md

for name in $(grep -o '`[a-z_0-9]*()`' "$page" | tr -d '`()' | sort -u); do
    grep -rqw --include='*.h' "$name" "$ROOT"/{sim,models,topology,kernels,strategies,scenarios} ||
        fail "adding.md names $name(), which nothing declares"
done
for name in $(sed -n '/^## The other tables/,$p' "$page" | grep -oE '`[a-z_]+[.]c`' | tr -d '`'); do
    [ -n "$(find "$ROOT"/{topology,strategies,scenarios} -name "$name")" ] || fail "adding.md names $name, which is nowhere"
done

case ${SANITIZE:-OFF} in OFF | 0 | '') ;; *) echo "the changes in C are compiled without sanitizers alone" && finish ;; esac
commands=$BUILD/compile_commands.json
[ -e "$commands" ] && command -v git >/dev/null || { echo "skipped: no $commands or no git" && exit 77; }

# compile FILE LIKE: the file of the copy, as the build compiled LIKE of the sources.
compile() {
    local line
    line=$(sed -n "s|^ *\"command\": \"\(.*\) -c $ROOT/$2\",*\$|\1|p" "$commands" | sed 's/\\"/"/g; s/ -o [^ ]*$//')
    [ -n "$line" ] || { fail "how $2 is compiled is not known" && return; }
    (cd "$BUILD" && eval "$(sed "s|$ROOT/\(strategies\|scenarios\)|$folder/\1|g" <<<"$line") -o '$folder/${1##*/}.o' -c '$folder/$1'") ||
        fail "$1 does not compile"
}

cp -r "$ROOT"/{strategies,scenarios} . && sed -n '/^```diff$/,/^```$/{/^```/d;p}' "$page" >changes.diff
git apply changes.diff || fail "the changes of adding.md do not fit"
for file in $(sed -n 's|^+++ b/\(.*[.]c\)$|\1|p' changes.diff); do
    like=$file
    [ -e "$ROOT/$file" ] || like=$(cd "$ROOT" && ls "${file%/*}"/*.c | head -n 1)
    compile "$file" "$like"
done
[ $failures = 0 ] || finish

libraries=("$BUILD"/lib{scenarios,strategies,kernels,topology,models,sim}.a)
libraries+=($(ls "$BUILD"/lib*.a | grep -vE 'lib(scenarios|strategies|kernels|topology|models|sim|orrery).*[.]a$'))
shared=$(readelf -d "$ORRERY" | sed -n 's/.*(NEEDED).*\[\(lib.*\)\]$/-l:\1/p')
main=$(find "$BUILD" -path '*orrery.dir*' -name 'main.c.o')
# shellcheck disable=SC2086 # a word each
cc -o orrery-with-these-rows "$main" ./*.c.o -Wl,--start-group "${libraries[@]}" -Wl,--end-group $shared || fail "it does not link"
[ $failures = 0 ] || finish
PATH=$folder:$PATH ORRERY=$folder/orrery-with-these-rows bash "$ROOT/tests/docs/docs_page.sh" "$page" || fail "a command of adding.md fails"
finish
