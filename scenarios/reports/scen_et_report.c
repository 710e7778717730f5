/* The report of an execution trace: how long it takes, where the GPUs' time goes, whom the others
 * wait for, which links are to blame. */
#include "scen_et_report.h"

#include "scen_json.h"
#include "scen_links.h"
#include "scen_text.h"
#include "scen_timeline.h"
#include "sim_trace.h"
#include "topo_net.h"

#define I64U "%" G_GUINT64_FORMAT

enum { RANKS_SHOWN = 5, BAR_WIDTH = 44 };

/* The ranks, those first for whom others waited longest, then those that compute longest. */
typedef struct Ranked {
    uint32_t rank;
    const StratEtRankTime *time;
} Ranked;

static int64_t exposed_ns(const StratEtRankTime *time)
{
    int64_t sum = 0;
    for (int a = STRAT_ET_ACCOUNT_COLLECTIVE; a <= STRAT_ET_ACCOUNT_SEND; a++)
        sum += time->ns[a];
    return sum;
}

static gint by_lateness(gconstpointer left, gconstpointer right)
{
    const Ranked *a = left, *b = right;
    if (a->time->late_ns != b->time->late_ns)
        return a->time->late_ns < b->time->late_ns ? 1 : -1;
    int64_t x = a->time->ns[STRAT_ET_ACCOUNT_COMPUTE], y = b->time->ns[STRAT_ET_ACCOUNT_COMPUTE];
    if (x != y)
        return x < y ? 1 : -1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static GArray *ranked(const StratEtResult *result)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Ranked));
    for (uint32_t r = 0; r < result->ranks; r++) {
        Ranked one = {r, &result->rank[r]};
        g_array_append_val(all, one);
    }
    g_array_sort(all, by_lateness);
    return all;
}

static void add_accounts(GString *out, const StratEtResult *result)
{
    g_autofree char *total = scen_text_seconds(sim_time_to_seconds(result->makespan));
    double all = (double)result->makespan * result->ranks;
    g_string_append_printf(out, "\nWhere the GPUs' time goes (%u GPUs x %s)\n", result->ranks,
                           total);
    for (int a = 0; a < STRAT_ET_ACCOUNTS && all > 0.0; a++) {
        double share = (double)result->total_ns[a] / all;
        if (result->total_ns[a] == 0)
            continue;
        g_string_append_printf(out, "  %-31s %5.1f %%  ", strat_et_account_name((StratEtAccount)a),
                               100.0 * share);
        scen_text_bar(out, share, BAR_WIDTH);
        g_string_append_c(out, '\n');
    }
}

static void add_ranks(GString *out, const StratEtResult *result)
{
    g_autoptr(GArray) all = ranked(result);
    g_string_append(out, "\nRanks that others wait for, in seconds\n"
                         "     rank        ends     compute     exposed       waits others wait\n");
    for (guint i = 0; i < MIN(all->len, RANKS_SHOWN); i++) {
        const Ranked *one = &g_array_index(all, Ranked, i);
        const StratEtRankTime *time = one->time;
        g_string_append_printf(out, "  %7u %11.6f %11.6f %11.6f %11.6f %11.6f\n", one->rank,
                               sim_time_to_seconds(time->end),
                               sim_time_to_seconds(time->ns[STRAT_ET_ACCOUNT_COMPUTE]),
                               sim_time_to_seconds(exposed_ns(time)),
                               sim_time_to_seconds(time->ns[STRAT_ET_ACCOUNT_WAIT]),
                               sim_time_to_seconds(time->late_ns));
    }
}

static void add_notes(GString *out, const ScenScenario *scenario, const StratEtResult *result)
{
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    if (scenario->description)
        g_ptr_array_add(notes, g_strdup(scenario->description));
    if (result->unpriced > 0)
        g_ptr_array_add(notes,
                        g_strdup_printf(I64U " computations have no num_ops or tensor_size: what "
                                             "was recorded stands for them",
                                        result->unpriced));
    if (notes->len > 0)
        g_string_append(out, "\nNotes\n");
    for (guint i = 0; i < notes->len; i++) {
        g_string_append(out, "  - ");
        scen_text_wrap(out, g_ptr_array_index(notes, i), 4, 4);
    }
}

