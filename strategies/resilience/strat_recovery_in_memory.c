/* Checkpoints in the memory of peers (GEMINI, SOSP 2023). Nodes stand in groups of m, whose members
 * hold each other's state; it is lost when a whole group is. With k of N nodes gone by chance, by
 * inclusion and exclusion over the N / m groups,
 *
 *     P(none is lost) = sum over j of (-1)^j C(N/m, j) C(N - j m, k - j m) / C(N, k)
 *
 * of which the paper prints the terms j = 0 and 1: all of it for k < 2m. The traffic of the
 * copies is that of strat_peers.c, where the scenario describes its storage. */
#include "strat_recovery.h"

#include "sim_math.h"

static double log_choose(int64_t n, int64_t k)
{
    return sim_math_log_gamma((double)n + 1.0) - sim_math_log_gamma((double)k + 1.0) -
           sim_math_log_gamma((double)(n - k) + 1.0);
}

double strat_recovery_in_memory_chance(int64_t nodes, int64_t copies, int64_t lost)
{
    if (copies < 1 || lost < copies)
        return 1.0;
    if (lost >= nodes)
        return 0.0;
    int64_t groups = nodes / copies;
    double sum = 1.0, sign = -1.0;
    for (int64_t j = 1; j <= groups && j * copies <= lost; j++, sign = -sign)
        sum += sign * sim_math_exp(log_choose(groups, j) +
                                   log_choose(nodes - j * copies, lost - j * copies) -
                                   log_choose(nodes, lost));
    return CLAMP(sum, 0.0, 1.0);
}

StratRecoveryPlan strat_recovery_in_memory(const StratRecoveryCase *failure)
{
    StratRecoveryPlan plan = strat_recovery_restart(failure);
    if (failure->chance >=
        strat_recovery_in_memory_chance(failure->nodes, failure->copies, failure->nodes_lost))
        return plan;
    plan.loss = STRAT_LOSS_TO_MEMORY;
    plan.load_s = failure->peer_load_s;
    return plan;
}
