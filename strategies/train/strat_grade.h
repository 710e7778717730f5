/** The kind and the evidence of a price. */
#ifndef STRAT_GRADE_H
#define STRAT_GRADE_H

#include "strat_cost.h"

/** Fills in the kind and the evidence of @span, by its account and by @op, whose price it is (NULL:
 *  of none). */
void strat_grade(const StratCosting *costing, const StratModelChunk *chunk, const ModelOp *op,
                 StratBucket account, StratSpan *span);

/** What stands behind passes over memory. */
KernEvidence strat_passes_evidence(const StratCosting *costing);

/** What stands behind collectives over @wire. */
KernEvidence strat_wire_evidence(const TopoProtocolFits *wire);

#endif
