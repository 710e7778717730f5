/* What tokens cost.
 *
 *   total = GPUs * hours * price of a GPU-hour + energy (where GPUs are bought)
 *
 * where hours run from the start to the last token, idle time counted: who rents GPUs pays for
 * nights too. Where replicas come and go, hours are those in which they are up, from the start of a
 * start. A purchase is written off evenly over its years of 8,766 hours. Energy is (busy
 * GPU-seconds * load W + other GPU-seconds * idle W) * PUE.
 *
 * The total is split by GPU-seconds: what prompts add to iterations pays for prompt tokens, what
 * decoding alone takes for output tokens, and each bears idle time in proportion (with pools of
 * their own, prompts bear what their pool idles). A prompt token that was found in the cache took
 * no computing; it pays for the attention that the rest of its prompt pays to it. With c cached and
 * n computed tokens, computed ones attend to all c and, on average, to n / 2 of their own kind, so
 * cached tokens pay c / (c + n / 2) of the prompts' attention, and computed ones for the rest of
 * the prompts' part. Room in the cache is free: a block that nobody needs now is lost to nobody.
 * What it leaves out: staff, egress, storage, taxes. */
#include "scen_money.h"

static const double SECONDS_PER_HOUR = 3600.0;
static const double HOURS_PER_DAY = 24.0;
static const double HOURS_PER_YEAR = 8766.0; /* 365.25 days */
static const double JOULES_PER_KWH = 3.6e6;
static const double MILLION = 1e6;

static double busy_of(const StratServeResult *result)
{
    double busy_s = 0.0;
    for (int p = 0; p < STRAT_SERVE_PARTS; p++)
        busy_s += result->busy_s[p];
    return busy_s;
}

static double energy_kwh(const ScenScenario *scenario, double busy_s, double idle_s)
{
    const ScenCost *cost = &scenario->cost;
    double load_w = cost->load_w > 0.0 ? cost->load_w : scenario->cluster.node.gpu.power_w;
    double idle_w = cost->idle_w > 0.0 ? cost->idle_w : load_w;
    double pue = cost->pue > 0.0 ? cost->pue : 1.0;
    return (busy_s * load_w + idle_s * idle_w) * pue / JOULES_PER_KWH;
}

/* Share of all GPU-seconds that prompts answer for. */
static double prompt_share(const ScenScenario *scenario, const StratServeResult *result,
                           double busy_s)
{
    const StratDeployment *deployment = &scenario->serving.deployment;
    const StratPool *first = &deployment->pool[0];
    if (deployment->pools == 2)
        return (double)(first->replicas * strat_pool_gpus(first)) / (double)result->gpus;
    return busy_s > 0.0 ? result->prompt_s / busy_s : 0.0;
}

/* Share of all busy GPU-seconds that is attention to cached tokens of prompts. */
static double cached_share(const StratServeResult *result, double busy_s)
{
    double cached = (double)result->cached_tokens;
    double computed = (double)(result->input_tokens - result->cached_tokens);
    if (cached <= 0.0 || busy_s <= 0.0)
        return 0.0;
    return result->busy_s[STRAT_SERVE_PREFILL] / busy_s * cached / (cached + 0.5 * computed);
}

static double per_million(double usd, int64_t tokens)
{
    return tokens > 0 ? usd / (double)tokens * MILLION : 0.0;
}

double scen_money_usd_per_gpu_hour(const ScenCost *cost)
{
    return cost->purchase_usd > 0.0 ? cost->purchase_usd / (cost->years * HOURS_PER_YEAR)
                                    : cost->gpu_usd_per_h;
}

ScenMoney scen_money(const ScenScenario *scenario, const StratServeResult *result)
{
    const ScenCost *cost = &scenario->cost;
    double busy_s = busy_of(result), end_s = sim_time_to_seconds(result->end_ns);
    bool buys = cost->purchase_usd > 0.0;
    ScenMoney m = {
        .gpu_hours = result->up_s / SECONDS_PER_HOUR,
        .busy_gpu_hours = busy_s / SECONDS_PER_HOUR,
        .usd_per_gpu_hour = scen_money_usd_per_gpu_hour(cost),
        .energy_kwh = energy_kwh(scenario, busy_s + result->failures.cut_s,
                                 result->idle_s + result->starting_s + result->failures.down_s),
    };
    m.usd_energy = buys ? m.energy_kwh * cost->energy_usd_per_kwh : 0.0;
    m.usd_total = m.gpu_hours * m.usd_per_gpu_hour + m.usd_energy;
    m.usd_per_day = end_s > 0.0 ? m.usd_total / end_s * HOURS_PER_DAY * SECONDS_PER_HOUR : 0.0;
    m.idle_fraction = m.gpu_hours > 0.0 ? MAX(1.0 - m.busy_gpu_hours / m.gpu_hours, 0.0) : 0.0;
    double share = prompt_share(scenario, result, busy_s);
    m.usd_cached = m.usd_total * MIN(cached_share(result, busy_s), share);
    m.usd_prompts = m.usd_total * share - m.usd_cached;
    m.usd_outputs = m.usd_total * (1.0 - share);
    m.usd_per_input = per_million(m.usd_prompts, result->input_tokens - result->cached_tokens);
    m.usd_per_cached = per_million(m.usd_cached, result->cached_tokens);
    m.usd_per_output = per_million(m.usd_outputs, result->output_tokens);
    m.output_usd_on_busy = m.usd_per_output * (1.0 - m.idle_fraction);
    double measured =
        result->finished > 0 ? (double)result->measured / (double)result->finished : 0;
    if (scen_serving_promises(&scenario->serving))
        m.usd_per_slo_output = per_million(m.usd_total * measured, result->within_slo_tokens);
    return m;
}
