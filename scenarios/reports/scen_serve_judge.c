/* What a serving run shows beyond its figures: how busy it was, whether its queue was stable, and
 * what held it back. */
#include "scen_serve_report.h"

/* A queue that grows by this share of the requests that finish is not stable. */
static const double STABLE_GROWTH_FRACTION = 0.01;

/* From here on a replica has no room to catch up, a cache none for bursts. */
static const double BUSY_FRACTION = 0.95, FULL_FRACTION = 0.95;

double scen_serve_busy_fraction(const StratServeResult *result)
{
    double busy_s = 0.0;
    for (int p = 0; p < STRAT_SERVE_PARTS; p++)
        busy_s += result->busy_s[p];
    double all_s = busy_s + result->idle_s;
    return all_s > 0.0 ? busy_s / all_s : 0.0;
}

bool scen_serve_is_stable(const StratServeResult *result)
{
    double end_s = sim_time_to_seconds(result->end_ns);
    double finished_per_s = end_s > 0.0 ? (double)result->finished / end_s : 0.0;
    return result->waiting_growth_per_s <= STABLE_GROWTH_FRACTION * finished_per_s;
}

static int largest_part(const StratServeResult *result)
{
    int largest = 0;
    for (int p = 1; p < STRAT_SERVE_PARTS; p++)
        if (result->busy_s[p] > result->busy_s[largest])
            largest = p;
    return largest;
}

/* Words for a part, and the knob that moves it. */
static const struct {
    const char *what, *knob;
} parts[] = {
    [STRAT_SERVE_LINEAR] = {"products with the dense weights", "serve.weights, serve.tensor"            },
    [STRAT_SERVE_PREFILL] = {"attention of prompts",            "serve.engine.prefix_cache, serve.tensor"},
    [STRAT_SERVE_DECODE] = {"attention over the cache",        "serve.kv, serve.tensor"                 },
    [STRAT_SERVE_EXPERTS] = {"products of experts",             "serve.weights, serve.expert"            },
    [STRAT_SERVE_PASSES] = {"norms and other passes",          "serve.engine.fused_kernels"             },
    [STRAT_SERVE_HEAD] = {"logits and sampling",             "serve.tensor"                           },
    [STRAT_SERVE_TENSOR] = {"collectives of the tensor group", "serve.tensor"                           },
    [STRAT_SERVE_ALL_TO_ALL] = {"dispatch and combine",            "serve.two_batch_overlap, serve.expert"  },
    [STRAT_SERVE_PIPELINE] = {"the pipeline",                    "serve.pipeline"                         },
    [STRAT_SERVE_DRAFT] = {"the draft",                       "serve.speculation"                      },
    [STRAT_SERVE_HOST] = {"the engine's CPU side",           "serve.engine.host, serve.engine.graphs" },
    [STRAT_SERVE_OFFLOAD] = {"what lives off the GPU",          "serve.offload, serve.weights, serve.kv" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(parts) == STRAT_SERVE_PARTS);

char *scen_serve_limit(const ScenServed *served)
{
    const StratServeResult *result = served->result;
    int part = largest_part(result);
    double busy = scen_serve_busy_fraction(result);
    g_autofree char *mostly = g_strdup_printf("%s (%s)", parts[part].what, parts[part].knob);
    if (result->preemptions > 0 || result->peak_kv_fraction >= FULL_FRACTION)
        return g_strdup_printf(
            "the KV cache was %.0f %% full (serve.kv, serve.weights, more GPUs); "
            "iterations were mostly %s",
            100.0 * result->peak_kv_fraction, mostly);
    bool waits = !scen_serve_is_stable(result) || served->load_fraction >= BUSY_FRACTION ||
                 (served->load_fraction <= 0.0 && busy >= BUSY_FRACTION);
    if (waits)
        return g_strdup_printf("GPUs were %.1f %% busy, mostly with %s", 100.0 * busy, mostly);
    return g_strdup_printf("the traffic, not the deployment; iterations were mostly %s", mostly);
}
