/* How replicas agree, where it is not by an all-reduce in the step: servers that workers do not
 * meet at, and islands. */
#include "scen_run_report.h"

#include "scen_json.h"
#include "scen_text.h"

#define I64 "%" G_GINT64_FORMAT

static void add_servers(GString *out, const ScenRunReport *report)
{
    const StratPushResult *served = &report->result->served;
    const StratServers *servers = &report->scenario->plan.data_parallel.servers;
    g_autofree char *cycle = scen_text_seconds(served->cycle_s);
    g_autofree char *moved = scen_text_seconds(served->transfer_s);
    g_autofree char *waited = scen_text_seconds(served->wait_s);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(out, "\nParameter servers (" I64 "%s) and " I64 " workers, ",
                           servers->count, servers->colocated ? ", on the workers' nodes" : "",
                           served->workers);
    if (servers->unbounded)
        g_string_append(out, "asynchronous\n");
    else
        g_string_append_printf(out, "at most " I64 " steps apart\n", servers->staleness);
    g_string_append_printf(text,
                           "an update of each worker every %s, %s of it pushing and pulling, %s "
                           "waiting for workers behind; %.4g updates/s",
                           cycle, moved, waited, served->updates_per_s);
    g_string_append(out, "  ");
    scen_text_wrap(out, text->str, 2, 2);
    g_string_printf(text, "staleness, updates by others: mean %.4g;", served->staleness_mean);
    for (int q = 0; q < STRAT_STALENESS_QUANTILES; q++)
        g_string_append_printf(text, " %d %% " I64 ",", strat_staleness_percent[q],
                               served->staleness[q]);
    g_string_append_printf(text, " at most " I64 "; began up to " I64 " steps ahead of the slowest",
                           served->staleness_most, served->lead_most);
    g_string_append(out, "  ");
    scen_text_wrap(out, text->str, 2, 2);
}

static void add_islands(GString *out, const ScenRunReport *report)
{
    const StratOuter *outer = &report->result->outer;
    const StratIslands *islands = &report->scenario->plan.data_parallel.islands;
    g_autofree char *fragment = scen_text_seconds(outer->fragment_s);
    g_autofree char *exposed = scen_text_seconds(outer->exposed_s);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(
        out, "\nIslands: " I64 " of " I64 " replicas, averaged every " I64 " steps\n",
        islands->count, report->scenario->plan.data / islands->count, islands->inner_steps);
    g_string_append_printf(text,
                           "%.4g GB out of each a round, %.4g Gbit/s on average, %.4g times fewer "
                           "bytes than gradients after every step",
                           outer->round_bytes * 1e-9, outer->mean_bytes_per_s * 8e-9,
                           outer->reduction);
    g_string_append(out, "  ");
    scen_text_wrap(out, text->str, 2, 2);
    g_string_printf(text,
                    "an exchange of 1/" I64 " of the model takes %s, a step waits %s for it on "
                    "average; compute utilisation %.1f %%",
                    islands->fragments, fragment, exposed, 100.0 * outer->utilisation);
    g_string_append(out, "  ");
    scen_text_wrap(out, text->str, 2, 2);
}

void scen_data_text(GString *out, const ScenRunReport *report)
{
    if (report->result->served.workers > 0)
        add_servers(out, report);
    if (report->result->outer.round_bytes > 0.0)
        add_islands(out, report);
}

static void servers_json(JsonBuilder *json, const StratPushResult *served)
{
    json_builder_set_member_name(json, "parameter_servers");
    json_builder_begin_object(json);
    scen_json_integer(json, "workers", served->workers);
    scen_json_number(json, "update_period_s", served->cycle_s);
    scen_json_number(json, "updates_per_s", served->updates_per_s);
    scen_json_number(json, "transfer_s", served->transfer_s);
    scen_json_number(json, "wait_s", served->wait_s);
    scen_json_number(json, "staleness_mean", served->staleness_mean);
    for (int q = 0; q < STRAT_STALENESS_QUANTILES; q++) {
        g_autofree char *key = g_strdup_printf("staleness_p%d", strat_staleness_percent[q]);
        scen_json_integer(json, key, served->staleness[q]);
    }
    scen_json_integer(json, "staleness_max", served->staleness_most);
    scen_json_integer(json, "steps_ahead_max", served->lead_most);
    json_builder_end_object(json);
}

static void islands_json(JsonBuilder *json, const StratOuter *outer)
{
    json_builder_set_member_name(json, "islands");
    json_builder_begin_object(json);
    scen_json_number(json, "round_bytes", outer->round_bytes);
    scen_json_number(json, "mean_bytes_per_s", outer->mean_bytes_per_s);
    scen_json_number(json, "reduction", outer->reduction);
    scen_json_number(json, "exchange_s", outer->fragment_s);
    scen_json_number(json, "exposed_s", outer->exposed_s);
    scen_json_number(json, "outer_optimizer_s", outer->passes_s);
    scen_json_number(json, "compute_utilisation_fraction", outer->utilisation);
    json_builder_end_object(json);
}

void scen_data_json(JsonBuilder *json, const ScenRunReport *report)
{
    if (report->result->served.workers > 0)
        servers_json(json, &report->result->served);
    if (report->result->outer.round_bytes > 0.0)
        islands_json(json, &report->result->outer);
}
