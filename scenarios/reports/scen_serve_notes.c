/* Notes: what stands behind the figures of a serving run and cannot be seen in them. */
#include "scen_serve_report.h"

#include "scen_note.h"

static bool host_is_free(const StratHost *host)
{
    return host->step_s + host->sequence_s + host->prompt_s + host->token_s + host->kernel_s +
               host->detokenise_s <=
           0.0;
}

static void note_costs(GPtrArray *notes, const ScenScenario *scenario)
{
    const KernProfile *profile = &scenario->profile;
    const StratEngine *engine = &scenario->serving.engine.row;
    if (profile->grade == KERN_GRADE_DATASHEET)
        scen_note(
            notes,
            "kernel costs of %s are another GPU's fit scaled by datasheet rates (profile %s), not "
            "measured",
            scenario->cluster.node.gpu.name, profile->name);
    if (host_is_free(&engine->host))
        scen_note(notes,
                  "the CPU side of engine %s is not fitted and costs nothing here: iterations are "
                  "at least as long",
                  engine->name);
}

static void note_money(GPtrArray *notes, const ScenScenario *scenario)
{
    const ScenCost *cost = &scenario->cost;
    if (!cost->name)
        return;
    scen_note(
        notes,
        "costs: prompts pay for the GPU-seconds that they add to iterations, outputs for those of "
        "decoding alone, both for idle time in proportion; cached tokens pay for the attention "
        "that "
        "is paid to them");
    if (cost->purchase_usd > 0.0 && cost->idle_w <= 0.0)
        scen_note(notes,
                  "energy: idle power is not given (cost.power.idle), so idle GPUs draw what busy "
                  "ones do");
}

GPtrArray *scen_serve_notes(const ScenScenario *scenario, const ScenServed *served)
{
    GPtrArray *notes = g_ptr_array_new_with_free_func(g_free);
    note_costs(notes, scenario);
    note_money(notes, scenario);
    if (served->skipped_rows > 0)
        scen_note(notes, "%" G_GINT64_FORMAT " rows of the trace without tokens are left out",
                  served->skipped_rows);
    if (served->result && served->result->refused > 0)
        scen_note(
            notes,
            "refused requests are longer than serve.engine.max_length, or than the cache of a "
            "replica, or admission turned them away; they count as missing the objectives");
    if (scenario->serving.prefill.replicas > 0 && !scen_serving_on_fabric(scenario))
        scen_note(notes,
                  "caches move one after another over one link of each replica, at its full rate "
                  "(network: fluid has them share the fabric's links)");
    if (served->result && served->result->unfinished > 0)
        scen_note(notes,
                  "requests are left unfinished, so latencies are of those that got through");
    if (served->result && served->result->peak_replicas > 0)
        scen_note(
            notes,
            "autoscaling: a start takes provisioning, the weights over their link and "
            "engine_start, and is paid from its beginning; replicas that go finish what they have");
    if (served->calm)
        scen_note(
            notes,
            "failures: a stall is the gap between two tokens of a request around an outage; wasted "
            "are GPU-seconds of dead and starting replicas, of iterations that broke off and of "
            "caches computed again; in the long run = without failures - faults a second x what "
            "one costs");
    const ScenTraffic *traffic = &scenario->traffic;
    bool ramps = !traffic->trace && traffic->spec.arrivals.kind != STRAT_ARRIVALS_ALL_AT_ONCE;
    if (served->result && ramps && !scenario->serving.warm_up_requests)
        scen_note(notes,
                  "no warm-up is left out (serve.warm_up): requests that met an empty deployment "
                  "count");
    return notes;
}
