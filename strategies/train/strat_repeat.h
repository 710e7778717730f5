/** What the backward of a layer repeats of its forward. */
#ifndef STRAT_REPEAT_H
#define STRAT_REPEAT_H

#include "model_ops.h"
#include "strat_plan.h"

/** Makes @again what the plan's backward repeats of @ops, the forward of a layer of @spec: the same
 *  operations in the same places, with fewer columns where a part of a product is kept. Those that
 *  @repeated says false of are not repeated. */
void strat_repeat_ops(const StratPlan *plan, const ModelSpec *spec, const ModelOps *ops,
                      ModelOps *again, bool repeated[MODEL_OPS_MAX]);

/** Bytes that a layer keeps whose plan recomputes operation by operation; @input_bytes is what
 *  every layer keeps. */
double strat_repeat_per_op_bytes(const StratPlan *plan, const ModelSpec *spec, const ModelOps *ops,
                                 double input_bytes);

/** Products that the backward of a dense layer repeats, over those of its forward, by FLOPs. */
double strat_repeat_flop_fraction(const StratPlan *plan, const ModelSpec *spec);

#endif
