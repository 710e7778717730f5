/*
 * Speculative decoding (Leviathan, Kalman, Matias 2023): g tokens are proposed and verified in one
 * iteration of the target, which keeps the leading ones that it agrees with and adds one of its
 * own. Token i is kept with probability a_i given those before it, so an iteration gives
 *
 *     1 + a_1 + a_1 a_2 + ... + a_1 .. a_g        = (1 - a^(g+1)) / (1 - a) for equal a
 *
 * tokens on average. A request draws each of its iterations: one uniform number against the chain's
 * survival.
 *
 * Left out: that acceptance differs between requests and along one. A tree of paths is its best
 * one: the acceptance given is that of the tree at each depth.
 */
#include "strat_speculation.h"

#include "sim_random.h"

static double acceptance(const StratSpeculation *speculation, int64_t position)
{
    if (speculation->positions == 0)
        return speculation->acceptance;
    size_t last = speculation->positions - 1;
    return speculation->by_position[MIN((size_t)position, last)];
}

double strat_speculation_expected(const StratSpeculation *speculation)
{
    double expected = 1.0;
    double survives = 1.0;
    for (int64_t i = 0; i < speculation->tokens; i++) {
        survives *= acceptance(speculation, i);
        expected += survives;
    }
    return expected;
}

int64_t strat_speculation_width(const StratSpeculation *speculation)
{
    return 1 + speculation->tokens * MAX(speculation->candidates, 1);
}

int64_t strat_speculation_steps(const StratSpeculation *speculation, uint64_t seed, int64_t id,
                                int64_t again, int64_t outputs)
{
    if (speculation->tokens == 0)
        return outputs;
    char name[64];
    g_snprintf(name, sizeof name, "speculation/%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, id, again);
    SimRandom stream = sim_random_stream(seed, name);
    int64_t steps = 0;
    for (int64_t left = outputs; left > 0; steps++) {
        double draw = sim_random_uniform(&stream);
        double survives = 1.0;
        int64_t kept = 0;
        while (kept < speculation->tokens && draw < (survives *= acceptance(speculation, kept)))
            kept++;
        left -= kept + 1;
    }
    return steps;
}
