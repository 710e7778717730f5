/* Links that cost most where transfers shared them: how long they held transfers back, summed over
 * these, and who waited longest. */
#include "scen_links.h"

#include "scen_json.h"

void scen_links_text(GString *out, const char *title, const GArray *links)
{
    enum { SHOWN = 3 };
    if (!links || links->len == 0)
        return;
    g_string_append_printf(out, "%s\n", title);
    for (guint i = 0; i < MIN(links->len, SHOWN); i++) {
        const TopoHotLink *link = &g_array_index(links, TopoHotLink, i);
        g_string_append_printf(out, "  %-28s and %5d alike, %6.1f GB/s  %5.1f %% used  %.3g s\n",
                               link->name, (int)link->alike - 1, link->bytes_per_s / 1e9,
                               100.0 * link->carried_fraction, link->waited_s);
        for (uint32_t w = 0; w < link->waiter_count; w++)
            g_string_append_printf(out, "    %8.3g s of these: %s\n", link->waiters[w].waited_s,
                                   link->waiters[w].name);
    }
}

static void add_waiters(JsonBuilder *json, const TopoHotLink *link)
{
    json_builder_set_member_name(json, "waiters");
    json_builder_begin_array(json);
    for (uint32_t w = 0; w < link->waiter_count; w++) {
        json_builder_begin_object(json);
        scen_json_text(json, "transfer", link->waiters[w].name);
        scen_json_number(json, "waited_s", link->waiters[w].waited_s);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

void scen_links_json(JsonBuilder *json, const char *key, const GArray *links)
{
    if (!links)
        return;
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
    for (guint i = 0; i < links->len; i++) {
        const TopoHotLink *link = &g_array_index(links, TopoHotLink, i);
        json_builder_begin_object(json);
        scen_json_text(json, "link", link->name);
        scen_json_integer(json, "alike", link->alike);
        scen_json_number(json, "rate_bytes_per_s", link->bytes_per_s);
        scen_json_number(json, "carried_fraction", link->carried_fraction);
        scen_json_number(json, "saturated_s", link->saturated_s);
        scen_json_number(json, "waited_s", link->waited_s);
        scen_json_number(json, "lost_s", link->lost_s);
        add_waiters(json, link);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}
