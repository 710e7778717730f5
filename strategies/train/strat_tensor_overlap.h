/** Traffic of a tensor group, bare and under the products it feeds or drains. */
#ifndef STRAT_TENSOR_OVERLAP_H
#define STRAT_TENSOR_OVERLAP_H

#include "strat_cost.h"

/** Seconds of @comm of @bytes over the tensor group of @chunk, alone. */
double strat_tensor_comm_s(const StratCosting *costing, const StratModelChunk *chunk,
                           ModelComm comm, double bytes);

/** What @comm_s adds to the time of @product_s beside it: the collective takes a share of the SMs,
 *  and what outlasts the product is bare; all of it unless @overlapped. */
double strat_tensor_exposed_s(const StratPlan *plan, double comm_s, double product_s,
                              bool overlapped);

/** What the collective of @op, forward or @backward, adds to @product (batch 1) in @dtype on
 * @device when both are cut into chunks and pipelined. */
double strat_tensor_chunked_s(const StratCosting *costing, const StratModelChunk *chunk,
                              const KernDevice *device, const ModelOp *op, bool backward,
                              const ModelOp *product, TopoDtype dtype);

#endif