char *scen_et_text(const ScenScenario *scenario, const StratEtResult *result)
{
    GString *out = g_string_new(NULL);
    const TopoCluster *cluster = &scenario->cluster;
    const StratEtPlan *plan = &scenario->trace.plan;
    g_autofree char *total = scen_text_seconds(sim_time_to_seconds(result->makespan));
    g_string_append_printf(out, "%s: execution trace of %u ranks on %" G_GINT64_FORMAT " x %s\n",
                           scenario->name, result->ranks, cluster->node_count, cluster->node.name);
    g_string_append_printf(out,
                           "  " I64U " nodes, " I64U " collectives, " I64U " sends; computation %s",
                           result->nodes, result->collectives, result->sends,
                           plan->compute == STRAT_ET_ROOFLINE ? "by roofline" : "as recorded");
    if (plan->speed != 1.0)
        g_string_append_printf(out, ", %g times as fast", plan->speed);
    g_string_append_printf(out, "; communication %s%s\n\nTotal time     %s\n",
                           plan->communication == STRAT_ET_AS_RECORDED ? "as recorded"
                                                                       : "on the network ",
                           plan->communication == STRAT_ET_AS_RECORDED ? ""
                           : scenario->network                         ? scenario->network
                                                                       : "alpha-beta",
                           total);
    add_accounts(out, result);
    add_ranks(out, result);
    if (result->hot_links && result->hot_links->len > 0)
        g_string_append_c(out, '\n');
    scen_links_text(out, "Links that held transfers back, summed over these", result->hot_links);
    add_notes(out, scenario, result);
    return g_string_free(out, FALSE);
}

static void add_rank_json(JsonBuilder *json, uint32_t rank, const StratEtRankTime *time)
{
    json_builder_begin_object(json);
    scen_json_integer(json, "rank", rank);
    scen_json_number(json, "end_s", sim_time_to_seconds(time->end));
    scen_json_number(json, "compute_s", sim_time_to_seconds(time->ns[STRAT_ET_ACCOUNT_COMPUTE]));
    scen_json_number(json, "exposed_s", sim_time_to_seconds(exposed_ns(time)));
    scen_json_number(json, "waited_s", sim_time_to_seconds(time->ns[STRAT_ET_ACCOUNT_WAIT]));
    scen_json_number(json, "others_waited_s", sim_time_to_seconds(time->late_ns));
    json_builder_end_object(json);
}

char *scen_et_json(const ScenScenario *scenario, const StratEtResult *result)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "scenario", scenario->name);
    scen_json_text(json, "description", scenario->description);
    scen_json_integer(json, "seed", (gint64)scenario->seed);
    json_builder_set_member_name(json, "execution_trace");
    json_builder_begin_object(json);
    scen_json_integer(json, "ranks", result->ranks);
    scen_json_integer(json, "nodes", (gint64)result->nodes);
    scen_json_integer(json, "collectives", (gint64)result->collectives);
    scen_json_integer(json, "sends", (gint64)result->sends);
    scen_json_number(json, "total_time_s", sim_time_to_seconds(result->makespan));
    json_builder_set_member_name(json, "ledger_gpu_s");
    json_builder_begin_object(json);
    for (int a = 0; a < STRAT_ET_ACCOUNTS; a++)
        if (result->total_ns[a] > 0)
            scen_json_number(json, strat_et_account_name((StratEtAccount)a),
                             sim_time_to_seconds(result->total_ns[a]));
    json_builder_end_object(json);
    json_builder_set_member_name(json, "rank_times");
    json_builder_begin_array(json);
    for (uint32_t r = 0; r < result->ranks; r++)
        add_rank_json(json, r, &result->rank[r]);
    json_builder_end_array(json);
    scen_links_json(json, "hot_links", result->hot_links);
    json_builder_end_object(json);
    json_builder_end_object(json);
    return scen_json_finish(json);
}

char *scen_et_csv(const StratEtResult *result)
{
    GString *out = g_string_new("rank,end_s,others_waited_s");
    for (int a = 0; a < STRAT_ET_ACCOUNTS; a++) {
        g_autofree char *name =
            g_strdelimit(g_strdup(strat_et_account_name((StratEtAccount)a)), " ,'-", '_');
        g_string_append_printf(out, ",%s_s", name);
    }
    g_string_append_c(out, '\n');
    for (uint32_t r = 0; r < result->ranks; r++) {
        const StratEtRankTime *time = &result->rank[r];
        g_string_append_printf(out, "%u,%.9f,%.9f", r, sim_time_to_seconds(time->end),
                               sim_time_to_seconds(time->late_ns));
        for (int a = 0; a < STRAT_ET_ACCOUNTS; a++)
            g_string_append_printf(out, ",%.9f", sim_time_to_seconds(time->ns[a]));
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

char *scen_timeline_et(const ScenScenario *scenario, const StratEtResult *result)
{
    ScenTimeline timeline = {0};
    SimTraceView view = {.program = result->program, .run = result->run};
    scen_timeline_open(&timeline, scenario);
    sim_trace_write(&view, timeline.events);
    return scen_timeline_close(&timeline);
}
