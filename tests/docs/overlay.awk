# awk -f overlay.awk PART.yaml WHOLE.yaml: WHOLE with the sections of PART in it. A section that both write
# out key by key keeps the keys of WHOLE that PART does not have; any other one is replaced.

# A key at column 0 begins a section, one at column 2 an entry of it; what is deeper belongs to that.
/^[A-Za-z_]+:/ { section = $1; entry = "" }
/^  [A-Za-z_]+:/ { entry = $1 }

FILENAME == ARGV[1] {
    part[section] = part[section] $0 "\n"
    has_entries[section] = has_entries[section] || entry != ""
    has[section, entry] = 1
    next
}
/^[A-Za-z_]+:/ { keeps = !(section in part) || (has_entries[section] && $0 ~ /^[A-Za-z_]+: *(#.*)?$/) }
/^[A-Za-z_]+:/ && keeps && section in part { printf "%s", part[section]; delete part[section]; merged[section] = 1; next }
keeps && !((section, entry) in has && section in merged)

END {
    for (section in part)
        printf "%s", part[section]
}
