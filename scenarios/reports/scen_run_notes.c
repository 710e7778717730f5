/* Notes: what stands behind the figures of a run and cannot be seen in them. */
#include "scen_run_report.h"

#include "scen_knobs.h"
#include "scen_note.h"
#include "scen_plan_diff.h"
#include "topo_net.h"

GPtrArray *scen_run_notes(const ScenScenario *scenario)
{
    GPtrArray *notes = g_ptr_array_new_with_free_func(g_free);
    const StratPlan *plan = &scenario->plan;
    const KernProfile *profile = &scenario->profile;
    bool measured = plan->profiled.forward_s > 0.0;
    if (measured)
        scen_note(notes,
                  "stage times are measured (plan.profiled): only the schedule is simulated");
    else if (profile->grade == KERN_GRADE_DATASHEET)
        scen_note(
            notes,
            "kernel costs of %s are another GPU's fit scaled by datasheet rates (profile %s), not "
            "measured",
            scenario->cluster.node.gpu.name, profile->name);
    else if (profile->host.threads == 0 && profile->gemm[plan->precision].rows == 0)
        scen_note(notes,
                  "profile %s has no GEMM measurements in %s: those of another type stand for them",
                  profile->name, scen_plan_word("precision", (int)plan->precision));
    const ScenFabric *fabric = &scenario->fabric;
    const TopoNet *net = topo_net_by_name(scenario->network, NULL);
    bool is_fluid = g_strcmp0(scenario->network, "fluid") == 0;
    if (net && !net->shares_links && (fabric->health || fabric->faults))
        scen_note(
            notes,
            "this network prices every transfer alone on the links of its first group as they are "
            "at the start: links of other groups and faults during the step do not count "
            "(--network fluid)");
    else if (is_fluid && fabric->faults && fabric->faults->len > 0 && scenario->fold)
        scen_note(notes, "equal groups move as one, so all wait for those that a fault holds back; "
                         "--fold off moves each by itself");
    if (plan->profiled.forward_s <= 0.0 && !scen_knobs_are_cheap(scenario))
        scen_note(notes,
                  "knobs are searched for one job on networks that price transfers alone, or share "
                  "links among up to 1,024 GPUs: --network alpha-beta");
    const ScenExpect *expect = &scenario->expect;
    if (expect->step_time_s <= 0.0 && !expect->figures)
        scen_note(notes, "no published figure to hold this against (expect:)");
    return notes;
}
