/* Large batches: fewer steps, more tokens.
 *
 * With B_c the critical batch, S_min the steps of an infinite batch and E_min the tokens of a small
 * one (McCandlish et al. 2018, arXiv 1812.06162, section 2.2 and appendix D)
 *
 *   (S / S_min - 1) (E / E_min - 1) = 1,  E = S B,  B_c = E_min / S_min
 *   E = E_min (1 + B / B_c),  S = S_min (1 + B_c / B)
 *
 * so a batch of B_c takes twice the least of both. On given GPUs a step takes a + c B: what does
 * not depend on the batch (filling the pipeline, the optimizer, bare reductions), and the rest. The
 * run takes S (a + c B), least for
 *
 *   B = sqrt(a B_c / c)
 *
 * and no more than 1 + slack times that between the roots of c B^2 / B_c - K B + a, K = (1 + slack)
 * (c + a / B_c + 2 sqrt(a c / B_c)) - c - a / B_c.
 *
 * Laws of B_c, in tokens:
 *
 *   kaplan-2020  2.1e8 / L^(1 / 0.21) at a loss of L (Kaplan et al. 2020, section 5.1, table 6)
 *   zhang-2024   batches of 22.91 D^0.47 for D tokens take 20 % more tokens, so B_c is five times
 *                that (Zhang et al. 2024, section 3.3). With batches in sequences of 512 and D in
 *                millions, as their axes may be read, it would be 0.77 times as much.
 *
 * Left out: that B_c grows during a run, and that learning rates must follow the batch. */
#include "strat_large_batch.h"

#include "sim_math.h"
#include "strat_schedule.h"

#include <math.h>

static double power(double base, double exponent)
{
    return sim_math_exp(exponent * sim_math_log(base));
}

static double given(const StratTarget *target)
{
    return target->critical_tokens;
}

static double kaplan(const StratTarget *target)
{
    return 2.1e8 / power(target->loss, 1.0 / 0.21);
}

static double zhang(const StratTarget *target)
{
    static const double OVERHEAD = 0.2;
    return 22.91 * power(target->tokens, 0.47) / OVERHEAD;
}

/* clang-format off */
static const StratBatchLaw laws[] = {
    {.name = "given",
     .source = "McCandlish et al. 2018 (arXiv 1812.06162): measured as gradient noise, or by a sweep",
     .needs_tokens = true, .critical = given},
    {.name = "kaplan-2020",
     .source = "Kaplan et al. 2020 (arXiv 2001.08361) section 5.1: a function of the loss alone",
     .needs_loss = true, .critical = kaplan},
    {.name = "zhang-2024",
     .source = "Zhang et al. 2024 (arXiv 2410.21676): a function of the tokens, hardly of the model; a batch with 20 % more tokens",
     .critical = zhang},
};
/* clang-format on */

const StratBatchLaw *strat_batch_law_all(size_t *count)
{
    *count = G_N_ELEMENTS(laws);
    return laws;
}

const StratBatchLaw *strat_batch_law_by_name(const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(laws); i++) {
        if (g_str_equal(laws[i].name, name))
            return &laws[i];
        g_string_append_printf(known, " %s", laws[i].name);
    }
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME,
                "unknown law of the critical batch '%s', known:%s", name, known->str);
    return NULL;
}

double strat_batch_tokens(const StratTarget *target, double critical, double batch)
{
    return target->tokens * (1.0 + batch / critical);
}

double strat_batch_steps(const StratTarget *target, double critical, double batch)
{
    return strat_batch_tokens(target, critical, batch) / batch;
}

StratBestBatch strat_batch_best(double fixed_s, double token_s, double critical, double slack)
{
    if (fixed_s <= 0.0 || token_s <= 0.0)
        return (StratBestBatch){0};
    double square = token_s / critical, least = 2.0 * sqrt(fixed_s * square);
    double both = token_s + fixed_s / critical;
    double middle = (1.0 + slack) * (both + least) - both;
    double root = sqrt(middle * middle - 4.0 * square * fixed_s);
    return (StratBestBatch){
        .best = sqrt(fixed_s / square),
        .low = (middle - root) / (2.0 * square),
        .high = (middle + root) / (2.0 * square),
    };
}
