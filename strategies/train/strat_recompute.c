/* Which layers are recomputed.
 *
 * Megatron-LM's --recompute-method and --recompute-num-layers n (its arguments.py and
 * transformer_block.py), with l layers a model chunk:
 *
 *   uniform    all, in groups of n that keep the group's input alone: ceil(l / n) inputs are kept,
 *              and n layers are alive while a group's backward runs
 *   block      the first n of each chunk, one by one; the other l - n keep what they computed
 *
 * and the selective checkpointing of IBM's fms-fsdp (policies/ac_handler.py) and of torchtitan's
 * "every k-th layer" (k = 1 / p):
 *
 *   fraction   a share p of the model's layers, evenly spread: layer i = 1, 2, ... where i p first
 *              reaches 1/2, 3/2, 5/2, ...; so p l + 1/2 of l, rounded down
 *
 * The share is counted over the whole model, whatever stage a layer stands on. */
#include "strat_recompute.h"

#include <glib.h>
#include <math.h>

/* Layers among the first @count of the model. A third is no double: what misses a whole by
 * rounding is one. */
static int64_t taken(double fraction, int64_t count)
{
    return (int64_t)floor((double)count * fraction + 0.5 + 1e-9);
}

bool strat_recompute_has(const StratRecomputeLayers *which, int64_t in_chunk, int64_t in_model)
{
    if (which->method == STRAT_RECOMPUTE_BLOCK)
        return in_chunk < which->layers;
    if (which->method == STRAT_RECOMPUTE_FRACTION)
        return taken(which->fraction, in_model + 1) > taken(which->fraction, in_model);
    return true;
}

int64_t strat_recompute_spared(const StratRecomputeLayers *which, int64_t in_chunk,
                               int64_t in_model, int64_t count)
{
    int64_t spared = 0;
    if (which->method != STRAT_RECOMPUTE_BLOCK && which->method != STRAT_RECOMPUTE_FRACTION)
        return 0;
    for (int64_t i = 0; i < count; i++)
        spared += !strat_recompute_has(which, in_chunk + i, in_model + i);
    return spared;
}

int64_t strat_recompute_group(const StratRecomputeLayers *which)
{
    return which->method == STRAT_RECOMPUTE_UNIFORM ? MAX(which->layers, 1) : 1;
}
