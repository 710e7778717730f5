/* The answer to an execution trace: its files are read, replayed on the cluster, and reported. */
#include "scen_answer_kinds.h"

#include "scen_et.h"
#include "scen_et_report.h"
#include "scen_simulate.h"
#include "scen_timeline.h"

static bool wrong(const ScenScenario *scenario, GError **error, const char *text)
{
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: %s", scenario->path, text);
    return false;
}

static bool check(const ScenScenario *scenario, const StratEt *et, GError **error)
{
    const StratEtPlan *plan = &scenario->trace.plan;
    const TopoGpu *gpu = &scenario->cluster.node.gpu;
    if ((int64_t)et->ranks->len > scenario->cluster.gpu_count) {
        g_autofree char *text =
            g_strdup_printf("the trace has %u ranks, cluster.gpus are %" G_GINT64_FORMAT,
                            et->ranks->len, scenario->cluster.gpu_count);
        return wrong(scenario, error, text);
    }
    if (plan->compute == STRAT_ET_ROOFLINE && plan->peak_flop_per_s <= 0.0 &&
        gpu->peak_flop_per_s[plan->precision] <= 0.0)
        return wrong(scenario, error, "the GPU has no peak in execution_trace.precision");
    return true;
}

static StratEt *read_trace(const ScenScenario *scenario, GError **error)
{
    const ScenEtSection *section = &scenario->trace;
    g_auto(GStrv) paths = scen_et_paths(section, error);
    g_autoptr(StratEt) et = paths ? scen_et_read((const char *const *)paths, error) : NULL;
    guint count = section->dimensions ? section->dimensions->len : 0;
    g_autofree int64_t *dimensions = g_new(int64_t, MAX(count, 1));
    for (guint i = 0; i < count; i++)
        dimensions[i] = (int64_t)g_array_index(section->dimensions, double, i);
    if (!et || !check(scenario, et, error) ||
        (section->groups && !(et->given = scen_et_read_group_file(section->groups, error))) ||
        !strat_et_order(et, error) || !strat_et_find_groups(et, dimensions, count, error))
        return NULL;
    return g_steal_pointer(&et);
}

bool scen_answer_et(const ScenScenario *scenario, const ScenAnswerWants *wants, ScenAnswer *answer,
                    GError **error)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error))
        return false;
    g_autoptr(StratEt) et = read_trace(scenario, error);
    g_autoptr(StratEtResult) result =
        et ? strat_et_replay(et, &scenario->trace.plan, &costing, error) : NULL;
    if (!result)
        return false;
    answer->holds = true;
    if (wants->text)
        answer->text = scen_et_text(scenario, result);
    if (wants->json)
        answer->json = scen_et_json(scenario, result);
    g_autofree char *ranks = wants->out ? scen_et_csv(result) : NULL;
    g_autofree char *timeline =
        wants->out || wants->trace ? scen_timeline_et(scenario, result) : NULL;
    return scen_answer_write(wants, "ranks.csv", ranks, error) &&
           scen_answer_write(wants, "trace.json", timeline, error) &&
           (!wants->trace || scen_timeline_write(timeline, wants->trace, error));
}
