/* Traffic as a scenario says it: what the tables (scen_fields_traffic.c, scen_fields_length.c)
 * share, and the way from there to a source of requests. */
#include "scen_traffic.h"

void scen_length_clear(ScenLength *length)
{
    g_clear_pointer(&length->edges, g_array_unref);
    g_clear_pointer(&length->weights, g_array_unref);
    g_clear_pointer(&length->values, g_array_unref);
}

void scen_traffic_clear(ScenTraffic *traffic)
{
    scen_length_clear(&traffic->input);
    scen_length_clear(&traffic->output);
    scen_length_clear(&traffic->turns);
    scen_length_clear(&traffic->samples);
    g_clear_pointer(&traffic->hourly, g_array_unref);
    g_clear_pointer(&traffic->priorities, g_array_unref);
    g_clear_pointer(&traffic->adapter_shares, g_array_unref);
}

StratSource *scen_traffic_source(const ScenTraffic *traffic, uint64_t seed, GError **error)
{
    if (traffic->trace)
        return scen_trace_open(traffic->trace, &traffic->replay, error);
    return strat_traffic_new(&traffic->spec, seed);
}

void scen_check_keys(ScenBinder *binder, const ScenNode *map, const ScenKeyRule *rules,
                     size_t count, int kind, const char *chosen)
{
    for (size_t i = 0; i < count; i++) {
        const char *key = rules[i].key;
        bool there = scen_node_get(map, key);
        if (there && !(rules[i].takes & 1U << kind))
            scen_bind_fail(binder, map, key, "'%s' does not go with %s", key, chosen);
        if (!there && rules[i].needs & 1U << kind)
            scen_bind_fail(binder, map, key, "missing key '%s', which goes with %s", key, chosen);
    }
}

bool scen_node_is_named(const ScenNode *node, const ScenName *names)
{
    for (const ScenName *name = names; name->text; name++)
        if (node && node->kind == SCEN_NODE_TEXT && g_str_equal(node->text, name->text))
            return true;
    return false;
}
