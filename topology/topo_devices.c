/* Sets of devices, so that a list of wires need not name each.
 *
 *   set = KIND "/" FIRST [".." LAST ["/" STEP]]
 *
 * A kind's devices are numbered over the whole cluster: with r NICs a node, NIC j of node n is
 * nic/(n r + j), so "nic/0..24/8" is the first rail of four nodes with eight NICs each. A pairing
 * that leaves a device over is refused: it is a typing error more often than a wish. */
#include "topo_devices.h"

#include <string.h>

static const uint32_t most_devices = 1u << 20;
static const size_t most_pairs = (size_t)1 << 22;

static bool fail(GError **error, const char *text, const char *why)
{
    g_set_error(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_UNKNOWN_NAME,
                "'%s' %s; devices are named as in 'leaf/3', 'leaf/0..7' or 'nic/2..26/8'", text,
                why);
    return false;
}

bool topo_devices_parse(const char *text, TopoDevices *devices, GError **error)
{
    const char *dots = strstr(text, "..");
    g_autofree char *first = g_strndup(text, dots ? (size_t)(dots - text) : strlen(text));
    TopoDevices found = {.step = 1, .count = 1};
    if (!topo_vertex_parse(first, &found.kind, &found.first, error))
        return false;
    if (dots) {
        g_auto(GStrv) parts = g_strsplit(dots + 2, "/", 2);
        guint64 last = 0, step = 1;
        if (!parts[0] || !g_ascii_string_to_unsigned(parts[0], 10, 0, TOPO_NONE - 1, &last, NULL) ||
            (parts[1] && !g_ascii_string_to_unsigned(parts[1], 10, 1, TOPO_NONE - 1, &step, NULL)))
            return fail(error, text, "is no range");
        if (last < found.first)
            return fail(error, text, "ends before it begins");
        if ((last - found.first) / step >= most_devices)
            return fail(error, text, "has more than a million devices");
        found.step = (uint32_t)step;
        found.count = (uint32_t)((last - found.first) / step) + 1;
    }
    *devices = found;
    return true;
}

uint32_t topo_devices_at(const TopoDevices *devices, size_t index)
{
    return devices->first + (uint32_t)index * devices->step;
}

static bool is_same(const TopoDevices *a, const TopoDevices *b)
{
    return a->kind == b->kind && a->first == b->first && a->count == b->count &&
           (a->step == b->step || a->count == 1);
}

static bool suits(const TopoDevices *a, const TopoDevices *b, TopoPairing pairing)
{
    uint32_t large = MAX(a->count, b->count), small = MIN(a->count, b->count);
    switch (pairing) {
    case TOPO_PAIRING_EACH:
        return large == small || small == 1;
    case TOPO_PAIRING_ALL:
        return true;
    case TOPO_PAIRING_BLOCKS:
    case TOPO_PAIRING_TURNS:
        break;
    }
    return large % small == 0;
}

size_t topo_devices_pairs(const TopoDevices *a, const TopoDevices *b, TopoPairing pairing,
                          GError **error)
{
    size_t all = (size_t)a->count * b->count, large = MAX(a->count, b->count), pairs = large;
    if (!suits(a, b, pairing)) {
        g_set_error(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_PARAMETER,
                    "%u devices cannot be joined with %u %s", a->count, b->count,
                    pairing == TOPO_PAIRING_EACH
                        ? "one by one: pairing all, blocks or turns says how"
                        : "without leaving some over");
        return 0;
    }
    if (pairing == TOPO_PAIRING_ALL)
        pairs = is_same(a, b) ? all - a->count : all;
    if (pairs == 0 || pairs > most_pairs) {
        g_set_error(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_PARAMETER, "%u by %u devices make %s",
                    a->count, b->count, pairs == 0 ? "no pair" : "more than four million pairs");
        return 0;
    }
    return pairing == TOPO_PAIRING_ALL && is_same(a, b) ? pairs / 2 : pairs;
}

void topo_devices_pair_at(const TopoDevices *a, const TopoDevices *b, TopoPairing pairing,
                          size_t index, uint32_t *from, uint32_t *to)
{
    size_t large = MAX(a->count, b->count), i = index % a->count, j = index % b->count;
    if (pairing == TOPO_PAIRING_ALL && is_same(a, b)) {
        j = (i + index / a->count + 1) % a->count; /* neighbours first, then those 2 apart, ... */
    } else if (pairing == TOPO_PAIRING_ALL) {
        i = index / b->count;
    } else if (pairing == TOPO_PAIRING_BLOCKS) {
        i = index / (large / a->count);
        j = index / (large / b->count);
    }
    *from = topo_devices_at(a, i);
    *to = topo_devices_at(b, j);
}
