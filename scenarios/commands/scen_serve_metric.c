/* Figures of a run that others publish too, each by its one definition (scen_metric.c). */
#include "scen_serve.h"

#include <math.h>

/* GPUs of the pool that does prompts (@prompts), or that decodes. */
static double pool_gpus(const ScenScenario *scenario, bool prompts)
{
    const StratDeployment *deployment = &scenario->serving.deployment;
    const StratPool *pool = &deployment->pool[prompts ? 0 : deployment->pools - 1];
    return (double)(pool->replicas * strat_pool_gpus(pool));
}

static double rate(const StratServeResult *result, int64_t count)
{
    double end_s = sim_time_to_seconds(result->end_ns);
    return end_s > 0.0 ? (double)count / end_s : NAN;
}

static double mean_of(const StratDigest *digest)
{
    return strat_digest_count(digest) > 0 ? strat_digest_mean(digest) : NAN;
}

static double quantile_of(const StratDigest *digest, double fraction)
{
    return strat_digest_count(digest) > 0 ? strat_digest_quantile(digest, fraction) : NAN;
}

double scen_served_metric(const ScenScenario *scenario, const ScenServed *served, ScenMetric metric)
{
    const StratServeResult *r = served->result;
    switch (metric) {
    case SCEN_METRIC_TTFT:
        return mean_of(r->ttft_s);
    case SCEN_METRIC_TPOT:
        return mean_of(r->tpot_s);
    case SCEN_METRIC_ITL:
        return mean_of(r->itl_s);
    case SCEN_METRIC_E2E:
        return mean_of(r->e2e_s);
    case SCEN_METRIC_TTFT_P50:
        return quantile_of(r->ttft_s, 0.5);
    case SCEN_METRIC_TPOT_P50:
        return quantile_of(r->tpot_s, 0.5);
    case SCEN_METRIC_ITL_P50:
        return quantile_of(r->itl_s, 0.5);
    case SCEN_METRIC_TTFT_P99:
        return quantile_of(r->ttft_s, 0.99);
    case SCEN_METRIC_TPOT_P99:
        return quantile_of(r->tpot_s, 0.99);
    case SCEN_METRIC_E2E_P99:
        return quantile_of(r->e2e_s, 0.99);
    case SCEN_METRIC_STALL:
        return r->failures.stall_s ? mean_of(r->failures.stall_s) : NAN;
    case SCEN_METRIC_OUTPUT_RATE:
        return rate(r, r->output_tokens);
    case SCEN_METRIC_INPUT_RATE:
        return rate(r, r->input_tokens);
    case SCEN_METRIC_TOTAL_RATE:
        return rate(r, r->input_tokens + r->output_tokens);
    case SCEN_METRIC_OUTPUT_RATE_PER_GPU:
        return rate(r, r->output_tokens) / pool_gpus(scenario, false);
    case SCEN_METRIC_INPUT_RATE_PER_GPU:
        return rate(r, r->input_tokens) / pool_gpus(scenario, true);
    case SCEN_METRIC_REQUEST_RATE:
        return rate(r, r->finished);
    case SCEN_METRIC_USER_RATE:
        return 1.0 / mean_of(r->tpot_s);
    case SCEN_METRIC_USD_INPUT:
        return served->money.usd_per_input;
    case SCEN_METRIC_USD_OUTPUT:
        return served->money.usd_per_output;
    case SCEN_METRIC_SPEEDUP:
        return scenario->serving.deployment.speculation.tokens > 0
                   ? scen_serve_speedup(scenario, served, NULL)
                   : NAN;
    case SCEN_METRIC_USD_DAY:
        return served->money.usd_per_day;
    default:
        return NAN;
    }
}
