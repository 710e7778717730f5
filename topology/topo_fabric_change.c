/* Changes to a built fabric.
 *
 * What holds from the start changes the graph before anything is routed: routes go round dead
 * links, a degraded one is used at a fraction of its rate, and a cable of a moved rack takes
 * 5 ns a metre longer. What begins or ends during the run changes the rate of a link only; routes
 * stay what they were, since a step is shorter than most routing protocols take to react (assumed).
 * So a link that goes down during the run has to come back, or what crosses it would wait for ever.
 *
 * Left out: faults that follow from others, and the loss of what was in flight. */
#include "topo_fabric_change.h"

#include <math.h>
#include <string.h>

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_PARAMETER, text);
    return false;
}

/* Adds to @links every link from a device of @from to one of @to, or to any when that is NULL. */
static void add_links(const TopoGraph *graph, const TopoDevices *from, const TopoDevices *to,
                      bool inwards, GArray *links)
{
    for (uint32_t i = 0; i < from->count; i++) {
        uint32_t vertex = topo_graph_find(graph, from->kind, topo_devices_at(from, i));
        if (vertex == TOPO_NONE)
            continue;
        TopoLinkSpan span = inwards ? topo_graph_in(graph, vertex) : topo_graph_out(graph, vertex);
        for (size_t e = 0; e < span.count; e++) {
            const TopoLink *link = topo_graph_link(graph, span.ids[e]);
            const TopoVertex *end = topo_graph_vertex(graph, inwards ? link->from : link->to);
            uint32_t past = to && end->ordinal >= to->first ? end->ordinal - to->first : 0;
            bool is_meant = !to || (end->kind == to->kind && end->ordinal >= to->first &&
                                    past % to->step == 0 && past / to->step < to->count);
            if (is_meant)
                g_array_append_val(links, span.ids[e]);
        }
    }
}

/* Every device of @set must exist: a number too high is a typing error. */
static bool check_exists(const TopoGraph *graph, const TopoDevices *set, GError **error)
{
    uint32_t last = topo_devices_at(set, set->count - 1);
    uint32_t count = topo_graph_kind_count(graph, set->kind);
    const char *kind = topo_vertex_kind_name(set->kind);
    return last < count ||
           fail(error, "the fabric has no %s/%u: %u of the kind, from 0", kind, last, count);
}

static bool read_set(const TopoGraph *graph, const char *text, TopoDevices *set, GError **error)
{
    g_autofree char *name = g_strstrip(g_strdup(text));
    return topo_devices_parse(name, set, error) && check_exists(graph, set, error);
}

/* The links that @text names, as an array of uint32_t. NULL and @error when there are none. */
static GArray *find_links(const TopoFabric *fabric, const char *text, bool both_ways,
                          GError **error)
{
    static const char arrow[] = "->";
    const TopoGraph *graph = fabric->graph;
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    const char *at = strstr(text, arrow);
    g_autofree char *first = g_strndup(text, at ? (size_t)(at - text) : strlen(text));
    TopoDevices from, to;
    if (!read_set(graph, first, &from, error) ||
        (at && !read_set(graph, at + strlen(arrow), &to, error))) {
        g_prefix_error(error, "link '%s': ", text);
        return NULL;
    }
    add_links(graph, &from, at ? &to : NULL, false, links);
    if (both_ways || !at)
        add_links(graph, &from, at ? &to : NULL, true, links);
    if (links->len > 0)
        return g_steal_pointer(&links);
    fail(error, "link '%s': nothing joins these devices", text);
    return NULL;
}

static bool check_health(double health_fraction, GError **error)
{
    return (health_fraction >= 0.0 && health_fraction <= 1.0) ||
           fail(error, "link health %g: must be from 0 (down) to 1 (up)", health_fraction);
}

bool topo_fabric_set_health(TopoFabric *fabric, const TopoLinkHealth *change, GError **error)
{
    if (!check_health(change->health_fraction, error))
        return false;
    g_autoptr(GArray) links = find_links(fabric, change->link, change->both_ways, error);
    for (guint i = 0; links && i < links->len; i++)
        topo_graph_set_health(fabric->graph, g_array_index(links, uint32_t, i),
                              change->health_fraction, NULL);
    return links != NULL;
}

bool topo_fabric_move_rack(TopoFabric *fabric, const TopoRackMove *change, GError **error)
{
    int32_t last = -1;
    for (uint32_t v = 0; v < topo_graph_vertex_count(fabric->graph); v++)
        last = MAX(last, topo_graph_vertex(fabric->graph, v)->rack);
    if (change->rack < 0 || change->rack > last)
        return fail(error, "rack %" G_GINT64_FORMAT ": the racks are 0 to %d (nodes_per_rack)",
                    change->rack, last);
    topo_graph_move_rack(fabric->graph, (int32_t)change->rack, change->length_m);
    return true;
}

