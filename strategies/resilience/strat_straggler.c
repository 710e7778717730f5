/* Stragglers, and when to do what about them. An action costs c in which all stand still and leaves
 * the job at speed v, so that a straggler of duration d costs c + (1 - v) d. How long it lasts is
 * not known. GREYHOUND (Wu et al., ATC 2025, section 6) takes it for a ski rental: it goes on
 * paying (1 - v) a second until that has come to what the next action costs, and takes that then.
 * With one action that ends the slowness the whole is at most twice what one who knows d pays,
 *
 *     (1 - v) d                 for d < c / (1 - v), where he pays as much
 *     2 c                       after that, where he pays c
 *
 * and no rule without chance has less than twice. An action that is no faster than what is done
 * already is left out. */
#include "strat_straggler.h"

#include "sim_row.h"
#include "strat_schedule.h"

#include <math.h>

/* clang-format off */
static const StratStraggler policies[] = {
    {.name = "ignore",
     .source = "most production jobs: stragglers are found by hand, if at all (Wu et al., ATC 2025)",
     .action = STRAT_STRAGGLER_IGNORE},
    {.name = "rebalance",
     .source = "GREYHOUND (ATC 2025), Malleus (arXiv 2410.13333): microbatches dealt by speed",
     .action = STRAT_STRAGGLER_REBALANCE},
    {.name = "swap",
     .source = "GREYHOUND (ATC 2025): nodes change places, so that a slow link carries pipeline traffic",
     .action = STRAT_STRAGGLER_SWAP},
    {.name = "evict",
     .source = "MegaScale (NSDI 2024), ByteRobust (SOSP 2025): a slow node is replaced like a dead one",
     .action = STRAT_STRAGGLER_EVICT},
    {.name = "ski-rental",
     .source = "GREYHOUND (ATC 2025): rebalance, swap, evict, each when the loss has come to its cost",
     .escalates = true},
};
/* clang-format on */

const StratStraggler *strat_straggler_all(size_t *count)
{
    *count = G_N_ELEMENTS(policies);
    return policies;
}

const StratStraggler *strat_straggler_by_name(const char *name, GError **error)
{
    if (!name)
        return &policies[0];
    return sim_row_by_name(policies, G_N_ELEMENTS(policies), sizeof policies[0], name,
                           "straggler policy", STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}

static double due_s(const StratStragglerLevel *levels, StratStragglerAction now,
                    StratStragglerAction next, double lost_s)
{
    return MAX(levels[next].cost_s - lost_s, 0.0) / (1.0 - levels[now].speed);
}

StratStragglerAction strat_straggler_next(const StratStraggler *policy,
                                          const StratStragglerLevel *levels,
                                          StratStragglerAction now, double lost_s, double *after_s)
{
    *after_s = 0.0;
    if (levels[now].speed >= 1.0)
        return STRAT_STRAGGLER_IGNORE;
    if (!policy->escalates)
        return now < policy->action && levels[policy->action].speed > levels[now].speed
                   ? policy->action
                   : STRAT_STRAGGLER_IGNORE;
    for (int a = (int)now + 1; a < STRAT_STRAGGLER_ACTIONS; a++) {
        StratStragglerAction next = (StratStragglerAction)a;
        if (levels[next].speed <= levels[now].speed)
            continue;
        *after_s = due_s(levels, now, next, lost_s);
        return next;
    }
    return STRAT_STRAGGLER_IGNORE;
}
