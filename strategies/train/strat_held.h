/** What a stage holds of weights and gradients beside their states. */
#ifndef STRAT_HELD_H
#define STRAT_HELD_H

#include "strat_cost.h"

/** Parameters of the units of a stage under ZeRO-2 and 3: of the largest, the most that are
 * gathered at once, and of those that stay gathered. */
typedef struct StratHeldUnits {
    double largest, most, root;
} StratHeldUnits;

StratHeldUnits strat_held_units(const StratCosting *costing, int64_t stage);

/** Bytes of one 16-bit tensor for each shape of weight in the stage's layers, where the plan's
 *  software keeps such; else 0. */
double strat_held_stand_in_bytes(const StratCosting *costing, int64_t stage);

#endif
