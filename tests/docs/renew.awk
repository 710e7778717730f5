# awk -f renew.awk SHOWN PRINTED: what a page ought to show of what a command printed, given what it shows.
# A line of SHOWN that begins with ... stands for any number of lines of PRINTED. A stretch between such
# lines is looked for as it is, and else by its first line with all figures alike; then it keeps its
# length. Where nothing is shown, all is. Exit 1: a stretch is nowhere.

# shape TEXT: TEXT without what differs from run to run: figures, bars and widths of columns.
function shape(text) {
    gsub(/[0-9]+/, "0", text)
    gsub(/0[.]0/, "0", text)
    gsub(/#+/, "", text)
    gsub(/[ -]+/, " ", text)
    return text
}

function is_here(at, from, to, i) {
    for (i = from; i <= to; i++)
        if (printed[at + i - from] != shown[i])
            return 0
    return 1
}

function is_like(at, from, to, i) {
    for (i = from; i <= to; i++)
        if (shape(printed[at + i - from]) != shape(shown[i]))
            return 0
    return 1
}

# find FROM TO: the first line at or after `next_line` where shown[FROM..TO] stands; 0: nowhere.
function find(from, to, at) {
    for (at = next_line; at + to - from <= lines; at++)
        if (is_here(at, from, to))
            return at
    for (at = next_line; at + to - from <= lines; at++)
        if (is_like(at, from, to))
            return at
    for (at = next_line; at <= lines; at++)
        if (is_like(at, from, from))
            return at
    return 0
}

# put FROM TO: the stretch as it is printed; the last one goes on to the end, the first begins there.
function put(from, to, at, end) {
    if (to < from)
        return
    at = from == 1 ? 1 : find(from, to)
    if (!at) {
        status = 1
        return
    }
    end = to >= shown_lines ? lines : at + to - from
    if (from > 1 && to == shown_lines && lines - at > to - from && is_here(lines - (to - from), from, to))
        at = lines - (to - from)
    for (; at <= end && at <= lines; at++)
        print printed[at]
    next_line = at
}

{ sub(/[ \t]+$/, "") }
FILENAME == ARGV[1] { shown[++shown_lines] = $0; next }
{ printed[++lines] = $0 }

END {
    next_line = from = 1
    if (!shown_lines)
        put(1, lines)
    for (i = 1; i <= shown_lines; i++)
        if (shown[i] ~ /^[.][.][.]/) {
            put(from, i - 1)
            print shown[i]
            from = i + 1
        }
    put(from, shown_lines)
    exit status
}
