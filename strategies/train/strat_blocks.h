/** Recipes of a program: each distinct piece of a model is priced once. */
#ifndef STRAT_BLOCKS_H
#define STRAT_BLOCKS_H

#include "sim_program.h"
#include "strat_cost.h"
#include "strat_schedule.h"

#include <glib.h>

/** Ways of what is sent: activations forward, gradients backward. */
enum { STRAT_FORWARD, STRAT_BACKWARD, STRAT_DIRECTIONS };

typedef struct StratBlocks StratBlocks;

/** Recipes for @program, priced by @costing; both are borrowed. Free with strat_blocks_free(). */
StratBlocks *strat_blocks_new(SimProgram *program, const StratCosting *costing);

void strat_blocks_free(StratBlocks *blocks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratBlocks, strat_blocks_free)

/** The block of a task of @kind on @chunk, into @block. False and @error when a price is not a
 * time. */
bool strat_blocks_get(StratBlocks *blocks, const StratModelChunk *chunk, StratTaskKind kind,
                      uint32_t *block, GError **error);

/** A new block of one span. */
bool strat_blocks_span(StratBlocks *blocks, const StratSpan *span, uint32_t *block, GError **error);

#endif