bool topo_fabric_apply(TopoFabric *fabric, const TopoFabricChanges *changes, GError **error)
{
    for (size_t i = 0; i < changes->health_count; i++) {
        if (!topo_fabric_set_health(fabric, &changes->health[i], error))
            return false;
    }
    for (size_t i = 0; i < changes->move_count; i++) {
        if (!topo_fabric_move_rack(fabric, &changes->moves[i], error))
            return false;
    }
    return true;
}

static bool check_times(const TopoLinkFault *fault, GError **error)
{
    if (!(fault->at_s >= 0.0) || !isfinite(fault->at_s) || !(fault->until_s > fault->at_s))
        return fail(error, "link '%s': a fault from %g s to %g s does not last", fault->link,
                    fault->at_s, fault->until_s);
    if (fault->health_fraction <= 0.0 && isinf(fault->until_s))
        return fail(error,
                    "link '%s': it goes down and never comes back, and routes do not change "
                    "during a run, so what crosses it would wait for ever; say until when, or "
                    "list it under health to route round it",
                    fault->link);
    return true;
}

bool topo_fabric_check_fault(const TopoFabric *fabric, const TopoLinkFault *fault, GError **error)
{
    if (!check_health(fault->health_fraction, error) || !check_times(fault, error))
        return false;
    g_autoptr(GArray) links = find_links(fabric, fault->link, fault->both_ways, error);
    return links != NULL;
}

/* One fault on one link. */
typedef struct Spell {
    uint32_t link;
    SimTime at, until;
    double health_fraction;
} Spell;

static gint by_link(gconstpointer left, gconstpointer right)
{
    const Spell *a = left, *b = right;
    return (a->link > b->link) - (a->link < b->link);
}

static gint by_time(gconstpointer left, gconstpointer right)
{
    const TopoLinkChange *a = left, *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->link > b->link) - (a->link < b->link);
}

static bool to_ns(double seconds, SimTime *out, GError **error)
{
    *out = SIM_TIME_MAX;
    return isinf(seconds) || sim_time_from_seconds(seconds, out, error);
}

static bool add_spells(const TopoFabric *fabric, const TopoLinkFault *fault, GArray *spells,
                       GError **error)
{
    Spell spell = {.health_fraction = fault->health_fraction};
    if (!check_health(fault->health_fraction, error) || !check_times(fault, error) ||
        !to_ns(fault->at_s, &spell.at, error) || !to_ns(fault->until_s, &spell.until, error))
        return false;
    g_autoptr(GArray) links = find_links(fabric, fault->link, fault->both_ways, error);
    for (guint i = 0; links && i < links->len; i++) {
        spell.link = g_array_index(links, uint32_t, i);
        g_array_append_val(spells, spell);
    }
    return links != NULL;
}

/* Health at @time of a link that has @healthy otherwise: the worst of its spells @first to @end. */
static double health_at(const GArray *spells, guint first, guint end, double healthy, SimTime time)
{
    for (guint i = first; i < end; i++) {
        const Spell *spell = &g_array_index(spells, Spell, i);
        if (spell->at <= time && time < spell->until)
            healthy = fmin(healthy, spell->health_fraction);
    }
    return healthy;
}

/* Adds what spells @first to @end, all of one link, change: something at each begin and end. */
static void add_changes(const TopoFabric *fabric, const GArray *spells, guint first, guint end,
                        GArray *changes)
{
    uint32_t link = g_array_index(spells, Spell, first).link;
    double healthy = topo_graph_link(fabric->graph, link)->health_fraction;
    for (guint i = first; i < end; i++) {
        const Spell *spell = &g_array_index(spells, Spell, i);
        const SimTime times[] = {spell->at, spell->until};
        for (size_t t = 0; t < G_N_ELEMENTS(times) && times[t] < SIM_TIME_MAX; t++) {
            TopoLinkChange change = {times[t], link,
                                     health_at(spells, first, end, healthy, times[t])};
            g_array_append_val(changes, change);
        }
    }
}

GArray *topo_fabric_link_changes(const TopoFabric *fabric, const TopoFabricChanges *changes,
                                 GError **error)
{
    g_autoptr(GArray) spells = g_array_new(FALSE, FALSE, sizeof(Spell));
    for (size_t i = 0; i < changes->fault_count; i++) {
        if (!add_spells(fabric, &changes->faults[i], spells, error))
            return NULL;
    }
    g_array_sort(spells, by_link);
    GArray *found = g_array_new(FALSE, FALSE, sizeof(TopoLinkChange));
    for (guint first = 0, end = 0; first < spells->len; first = end) {
        while (end < spells->len && by_link(&g_array_index(spells, Spell, first),
                                            &g_array_index(spells, Spell, end)) == 0)
            end++;
        add_changes(fabric, spells, first, end, found);
    }
    g_array_sort(found, by_time);
    return found;
}
